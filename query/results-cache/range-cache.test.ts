import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EMPTY_BUCKETS, type NativeHistogram } from "@sightline/model/histogram.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import type { SeriesInfo } from "@sightline/model/metric-batch.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { metricBatchOf, type SeriesRows } from "@sightline/storage-conformance/metric-batch-of.ts";
import { embeddedMetricsConfig } from "@sightline/storage-embedded/config.ts";
import { EmbeddedMetricStore } from "@sightline/storage-embedded/metrics/embedded-metric-store.ts";
import fc from "fast-check";
import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import type { ResultsCacheConfig } from "../config.ts";
import { DEFAULT_PROM_LIMITS } from "../promql/config.ts";
import { PromEngine } from "../promql/engine.ts";
import { SIGNATURES } from "../promql/parse/signatures.ts";
import type { MatrixSeries, QueryResult } from "../promql/result.ts";
import { MemoryResultsCache } from "./memory-results-cache.ts";
import { RangeCache } from "./range-cache.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const T0 = 1_700_000_000_000 - (1_700_000_000_000 % HOUR);
const NOW_MS = T0 + 100 * HOUR;
const NEVER = new AbortController().signal;
const CONFIG = { enabled: true, max_bytes: 1 << 26, recent_ms: 0, min_evaluation_ms: 0 };

class World {
  readonly store: EmbeddedMetricStore;
  readonly engine: PromEngine;
  readonly #dir: string;
  #position = 1;

  private constructor(store: EmbeddedMetricStore, dir: string, config: ResultsCacheConfig) {
    this.store = store;
    this.#dir = dir;
    const cache = new MemoryResultsCache({ maxBytes: config.max_bytes });
    const rangeCache = new RangeCache({ cache, changes: store.changes, config, nowMs: () => NOW_MS });
    this.engine = new PromEngine({ queryable: store, limits: DEFAULT_PROM_LIMITS, rangeCache });
  }

  static async make(cacheConfig: Partial<ResultsCacheConfig> = {}): Promise<World> {
    const dir = await mkdtemp(join(tmpdir(), "sightline-range-cache-"));
    const config = embeddedMetricsConfig.parse({ retention: "100y", out_of_bounds_future: "100y" });
    const store = new EmbeddedMetricStore({ dir, config, logger: SILENT_LOGGER, registry: new Registry() });
    await store.start();
    return new World(store, dir, { ...CONFIG, ...cacheConfig });
  }

