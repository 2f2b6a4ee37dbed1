import { labelsFrom } from "@sightline/model/labels.ts";
import { NO_INFO, type SeriesInfo } from "@sightline/model/metric-batch.ts";
import type { Queryable, SeriesSlice } from "@sightline/model/metric-store.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { DEFAULT_PROM_LIMITS } from "../config.ts";
import { PromEngine } from "../engine.ts";

/** Equal series that share their times, so that one is computed alone and the others together. */
const COPIES = ["a", "b", "c"];

function engineOf(timesMs: readonly number[], values: readonly number[], info: SeriesInfo = NO_INFO): PromEngine {
  const shared = Float64Array.from(timesMs);
  const slices = COPIES.map(
    (copy): SeriesSlice => ({
      labels: labelsFrom({ __name__: "x_total", copy }),
      info,
      timesMs: shared,
      values: Float64Array.from(values),
    }),
  );
  const queryable: Queryable = {
    async *select() {
      yield slices;
    },
    series: async () => [],
    labelNames: async () => [],
    labelValues: async () => [],
  };
  return new PromEngine({ queryable, limits: DEFAULT_PROM_LIMITS });
}

async function range(engine: PromEngine, text: string, startMs: number, endMs: number, stepMs: number) {
  const { signal } = new AbortController();
  const { value } = await engine.range(text, { tenant: DEFAULT_TENANT, startMs, endMs, stepMs, signal });
  if (value.type !== "matrix") throw new Error("no matrix");
  const [first, ...others] = value.series.map(
    ({ timesMs, values }) => new Map(Array.from(timesMs, (timeMs, i) => [timeMs, values[i] as number])),
  );
  for (const other of others) expect(other).toEqual(first);
  return first ?? new Map<number, number>();
}

/** The definition, one window at a time and without any cleverness. */
function naiveIncrease(
  samples: readonly (readonly [number, number])[],
  startMs: number,
  endMs: number,
): number | undefined {
  const inside = samples.filter(([timeMs]) => timeMs > startMs && timeMs <= endMs);
  const first = inside[0];
  const last = inside.at(-1);
  if (!first || !last || inside.length < 2) return undefined;
  let change = last[1] - first[1];
  for (let i = 1; i < inside.length; i++) {
    const before = (inside[i - 1] as readonly [number, number])[1];
    if ((inside[i] as readonly [number, number])[1] < before) change += before;
  }
  const sampled = (last[0] - first[0]) / 1000;
  const average = sampled / (inside.length - 1);
  let toStart = (first[0] - startMs) / 1000;
  let toEnd = (endMs - last[0]) / 1000;
  if (toStart >= average * 1.1) toStart = average / 2;
  if (change > 0 && first[1] >= 0) toStart = Math.min(toStart, sampled * (first[1] / change));
  if (toEnd >= average * 1.1) toEnd = average / 2;
  return change * ((sampled + toStart + toEnd) / sampled);
}

test("increase equals its definition bit by bit, at every step, with gaps and resets", async () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 80 });
  const steps = fc.array(fc.oneof(fc.integer({ min: 0, max: 50 }), fc.constant(-1)), { minLength: 80, maxLength: 80 });
  await fc.assert(
    fc.asyncProperty(gaps, steps, fc.integer({ min: 1, max: 60_000 }), async (intervals, increments, stepMs) => {
      let timeMs = 1_000_000;
      let value = 0;
      const samples = intervals.map((interval, i) => {
        timeMs += interval;
        const increment = increments[i] as number;
        value = increment < 0 ? 0 : value + increment / 3;
        return [timeMs, value] as const;
      });
      const engine = engineOf(
        samples.map(([time]) => time),
        samples.map(([, v]) => v),
      );
      const endMs = 1_000_000 + 20 * stepMs;
      const got = await range(engine, "increase(x_total[1m])", 1_000_000, endMs, stepMs);
      for (let at = 1_000_000; at <= endMs; at += stepMs) {
        expect(got.get(at)).toBe(naiveIncrease(samples, at - 60_000, at));
      }
    }),
    { numRuns: 200 },
  );
});

test("increase of a delta series is the sum of its samples in the range, rate that per second", async () => {
  const info: SeriesInfo = { type: "counter", unit: "", temporality: "delta", otelName: "x" };
  const engine = engineOf([60_000, 120_000, 180_000], [5, 1, 2], info);
  expect(await range(engine, "increase(x_total[2m])", 180_000, 180_000, 1)).toEqual(new Map([[180_000, 3]]));
  expect(await range(engine, "rate(x_total[3m])", 180_000, 180_000, 1)).toEqual(new Map([[180_000, 8 / 180]]));
  expect(await range(engine, "increase(x_total[1m])", 60_000, 60_000, 1)).toEqual(new Map([[60_000, 5]]));
});

test.each([
  ["irate(x_total[2m])", 2 / 60],
  ["resets(x_total[5m])", 0],
  ["sum_over_time(x_total[2m])", 3],
])("%s of a delta series is %d", async (query, want) => {
  const info: SeriesInfo = { type: "counter", unit: "", temporality: "delta", otelName: "x" };
  const engine = engineOf([60_000, 120_000, 180_000], [5, 1, 2], info);
  expect(await range(engine, query, 180_000, 180_000, 1)).toEqual(new Map([[180_000, want]]));
});

test.each<[string, number, number | undefined]>([
  ["increase(x_total[2m] anchored)", 180, 9],
  ["increase(x_total[90s] anchored)", 200, 9],
  ["rate(x_total[2m] anchored)", 180, 9 / 120],
  ["increase(x_total[10s] anchored)", 200, undefined],
  ["increase(x_total[2m] smoothed)", 180, 9],
  // Only 40 of the 60 seconds that the 6 tells of.
  ["increase(x_total[100s] smoothed)", 180, 3 + (6 * 40) / 60],
  ["increase(x_total[2m] smoothed)", 140, 6 + 3 / 3 + 9],
  ["increase(x_total[10s] smoothed)", 170, 3 / 6],
  ["rate(x_total[10s] smoothed)", 170, 3 / 6 / 10],
  ["increase(x_total[10s] smoothed)", 200, undefined],
  // Nobody knows since when the first sample counts.
  ["increase(x_total[10s] smoothed)", 55, undefined],
  ["increase(x_total[10s] smoothed)", 60, 9],
])("of a delta series, %s at %d s is %d", async (text, seconds, want) => {
  const info: SeriesInfo = { type: "counter", unit: "", temporality: "delta", otelName: "x" };
  const engine = engineOf([60_000, 120_000, 180_000], [9, 6, 3], info);
  const got = await range(engine, text, seconds * 1000, seconds * 1000, 1);
  expect(got.get(seconds * 1000)).toEqual(want);
});
