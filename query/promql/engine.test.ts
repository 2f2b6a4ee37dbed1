import { CancelledError, InvalidInputError, LimitError, ParseError, TimeoutError } from "@sightline/model/errors.ts";
import type { Label } from "@sightline/model/labels.ts";
import { tenantId } from "@sightline/model/tenant.ts";
import { workedMs } from "@sightline/model/testing/worked-ms.ts";
import { metricBatchOf } from "@sightline/storage-conformance/metric-batch-of.ts";
import { ReferenceMetricStore } from "@sightline/storage-conformance/reference-metric-store.ts";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { nextTurn } from "../http/next-turn.ts";
import { QueryMemory } from "../http/query-memory.ts";
import { DEFAULT_PROM_LIMITS, type PromLimits } from "./config.ts";
import { PromEngine } from "./engine.ts";
import { EvaluationError } from "./evaluation-error.ts";

const tenant = tenantId("a");
const { signal } = new AbortController();

async function engineWith(
  series: number,
  limits: Partial<PromLimits> = {},
  registry?: Registry,
  memory?: QueryMemory,
): Promise<PromEngine> {
  const store = new ReferenceMetricStore();
  const rows = Array.from({ length: series }, (_, i) => ({
    labels: [
      ["__name__", "x"],
      ["i", String(i)],
    ] as Label[],
    samples: [0, 15_000, 30_000, 45_000, 60_000].map((timeMs) => [timeMs, i + timeMs] as const),
  }));
  await store.append(tenant, metricBatchOf(rows), 1);
  return new PromEngine({
    queryable: store,
    limits: { ...DEFAULT_PROM_LIMITS, ...limits },
    ...(registry && { registry }),
    memory,
  });
}

test("an instant query gives a vector at its time", async () => {
  const engine = await engineWith(2);
  const { value, stats } = await engine.instant("x + 1", { tenant, timeMs: 60_000, signal });
  expect(value).toEqual({
    type: "vector",
    samples: [
      { labels: [["i", "0"]], timeMs: 60_000, value: 60_001 },
      { labels: [["i", "1"]], timeMs: 60_000, value: 60_002 },
    ],
  });
  expect(stats.samplesTotal).toBe(2);
});

test("an instant query of a range selector gives its samples, the start of the range excluded", async () => {
  const engine = await engineWith(1);
  const { value } = await engine.instant("x[30s]", { tenant, timeMs: 60_000, signal });
  expect(value).toMatchObject({ type: "matrix", series: [{ timesMs: Float64Array.of(45_000, 60_000) }] });
});

test("scalars and strings come as what they are", async () => {
  const engine = await engineWith(0);
  expect((await engine.instant("1 + 1", { tenant, timeMs: 5, signal })).value).toEqual({
    type: "scalar",
    timeMs: 5,
    value: 2,
  });
  expect((await engine.instant("'a'", { tenant, timeMs: 5, signal })).value).toEqual({
    type: "string",
    timeMs: 5,
    value: "a",
  });
});

test("another tenant sees nothing", async () => {
  const engine = await engineWith(2);
  const { value } = await engine.instant("x", { tenant: tenantId("b"), timeMs: 60_000, signal });
  expect(value).toEqual({ type: "vector", samples: [] });
});

test("the lookback can be set per query", async () => {
  const engine = await engineWith(1);
  const at = (lookbackMs: number) => engine.instant("count(x)", { tenant, timeMs: 70_000, lookbackMs, signal });
  expect((await at(10_000)).value).toMatchObject({ samples: [] });
  expect((await at(10_001)).value).toMatchObject({ samples: [{ value: 1 }] });
});

test("a result is cut to the limit, with a warning", async () => {
  const engine = await engineWith(5);
  const { value, warnings } = await engine.instant("x", { tenant, timeMs: 60_000, limit: 2, signal });
  expect(value.type === "vector" && value.samples.length).toBe(2);
  expect(warnings).toEqual(["results truncated due to limit"]);
});

test("too many samples are an error that names the setting", async () => {
  const engine = await engineWith(20, { max_samples: 30 });
  await expect(engine.instant("x", { tenant, timeMs: 60_000, signal })).resolves.toBeDefined();
  const query = engine.instant("x + x", { tenant, timeMs: 60_000, signal });
  await expect(query).rejects.toThrow(LimitError);
  await expect(query).rejects.toThrow("query.max_samples");
});

test.each([
  // Both sides and the result.
  ["x + x", 60],
  ["x * 2", 41],
  ["abs(x)", 40],
  // What led to the operands is gone.
  [`${"abs(".repeat(30)}x${")".repeat(30)}`, 40],
  ["x + x + x + x + x + x", 60],
])("%s takes %d samples at most, and so many are needed", async (text, samples) => {
  const query = { tenant, timeMs: 60_000, signal };
  const { stats } = await (await engineWith(20, { max_samples: samples })).instant(text, query);
  expect(stats.samplesPeak).toBe(samples);
  const tight = await engineWith(20, { max_samples: samples - 1 });
  await expect(tight.instant(text, query)).rejects.toThrow("query.max_samples");
});

