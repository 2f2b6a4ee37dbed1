import { labelsFrom } from "@sightline/model/labels.ts";
import { workedMs } from "@sightline/model/testing/worked-ms.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { reportCardinality } from "./cardinality.ts";
import { Churn } from "./churn.ts";
import { TopCounts } from "./top-counts.ts";

const never = new AbortController().signal;

test("series are counted by metric, label and pair", async () => {
  const series = [
    labelsFrom({ __name__: "a", job: "x" }),
    labelsFrom({ __name__: "a", job: "y" }),
    labelsFrom({ __name__: "bb", job: "y" }),
  ];
  expect(await reportCardinality(series, { offset: 0, limit: 2 }, never)).toEqual({
    series: 3,
    labelPairs: 4,
    seriesByMetric: [
      { name: "a", value: 2 },
      { name: "bb", value: 1 },
    ],
    valuesByLabel: [
      { name: "__name__", value: 2 },
      { name: "job", value: 2 },
    ],
    bytesByLabel: [
      { name: "__name__", value: 34 },
      { name: "job", value: 18 },
    ],
    seriesByPair: [
      { name: "__name__=a", value: 2 },
      { name: "job=y", value: 2 },
    ],
  });
});

test("the next page goes on where the one before ended", async () => {
  const series = Array.from({ length: 10 }, (_, i) => labelsFrom({ __name__: `m${i}` }));
  const page = async (offset: number) =>
    (await reportCardinality(series, { offset, limit: 4 }, never)).seriesByMetric.map(({ name }) => name);
  expect([...(await page(0)), ...(await page(4)), ...(await page(8))]).toEqual(series.map(([name]) => name?.[1]));
});

test("the top counts are those of a full sort", () => {
  const counts = fc.uniqueArray(fc.tuple(fc.string({ maxLength: 3 }), fc.nat(5)), { selector: ([name]) => name });
  fc.assert(
    fc.property(counts, fc.integer({ min: 1, max: 8 }), (counts, size) => {
      const top = new TopCounts(size);
      for (const [name, value] of counts) top.add(name, value);
      const all = counts.map(([name, value]) => ({ name, value }));
      all.sort((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1));
      expect(top.sorted()).toEqual(all.slice(0, size));
    }),
  );
});

test("series are kept, added or ended by where their samples lie", () => {
  const churn = new Churn(100);
  const slice = (name: string, ...times: number[]) => ({
    labels: labelsFrom({ __name__: name }),
    info: { type: "gauge", unit: "", temporality: "", otelName: "" } as const,
    timesMs: Float64Array.from(times),
    values: new Float64Array(times.length),
  });
  for (const series of [slice("a", 50, 150), slice("a", 100), slice("b", 99), slice("b", 120, 130)])
    churn.count(series);
  expect(churn.report(1)).toEqual({ kept: 1, added: 2, ended: 1, byMetric: [{ name: "b", added: 1, ended: 1 }] });
});

test("a hundred thousand series are counted without holding the event loop", async () => {
  const series = Array.from({ length: 100_000 }, (_, i) => labelsFrom({ __name__: `m${i % 100}`, pod: `pod-${i}` }));
  let longestMs = 0;
  let last = workedMs();
  const timer = setInterval(() => {
    longestMs = Math.max(longestMs, workedMs() - last);
    last = workedMs();
  }, 1);
  const report = await reportCardinality(series, { offset: 0, limit: 10_000 }, never);
  clearInterval(timer);
  expect(report.labelPairs).toBe(100_100);
  expect(longestMs).toBeLessThan(300);
});
