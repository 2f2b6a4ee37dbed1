import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { rounds } from "@sightline/model/testing/rounds.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ResultsCacheConfig } from "../config.ts";
import type { MatrixSeries, QueryResult } from "../promql/result.ts";
import { CacheWorld, HOUR, MINUTE, NOW_MS, type Range, SECOND, T0 } from "./testing/cache-world.ts";
import { randomQuery } from "./testing/random-query.ts";
import { worldRows } from "./testing/world-rows.ts";

/** Doubles as texts that differ when any bit does, but for NaNs: their bits vary with how the processor made them. */
function plain(series: readonly MatrixSeries[]) {
  const bits = (array: Float64Array) => [...array].map((value) => (Object.is(value, -0) ? "-0" : String(value)));
  return series.map(({ labels, timesMs, values, histograms }) => ({
    labels,
    timesMs: [...timesMs],
    values: bits(values),
    histograms:
      (histograms?.values.length ?? 0) === 0
        ? []
        : histograms?.values.map((value, i) => [histograms.timesMs[i], value]),
  }));
}

type Step =
  | { readonly kind: "query"; readonly query: number; readonly range: Range }
  | { readonly kind: "late"; readonly atMs: number; readonly seed: number }
  | { readonly kind: "new"; readonly seed: number }
  | { readonly kind: "delete"; readonly atMs: number; readonly lengthMs: number; readonly pod: number }
  | { readonly kind: "purge" }
  | { readonly kind: "flush" };

const range = fc
  .record({
    from: fc.nat(50),
    length: fc.integer({ min: 1, max: 50 }),
    step: fc.constantFrom(15, 60, 77),
    shift: fc.constantFrom(0, 0, 0, 5),
  })
  .map(({ from, length, step, shift }) => ({
    startMs: T0 + from * step * SECOND + shift * SECOND,
    endMs: T0 + (from + length) * step * SECOND + shift * SECOND,
    stepMs: step * SECOND,
  }));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("query" as const), query: fc.nat(2), range }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("late" as const), atMs: fc.nat(HOUR), seed: fc.nat(1_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("new" as const), seed: fc.nat(1_000) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("delete" as const),
      atMs: fc.nat(HOUR),
      lengthMs: fc.nat(10 * MINUTE),
      pod: fc.nat(4),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom({ kind: "flush" as const }, { kind: "purge" as const }) },
);

const RUNS = rounds(40);

/** Returns how many steps of answers came from the cache. */
async function play(world: CacheWorld, queries: readonly string[], steps: readonly Step[]): Promise<number> {
  let fromCache = 0;
  let writtenToMs = T0 + 30 * MINUTE;
  await world.write(worldRows(T0, writtenToMs, 1));
  for (const step of steps) {
    if (step.kind === "flush") await world.store.flush();
    else if (step.kind === "purge") await world.store.administration.purgeDeleted(DEFAULT_TENANT);
    else if (step.kind === "delete") await world.delete(`p${step.pod}`, T0 + step.atMs, step.lengthMs);
    else if (step.kind === "new") {
      await world.write(worldRows(writtenToMs, writtenToMs + 5 * MINUTE, step.seed));
      writtenToMs += 5 * MINUTE;
    } else if (step.kind === "late") {
      const atMs = T0 + step.atMs + 7;
      await world.write(worldRows(atMs, atMs + 20 * SECOND, step.seed).slice(step.seed % 5, (step.seed % 5) + 3));
    } else fromCache += await expectTheSame(world, queries[step.query] as string, step.range);
  }
  return fromCache;
}

async function expectTheSame(world: CacheWorld, text: string, range: Range): Promise<number> {
  const [want, got] = await Promise.allSettled([world.uncached(text, range), world.cached(text, range)]);
  const told = (outcome: PromiseSettledResult<QueryResult>) => {
    if (outcome.status === "rejected") return { text, error: (outcome.reason as Error).message };
    const { value, warnings, infos } = outcome.value;
    return { text, warnings, infos, series: value.type === "matrix" && plain(value.series) };
  };
  expect(told(got)).toEqual(told(want));
  return got.status === "fulfilled" ? (got.value.stats.cachedSteps ?? 0) : 0;
}

test("an answer from the cache is the one of evaluating everything, to the bit, whatever is written or deleted in between", async () => {
  let fromCache = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(randomQuery(), { minLength: 3, maxLength: 3 }),
      fc.array(step, { minLength: 6, maxLength: 14 }),
      async (queries, steps) => {
        const world = await CacheWorld.make();
        try {
          fromCache += await play(world, queries, steps);
        } finally {
          await world.dispose();
        }
      },
    ),
    { numRuns: RUNS },
  );
  expect(fromCache).toBeGreaterThan(RUNS);
}, 600_000);

describe("what is kept", () => {
  const NEWEST_MS = NOW_MS - MINUTE;
  const range = { startMs: NEWEST_MS - 20 * MINUTE, endMs: NEWEST_MS, stepMs: MINUTE };
  const cachedSteps = async (world: CacheWorld, text: string) => (await world.cached(text, range)).stats.cachedSteps;

  test.each<[string, number, Partial<ResultsCacheConfig>]>([
    ["all steps of a query that is asked again", 21, {}],
    ["no steps that samples may still come for", 12, { recent_ms: 10 * MINUTE }],
    ["no results that would fill the cache", 0, { max_bytes: 1_000 }],
  ])("%s: %d of 21", async (_, steps, config) => {
    const world = await CacheWorld.make(config);
    try {
      await world.write(worldRows(NEWEST_MS - 30 * MINUTE, NEWEST_MS, 1));
      expect(await cachedSteps(world, "sum by (job) (rate(c_total[5m]))")).toBe(0);
      expect(await cachedSteps(world, "sum by (job) (rate(c_total[5m]))")).toBe(steps);
      expect(await cachedSteps(world, "sum by (job) (rate(c_total [300s]))")).toBe(steps);
      expect(await cachedSteps(world, "sum by (pod) (rate(c_total[5m]))")).toBe(0);
    } finally {
      await world.dispose();
    }
  });

  test.each([
    ["a moment of its own", "g @ 1699999200"],
    ["the range of the query", "g offset step()"],
    ["series chosen over the whole range", "limitk(1, g)"],
    ["a remark about the whole query", "rate(g[5m])"],
  ])("nothing that depends on %s: %s", async (_, text) => {
    const world = await CacheWorld.make();
    try {
      await world.write(worldRows(NEWEST_MS - 30 * MINUTE, NEWEST_MS, 1));
      await world.cached(text, range);
      expect(await cachedSteps(world, text)).toBe(0);
      await expectTheSame(world, text, range);
    } finally {
      await world.dispose();
    }
  });
});