test.each(["sum(x)", "max by (nothing) (rate(x[1m]))", "topk(2, x)", "avg without (i) (last_over_time(x[1m]))"])(
  "%s holds one series at a time",
  async (text) => {
    const engine = await engineWith(200, { max_samples: 100 });
    const range = { tenant, startMs: 15_000, endMs: 60_000, stepMs: 5_000, signal };
    const { value } = await engine.range(text, range);
    expect(value.type === "matrix" && value.series.length).toBeGreaterThan(0);
    await expect(engine.range("x", range)).rejects.toThrow("query.max_samples");
  },
);

test("a text that is too long is an error that names the setting", async () => {
  const engine = await engineWith(0, { max_query_bytes: 100 });
  await expect(engine.instant("1+".repeat(100), { tenant, timeMs: 0, signal })).rejects.toThrow(
    "query.max_query_bytes",
  );
});

test("a query stops when its client has gone", async () => {
  const engine = await engineWith(3);
  const client = new AbortController();
  client.abort(new Error("gone"));
  const query = engine.instant("x", { tenant, timeMs: 60_000, signal: client.signal });
  await expect(query).rejects.toThrow(CancelledError);
});

test("a query stops at its timeout without holding the event loop", async () => {
  // Room for what it makes, and a thousand million samples to look at.
  const engine = await engineWith(20, { max_subquery_samples: 2_000_000_000 });
  let longest = 0;
  let last = workedMs();
  const timer = setInterval(() => {
    longest = Math.max(longest, workedMs() - last);
    last = workedMs();
  }, 1);
  const text = "max_over_time(sum(x * on(i) x)[1h:10ms])";
  const range = { tenant, startMs: 0, endMs: 3_600_000, stepMs: 1_000, timeoutMs: 100, signal };
  await expect(engine.range(text, range)).rejects.toThrow(TimeoutError);
  clearInterval(timer);
  expect(longest).toBeLessThan(400);
});

test.each([
  ["rate(x)", ParseError],
  ["x + on() x", EvaluationError],
  ["label_replace(x, 'i', 'same', '', '')", EvaluationError],
  ["topk(NaN, x)", EvaluationError],
  ["x[5m - 5m]", InvalidInputError],
])("%s is the client's mistake", async (text, error) => {
  const engine = await engineWith(2);
  await expect(engine.instant(text, { tenant, timeMs: 60_000, signal })).rejects.toThrow(error);
});

test("a range query must be of a scalar or an instant vector", async () => {
  const engine = await engineWith(1);
  const query = engine.range("x[5m]", { tenant, startMs: 0, endMs: 1, stepMs: 1, signal });
  await expect(query).rejects.toThrow(
    'invalid expression type "range vector" for range query, must be Scalar or instant Vector',
  );
});

test("queries are counted by kind and outcome, once they are answered", async () => {
  const registry = new Registry();
  const engine = await engineWith(1, {}, registry);
  await engine.instant("x", { tenant, timeMs: 0, signal });
  await engine.instant("x(", { tenant, timeMs: 0, signal }).catch(() => {});
  await nextTurn();
  const text = await registry.metrics();
  expect(text).toContain('sightline_promql_queries_total{kind="instant",outcome="success"} 1');
  expect(text).toContain('sightline_promql_queries_total{kind="instant",outcome="ParseError"} 1');
});

test.each([
  ["quantile(time() / 60 - 0.5, x)", ["got 2.5", "got -0.5"]],
  ["quantile(2 * (time() / 60) / (time() / 60), x)", ["got NaN"]],
  ["quantile(time() / 180, x)", []],
])("%s warns once for all steps", async (text, wanted) => {
  const engine = await engineWith(2);
  const { warnings } = await engine.range(text, { tenant, startMs: 0, endMs: 180_000, stepMs: 60_000, signal });
  expect(warnings.map((warning) => /got \S+/.exec(warning)?.[0])).toEqual(wanted);
});

test("what a query held is given back when it ends, also by a failure", async () => {
  const memory = new QueryMemory(16 * 100);
  const engine = await engineWith(10, {}, undefined, memory);
  await engine.instant("sum(rate(x[1m]))", { tenant, timeMs: 60_000, signal });
  expect(memory.bytes).toBe(0);
  const little = new QueryMemory(16 * 9);
  const failing = (await engineWith(10, {}, undefined, little)).instant("x", { tenant, timeMs: 60_000, signal });
  await expect(failing).rejects.toThrow(/query\.max_memory/);
  expect(little.bytes).toBe(0);
});
