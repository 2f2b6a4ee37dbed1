import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NO_INFO, type SeriesInfo } from "../metric-batch.ts";
import { wordsOf, writeStale } from "../stale.ts";
import { downsampleSeries, type SeriesSamples } from "./downsample-series.ts";
import { windowOf } from "./windows.ts";

const COUNTER: SeriesInfo = { ...NO_INFO, type: "counter" };
const GAUGE: SeriesInfo = { ...NO_INFO, type: "gauge" };
/** A sample a second from second 1 on; windows of ten. */
const series = (values: readonly number[], stale: readonly number[] = []): SeriesSamples => {
  const all = Float64Array.from(values);
  for (const i of stale) writeStale(wordsOf(all), i);
  return { timesMs: Float64Array.from(values, (_, i) => (i + 1) * 1000), values: all, histograms: undefined };
};
const RESOLUTION_MS = 10_000;
const kept = (info: SeriesInfo, given: SeriesSamples) =>
  Array.from(downsampleSeries(info, given, undefined, RESOLUTION_MS)?.series.timesMs ?? [], (timeMs) => timeMs / 1000);
const upTo = (end: number) => Array.from({ length: end }, (_, i) => i + 1);

test("the first and the last sample of each window stay", () => {
  expect(kept(GAUGE, series(upTo(20)))).toEqual([1, 10, 11, 20]);
});

test("both sides of a counter's reset stay, a gauge's falls mean nothing", () => {
  const values = upTo(20).map((value) => (value > 14 ? value - 14 : value));
  expect(kept(COUNTER, series(values))).toEqual([1, 10, 11, 14, 15, 20]);
  expect(kept(NO_INFO, series(values))).toEqual([1, 10, 11, 14, 15, 20]);
  expect(kept(GAUGE, series(values))).toEqual([1, 10, 11, 20]);
});

test("what has no type and falls all the time is taken for a gauge", () => {
  expect(kept(NO_INFO, series(upTo(20).map((value) => value % 3)))).toEqual([1, 10, 11, 20]);
});

test("staleness markers and changes of the start time stay", () => {
  expect(kept(GAUGE, series(upTo(20), [4, 9]))).toEqual([1, 5, 9, 10, 11, 20]);
  const startsMs = Float64Array.from(upTo(20), (i) => (i > 13 ? 2 : 1));
  expect(kept(COUNTER, { ...series(upTo(20)), startsMs })).toEqual([1, 10, 11, 13, 14, 20]);
});

test.each([
  ["few samples per window", GAUGE, series(upTo(7))],
  ["deltas", { ...COUNTER, temporality: "delta" } as const, series(upTo(20))],
  ["counters that reset all the time", COUNTER, series(upTo(20).map((value) => value % 3))],
])("a series of %s stays as it is", (_, info, given) => {
  expect(downsampleSeries(info, given, undefined, RESOLUTION_MS)).toBeUndefined();
});

describe("for any series", () => {
  const values = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 40, maxLength: 200 });
  /** From one sample to another, as rate has it. */
  const increase = (of: SeriesSamples, fromMs: number, toMs: number) => {
    let total = 0;
    for (let i = 1; i < of.values.length; i++) {
      const [before, value] = [of.values[i - 1] as number, of.values[i] as number];
      if ((of.timesMs[i - 1] as number) < fromMs || (of.timesMs[i] as number) > toMs) continue;
      total += value < before ? value : value - before;
    }
    return total;
  };

  test("the increase between samples that stay is exactly what it was", () => {
    fc.assert(
      fc.property(values, (steps) => {
        let total = 0;
        const counter = series(
          steps.map((step) => {
            total = step === 0 ? 0 : total + step;
            return total;
          }),
        );
        const made = downsampleSeries(COUNTER, counter, undefined, RESOLUTION_MS);
        if (!made) return;
        const { timesMs } = made.series;
        for (const toMs of timesMs) {
          const fromMs = timesMs[0] as number;
          expect(increase(made.series, fromMs, toMs)).toBe(increase(counter, fromMs, toMs));
        }
      }),
    );
  });

  test("windows have count, sum, least and greatest, in one step as in two", () => {
    fc.assert(
      fc.property(values, (all) => {
        const given = series(all);
        const once = downsampleSeries(GAUGE, given, undefined, 20_000);
        const fine = downsampleSeries(GAUGE, given, undefined, RESOLUTION_MS);
        const twice = fine && downsampleSeries(GAUGE, fine.series, fine.windows, 20_000);
        expect(twice).toEqual(once);
        const ofWindow = (timeMs: number) =>
          all.filter((_, i) => windowOf((i + 1) * 1000, 20_000) === windowOf(timeMs, 20_000));
        once?.windows.timesMs.forEach((timeMs, i) => {
          const members = ofWindow(timeMs);
          const { counts, sums, mins, maxs } = once.windows;
          expect([counts[i], sums[i], mins[i], maxs[i]]).toEqual([
            members.length,
            members.reduce((a, b) => a + b),
            Math.min(...members),
            Math.max(...members),
          ]);
        });
      }),
    );
  });
});
