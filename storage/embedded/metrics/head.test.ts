import { type MetricBatch, SeriesKey } from "@sightline/model/metric-batch.ts";
import { Rejections } from "@sightline/model/rejections.ts";
import { metricBatchOf, type SeriesRows } from "@sightline/storage-conformance/metric-batch-of.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Head } from "./head.ts";
import { JoinedSeries } from "./joined-series.ts";
import { readSeries } from "./read-series.ts";
import type { SeriesSource } from "./series-source.ts";
import { TimeSlice } from "./time-slice.ts";

const DAY_MS = 86_400_000;
const LIMITS = { minTimeMs: 0, maxTimeMs: 1e13, maxSeries: 3 };
const EVERYTHING = { startMs: 0, endMs: 1e13 };

function append(head: Head, batch: MetricBatch) {
  const rejections = new Rejections();
  head.append(batch, LIMITS, rejections);
  return rejections.list();
}

async function samplesOf(heads: readonly Head[], range = EVERYTHING, newestOnly = false): Promise<[number, number][]> {
  const slice = new TimeSlice();
  const selections = heads.map((source) => ({
    source,
    ids: Array.from({ length: source.seriesCount }, (_, id) => id),
  }));
  const joined = await JoinedSeries.from(selections, slice);
  const rows = Array.from({ length: joined.length }, (_, row) => row);
  const found: [number, number][] = [];
  const open = (source: SeriesSource, ids: readonly number[]) => source.open(ids, range, { newestOnly });
  for await (const group of readSeries(joined, rows, range, slice, false, open)) {
    for (const { timesMs, values } of group) {
      for (let i = 0; i < timesMs.length; i++) found.push([timesMs[i] as number, values[i] as number]);
    }
  }
  return found;
}

const row = (...samples: [number, number][]): SeriesRows => ({ labels: { __name__: "a" }, samples });

test.each([
  ["one slot", 5, 1000],
  ["many slots", 1000, 1000],
  ["slots that end before they are full, because days pass", 100, 10 * DAY_MS],
])("keeps %s", async (_, count, stepMs) => {
  const head = new Head();
  const samples = Array.from({ length: count }, (_, i): [number, number] => [i * stepMs, i / 10]);
  for (const sample of samples) append(head, metricBatchOf([row(sample)]));
  expect(await samplesOf([head])).toEqual(samples);
  const [startMs, endMs] = [stepMs * 2 + 1, stepMs * (count - 2)];
  const inside = samples.filter(([timeMs]) => timeMs >= startMs && timeMs <= endMs);
  expect(await samplesOf([head], { startMs, endMs })).toEqual(inside);
});

test("remembers the newest sample of the head before, as long as that is not written", async () => {
  const before = new Head();
  append(before, metricBatchOf([row([10, 1])]));
  const head = new Head(before);
  expect(append(head, metricBatchOf([row([10, 2], [10, 1], [5, 3], [11, 4])]))).toMatchObject([
    { reason: "duplicate", count: 1 },
  ]);
  expect(await samplesOf([before, head])).toEqual([
    [5, 3],
    [10, 1],
    [11, 4],
  ]);
});

test("refuses series beyond the limit, naming the setting, and keeps the others", () => {
  const head = new Head();
  const rows = ["1", "2", "3", "4", "5"].map((i) => ({ labels: { i }, samples: [[1, 1]] as const }));
  const [rejection] = append(head, metricBatchOf(rows));
  expect(rejection).toMatchObject({ reason: "limit", count: 2 });
  expect(rejection?.message).toContain("storage.metrics.max_series");
  expect(head.seriesCount).toBe(3);
});

test.each([
  ["too_new", 1e13 + 1],
  ["too_old", -1],
  ["invalid", 1.5],
  ["invalid", Number.NaN],
])("refuses as %s the time %d", (reason, timeMs) => {
  const head = new Head();
  expect(append(head, metricBatchOf([row([timeMs, 1])]))).toMatchObject([{ reason, count: 1 }]);
  expect(head.seriesCount).toBe(0);
});

test("two keys for one series, used in turn, are one series", async () => {
  const head = new Head();
  const keys = [1, 2].map(() => new SeriesKey([["__name__", "a"]]));
  for (let i = 0; i < 4; i++) {
    append(head, { ...metricBatchOf([row([i, i])]), series: [keys[i % 2] as SeriesKey] });
  }
  expect(head.seriesCount).toBe(1);
  expect(await samplesOf([head])).toHaveLength(4);
});

test("a sample and a histogram can't share a time", () => {
  const head = new Head();
  const histogram = { ...row([5, 1]), samples: [[5, HISTOGRAM] as const] };
  append(head, metricBatchOf([row([5, 1])]));
  expect(append(head, metricBatchOf([histogram]))).toMatchObject([{ reason: "duplicate" }]);
});

const HISTOGRAM = {
  schema: 0,
  zeroThreshold: 0,
  zeroCount: 0,
  count: 1,
  sum: 1,
  positiveSpans: [{ offset: 0, length: 1 }],
  positiveBuckets: Float64Array.of(1),
  negativeSpans: [],
  negativeBuckets: new Float64Array(0),
  customValues: new Float64Array(0),
  counterResetHint: 0,
} as const;

test("read for its newest samples only, it gives the newest in the range, late ones and those of days later included", async () => {
  const time = fc.integer({ min: 0, max: 20 }).map((n) => (n > 15 ? n * 10 * DAY_MS : n * 1_000));
  await fc.assert(
    fc.asyncProperty(
      fc.array(time, { maxLength: 12 }),
      fc.array(time, { maxLength: 6 }),
      time,
      time,
      async (...given) => {
        const [olderMs, newerMs, a, b] = given;
        const before = new Head();
        const head = new Head(before);
        for (const [i, timeMs] of olderMs.entries()) append(before, metricBatchOf([row([timeMs, i])]));
        for (const [i, timeMs] of newerMs.entries()) append(head, metricBatchOf([row([timeMs, 100 + i])]));
        const range = { startMs: Math.min(a, b), endMs: Math.max(a, b) };
        const all = await samplesOf([before, head], range);
        expect((await samplesOf([before, head], range, true)).at(-1)).toEqual(all.at(-1));
      },
    ),
  );
});
