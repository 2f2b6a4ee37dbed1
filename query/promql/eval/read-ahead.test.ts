import { labelsFrom } from "@sightline/model/labels.ts";
import { NO_INFO } from "@sightline/model/metric-batch.ts";
import type { Queryable, SeriesSlice } from "@sightline/model/metric-store.ts";
import { wordsOf, writeStale } from "@sightline/model/stale.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { expect, test } from "vitest";
import { DEFAULT_PROM_LIMITS } from "../config.ts";
import { PromEngine } from "../engine.ts";
import { seesFloatsAtLastStep } from "./read-ahead.ts";

const STEPS = 1_001;
const END_MS = 1_700_000_000_000;

function slice(i: number, minutesAgo: readonly number[], values: readonly number[]): SeriesSlice {
  const timesMs = Float64Array.from(minutesAgo, (minutes) => END_MS - minutes * 60_000);
  const labels = labelsFrom({ __name__: "big", i: String(i).padStart(5, "0") });
  return { labels, info: NO_INFO, timesMs, values: Float64Array.from(values) } as SeriesSlice;
}

function staleSlice(i: number, minutesAgo: readonly number[]): SeriesSlice {
  const stale = slice(i, minutesAgo, minutesAgo);
  for (let at = 0; at < minutesAgo.length; at++) writeStale(wordsOf(stale.values), at);
  return stale;
}

/** `given` counts the series that were read. */
function queryable(series: readonly SeriesSlice[], given = { count: 0 }): Queryable {
  return {
    async *select() {
      for (const one of series) {
        given.count++;
        yield [one];
      }
    },
    series: async () => [],
    labelNames: async () => [],
    labelValues: async () => [],
  };
}

function range(source: Queryable, query: string, maxSamples: number) {
  const engine = new PromEngine({ queryable: source, limits: { ...DEFAULT_PROM_LIMITS, max_samples: maxSamples } });
  const { signal } = new AbortController();
  return engine.range(query, {
    tenant: DEFAULT_TENANT,
    startMs: END_MS - (STEPS - 1) * 1_000,
    endMs: END_MS,
    stepMs: 1_000,
    signal,
  });
}

const QUERIES = ["big", "big * 2", "rate(big[10m])", "count_over_time(big[10m])", "quantile(0.5, big)", "sum(big)"];

test.each(["big", "rate(big[10m])", "count_over_time(big[10m])", "quantile(0.5, big)", "big + big", "-big"])(
  "%s of too many series fails when the first that is too many is read",
  async (query) => {
    const given = { count: 0 };
    const series = Array.from({ length: 100 }, (_, i) => slice(i, [9, 5, 1], [1, 2, 3]));
    await expect(range(queryable(series, given), query, 20 * STEPS)).rejects.toThrow(/query\.max_samples/);
    expect(given.count).toBeLessThanOrEqual(21);
  },
);

test.each(QUERIES)("%s is not refused for series that give nothing", async (query) => {
  const none = [
    ...Array.from({ length: 50 }, (_, i) => slice(i, [], [])),
    ...Array.from({ length: 50 }, (_, i) => staleSlice(50 + i, [9, 8, 7])),
  ];
  const series = [...none, slice(100, [9, 5, 1], [1, 2, 3])];
  // Room for the one series, what is computed of it, and scalars.
  const { value } = await range(queryable(series), query, 5 * STEPS);
  expect(value).toMatchObject({ type: "matrix", series: { length: 1 } });
});

test.each(["big", "last_over_time(big[10m])"])(
  "%s gives what was read though values are overwritten",
  async (query) => {
    const lent = queryable(Array.from({ length: 100 }, (_, i) => slice(i, [9, 5, 1], [i, i, i])));
    const overwriting: Queryable = {
      ...lent,
      async *select(request, signal) {
        for await (const group of lent.select(request, signal)) {
          yield group;
          for (const { values } of group) values.fill(Number.NaN);
        }
      },
    };
    const { value } = await range(overwriting, query, 1e6);
    const series = value.type === "matrix" ? value.series : [];
    expect(series.map(({ values }) => values.at(-1))).toEqual(Array.from({ length: 100 }, (_, i) => i));
  },
);

test.each([
  ["enough samples in the window", [3, 2, 1], [1, 2, 3], 2, true],
  ["one too few", [3], [1], 2, false],
  ["the first of them too old", [6, 1], [1, 2], 2, false],
  ["the first of them on the open end of the window", [5, 1], [1, 2], 2, false],
  ["one that may be stale", [2, 1], [1, Number.NaN], 1, false],
])("%s", (_, minutesAgo, values, count, want) => {
  expect(seesFloatsAtLastStep(slice(0, minutesAgo, values), END_MS, 300_000, count)).toBe(want);
});

test.each([
  ["few samples for many steps", [9, 5.5, 1]],
  ["a sample on a step, and one between two", [9, 8.0001, 0]],
  ["one before the first step", [18, 3]],
])("%s are seen as looking at each step would see them", async (_, minutesAgo) => {
  const one = slice(0, minutesAgo, [1, 2, 3]);
  const { value } = await range(queryable([one]), "big", 1e6);
  const times = [...one.timesMs];
  const want = Array.from({ length: STEPS }, (_, step) => END_MS - (STEPS - 1 - step) * 1_000).flatMap((stepMs) => {
    const seen = times.findLastIndex((timeMs) => timeMs <= stepMs && timeMs > stepMs - DEFAULT_PROM_LIMITS.lookback_ms);
    return seen < 0 ? [] : [[stepMs, one.values[seen]]];
  });
  const [series] = value.type === "matrix" ? value.series : [];
  expect(Array.from(series?.timesMs ?? [], (timeMs, i) => [timeMs, series?.values[i]])).toEqual(want);
});