  async dispose(): Promise<void> {
    await this.store.stop();
    await rm(this.#dir, { recursive: true });
  }

  write(rows: readonly SeriesRows[]) {
    return this.store.append(DEFAULT_TENANT, metricBatchOf(rows), this.#position++);
  }

  delete(pod: string, startMs: number, lengthMs: number): Promise<void> {
    const matchers = [{ name: "pod", op: "=", value: pod }] as const;
    const range = { startMs, endMs: startMs + lengthMs };
    return this.store.administration.deleteSamples({ tenant: DEFAULT_TENANT, matchers, range });
  }

  uncached(text: string, range: Range): Promise<QueryResult> {
    return this.engine.range(text, { tenant: DEFAULT_TENANT, signal: NEVER, noCache: true, ...range });
  }

  cached(text: string, range: Range): Promise<QueryResult> {
    return this.engine.range(text, { tenant: DEFAULT_TENANT, signal: NEVER, ...range });
  }
}
type Range = { readonly startMs: number; readonly endMs: number; readonly stepMs: number };

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

const histogram = (count: number): NativeHistogram => ({
  schema: 0,
  zeroThreshold: 0.001,
  zeroCount: 0,
  count,
  sum: count * 1.1,
  positiveSpans: [{ offset: 0, length: 2 }],
  positiveBuckets: Float64Array.of(Math.floor(count / 2), Math.ceil(count / 2)),
  negativeSpans: [],
  negativeBuckets: EMPTY_BUCKETS,
  customValues: EMPTY_BUCKETS,
  counterResetHint: 0,
});
const DELTA: SeriesInfo = { type: "counter", unit: "", temporality: "delta", otelName: "c" };

/** An hour of a few series, with holes, resets and ends. Values come from a fixed rule, so that failures can be shown again. */
function worldRows(fromMs: number, toMs: number, seed: number): SeriesRows[] {
  const noise = (i: number) => Math.abs(Math.sin(seed * 12.9898 + i * 78.233) * 43758.5453) % 1;
  const rows: SeriesRows[] = [];
  for (const [p, job] of ["a", "a", "b", "b"].entries()) {
    const labels = { job, pod: `p${p}` };
    const times: number[] = [];
    for (let timeMs = fromMs; timeMs < toMs; timeMs += 15 * SECOND) {
      const i = (timeMs - T0) / SECOND;
      if (noise(p * 1_000 + Math.floor(i / 240)) > 0.2) times.push(timeMs + Math.floor(noise(i + p) * 900));
    }
    const counter = (timeMs: number) => Math.floor(((timeMs - T0) % (17 * MINUTE)) / 100) / 10 + p;
    rows.push(
      { labels: { __name__: "c_total", ...labels }, samples: times.map((time) => [time, counter(time)] as const) },
      {
        labels: { __name__: "g", ...labels },
        samples: times.map((time) => [time, noise(time) > 0.97 ? "STALE" : noise(time) * 10] as const),
      },
      {
        labels: { __name__: "h", ...labels },
        samples: times.map((time) => [time, histogram(Math.floor(counter(time)))] as const),
      },
    );
    for (const le of ["1", "+Inf"]) {
      rows.push({
        labels: { __name__: "cb_bucket", ...labels, le },
        samples: times.map((time) => [time, counter(time) * (le === "1" ? 1 : 2)] as const),
      });
    }
  }
  rows.push({
    labels: { __name__: "c_total", job: "d" },
    info: DELTA,
    samples: rows[0]?.samples.map(([time]) => [time, 2, time - 15_000] as const) ?? [],
  });
  return rows;
}

/** Random well-typed queries over the metrics `c_total`, `g`, `h` and `cb_bucket`, as text. */
function randomQuery(depth = 3): fc.Arbitrary<string> {
  return vector(depth);
}

const DURATIONS = ["15s", "1m", "2m30s", "5m"];
const duration = fc.constantFrom(...DURATIONS);
const offset = fc.oneof(
  { weight: 4, arbitrary: fc.constant("") },
  duration.map((text) => ` offset ${text}`),
  duration.map((text) => ` offset -${text}`),
);
const metric = fc.constantFrom("c_total", "g", "h", "cb_bucket", '{__name__=~"c_total|g"}', "none");
const matcher = fc.constantFrom("", '{job="a"}', '{job!="a"}', '{pod=~"p[0-2]"}', '{pod=""}');
const selector = fc
  .tuple(metric, matcher)
  .map(([name, braces]) =>
    name.startsWith("{") && braces !== "" ? `${name.slice(0, -1)},${braces.slice(1)}` : name + braces,
  );
const scalar = fc.oneof(
  fc.constantFrom("0", "1", "2", "-1", "0.5", "0.9", "3", "NaN", "time()", "pi()"),
  fc.constant('scalar(g{pod="p0"})'),
);
const label = fc.constantFrom("job", "pod", "le", "__name__");
const AGGREGATORS = ["sum", "avg", "count", "min", "max", "group", "stddev", "stdvar"];
const WITH_PARAMETER = ["topk", "bottomk", "quantile", "limitk", "limit_ratio"];
const OPERATORS = [
  "+",
  "-",
  "*",
  "/",
  "%",
  "^",
  "atan2",
  "==",
  "!=",
  ">",
  "<",
  ">=",
  "<=",
  "> bool ",
  "and",
  "or",
  "unless",
];
/** Called in ways of their own below. */
const SPECIAL = new Set([
  "label_replace",
  "label_join",
  "sort_by_label",
  "sort_by_label_desc",
  "histogram_quantiles",
  "info",
]);
const CALLS = [...SIGNATURES.values()].filter(({ name, returns }) => returns === "vector" && !SPECIAL.has(name));

function vector(depth: number): fc.Arbitrary<string> {
  const instant = fc
    .tuple(selector, fc.constantFrom("", "", "", " smoothed", " anchored"), offset)
    .map((parts) => parts.join(""));
  if (depth <= 0) return instant;
  const inner = vector(depth - 1);
  return fc.oneof(
    { weight: 1, arbitrary: instant },
    { weight: 5, arbitrary: call(depth) },
    { weight: 3, arbitrary: aggregate(inner) },
    { weight: 2, arbitrary: binary(inner) },
    { weight: 1, arbitrary: inner.map((text) => `label_replace(${text}, "job", "$1", "pod", "(.*)")`) },
    { weight: 1, arbitrary: inner.map((text) => `sort_by_label(${text}, "pod")`) },
    { weight: 1, arbitrary: inner.map((text) => `-(${text})`) },
    { weight: 1, arbitrary: scalar.map((text) => `vector(${text})`) },
  );
}

function call(depth: number): fc.Arbitrary<string> {
  return fc.constantFrom(...CALLS).chain(({ name, argTypes, variadic }) => {
    const required = variadic === 0 ? argTypes : argTypes.slice(0, argTypes.length - 1);
    const args = required.map((type) => {
      if (type === "matrix") return matrix(depth - 1);
      return type === "scalar" ? scalar : vector(depth - 1);
    });
    return fc.tuple(...args).map((texts) => `${name}(${texts.join(", ")})`);
  });
}

function matrix(depth: number): fc.Arbitrary<string> {
  const range = fc
    .tuple(selector, duration, fc.constantFrom("", "", "", "", " smoothed", " anchored"), offset)
    .map(([text, length, extend, shift]) => `${text}[${length}]${extend}${shift}`);
  if (depth <= 0) return range;
  const subquery = fc
    .tuple(vector(depth - 1), duration, fc.constantFrom("15s", "40s", "1m"), offset)
    .map(([text, length, step, shift]) => `(${text})[${length}:${step}]${shift}`);
  return fc.oneof({ weight: 3, arbitrary: range }, { weight: 1, arbitrary: subquery });
}

function aggregate(inner: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const grouping = fc.oneof(
    fc.constant(""),
    fc.uniqueArray(label, { maxLength: 2 }).map((labels) => ` by (${labels.join(",")})`),
    fc.uniqueArray(label, { maxLength: 2 }).map((labels) => ` without (${labels.join(",")})`),
  );
  return fc.oneof(
    fc.tuple(fc.constantFrom(...AGGREGATORS), grouping, inner).map(([op, by, text]) => `${op}${by} (${text})`),
    fc
      .tuple(fc.constantFrom(...WITH_PARAMETER), grouping, scalar, inner)
      .map(([op, by, k, text]) => `${op}${by} (${k}, ${text})`),
    fc.tuple(grouping, inner).map(([by, text]) => `count_values${by} ("value", ${text})`),
  );
}

function binary(inner: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const withScalar = fc.tuple(inner, fc.constantFrom(...OPERATORS.slice(0, 14)), scalar);
  const matching = fc.constantFrom("", "", " on (job, pod)", " ignoring (le)", " on (job)");
  return fc.oneof(
    withScalar.map(([left, op, right]) => `(${left}) ${op} ${right}`),
    fc
      .tuple(inner, fc.constantFrom(...OPERATORS), matching, inner)
      .map(([left, op, on, right]) => `(${left}) ${op}${on} (${right})`),
  );
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

const RUNS = Number(process.env.RANGE_CACHE_RUNS ?? 40);

/** Returns how many steps of answers came from the cache. */
async function play(world: World, queries: readonly string[], steps: readonly Step[]): Promise<number> {
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

async function expectTheSame(world: World, text: string, range: Range): Promise<number> {
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
        const world = await World.make();
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
  const cachedSteps = async (world: World, text: string) => (await world.cached(text, range)).stats.cachedSteps;

  test.each<[string, number, Partial<ResultsCacheConfig>]>([
    ["all steps of a query that is asked again", 21, {}],
    ["no steps that samples may still come for", 12, { recent_ms: 10 * MINUTE }],
    ["no results that were quick to evaluate", 0, { min_evaluation_ms: 60_000 }],
    ["no results that would fill the cache", 0, { max_bytes: 1_000 }],
  ])("%s: %d of 21", async (_, steps, config) => {
    const world = await World.make(config);
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
    const world = await World.make();
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
