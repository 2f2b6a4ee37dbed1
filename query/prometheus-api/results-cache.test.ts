import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { MemoryResultsCache } from "../results-cache/memory-results-cache.ts";
import { RangeCache } from "../results-cache/range-cache.ts";
import { NOW_MS, prometheusApp } from "./prometheus-test-app.ts";

/** Nothing is written after the start of these tests. */
const NO_CHANGES = { version: () => 1, since: () => ({ version: 1, ranges: [] }) };
const QUERY = { query: "sum(requests)", start: String(NOW_MS / 1_000 - 90), end: String(NOW_MS / 1_000), step: "30" };

async function appWithCache() {
  const registry = new Registry();
  const config = { enabled: true, max_bytes: 1_000_000, recent_ms: 0 };
  const cache = new MemoryResultsCache({ maxBytes: config.max_bytes, registry });
  const rangeCache = new RangeCache({ cache, changes: NO_CHANGES, config, registry, nowMs: () => NOW_MS });
  const samples = [0, 1, 2, 3].map((i) => [NOW_MS - i * 30_000, i] as const);
  const app = await prometheusApp([{ labels: { __name__: "requests" }, samples }], { rangeCache });
  const ask = async (parameters: Record<string, string> = {}, headers: Record<string, string> = {}) => {
    const url = `/api/v1/query_range?${new URLSearchParams({ ...QUERY, ...parameters })}`;
    return (await app.inject({ url, headers })).json().data.result;
  };
  const asked = async () => {
    const { values } = (await registry.getSingleMetric("sightline_results_cache_queries_total")?.get()) ?? {
      values: [],
    };
    return Object.fromEntries(values.map(({ labels, value }) => [labels.result, value]));
  };
  return { ask, asked };
}

test("a range query that is asked again is answered from the cache, and one that reaches further in part", async () => {
  const { ask, asked } = await appWithCache();
  const start = String(NOW_MS / 1_000 - 60);
  const first = await ask({ start });
  expect(await ask({ start })).toEqual(first);
  expect(await ask()).toEqual([{ metric: {}, values: [3, 2, 1, 0].map((i) => [NOW_MS / 1_000 - i * 30, String(i)]) }]);
  expect(await asked()).toEqual({ miss: 1, hit: 1, partial: 1 });
});

test.each<[string, Record<string, string>, Record<string, string>]>([
  ["nocache=1", { nocache: "1" }, {}],
  ["stats", { stats: "all" }, {}],
  ["Cache-Control: no-store", {}, { "cache-control": "no-store" }],
  ["Cache-Control: no-cache among others", {}, { "cache-control": "max-age=0, No-Cache" }],
])("%s asks for evaluating everything anew", async (_, parameters, headers) => {
  const { ask, asked } = await appWithCache();
  const first = await ask();
  expect(await ask(parameters, headers)).toEqual(first);
  expect(await asked()).toEqual({ miss: 1 });
});
