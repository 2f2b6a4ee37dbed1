import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { workedMs } from "@sightline/model/testing/worked-ms.ts";
import { metricBatchOf } from "@sightline/storage-conformance/metric-batch-of.ts";
import { ReferenceMetricStore } from "@sightline/storage-conformance/reference-metric-store.ts";
import fastify, { type FastifyInstance } from "fastify";
import { beforeAll, describe, expect, test } from "vitest";
import { queryConfig } from "../config.ts";
import { TEST_DEPS } from "../http/test-app.ts";
import { registerSearchApi } from "./routes.ts";
import { scoreJaroWinkler } from "./score-jaro-winkler.ts";
import { scoreSubsequence } from "./score-subsequence.ts";

const NOW_MS = 1_700_000_000_000;
let app: FastifyInstance;
beforeAll(async () => {
  const store = new ReferenceMetricStore();
  const names = ["go_goroutines", "go_gc_duration_seconds", "http_requests_total", "process_cpu_seconds_total", "up"];
  const rows = names.map((__name__) => ({ labels: { __name__, job: "Api" }, samples: [[NOW_MS, 1] as const] }));
  const old = { labels: { __name__: "old_metric" }, samples: [[NOW_MS - 7_200_000, 1] as const] };
  const metadata = [{ metric: "up", type: "gauge" as const, unit: "", help: "Is it up?" }];
  await store.append(DEFAULT_TENANT, metricBatchOf([...rows, old], { metadata }), 0);
  app = fastify();
  const config = queryConfig.parse({ search: { max_limit: 500 } });
  registerSearchApi(app, { ...TEST_DEPS, config, store, nowMs: () => NOW_MS });
});

async function ask(url: string) {
  const answer = await app.inject(`/api/v1/search/${url}`);
  const lines = answer.body.trimEnd().split("\n");
  return { status: answer.statusCode, lines: lines.map((line) => JSON.parse(line)) };
}
const names = (lines: { results?: { name: string }[] }[]) =>
  lines.flatMap(({ results = [] }) => results.map(({ name }) => name));

describe("metric names", () => {
  test("of the last hour, sorted, in one batch and a trailer", async () => {
    const { lines } = await ask("metric_names");
    expect(names(lines)).toEqual([
      "go_gc_duration_seconds",
      "go_goroutines",
      "http_requests_total",
      "process_cpu_seconds_total",
      "up",
    ]);
    expect(lines.at(-1)).toEqual({ status: "success", has_more: false });
  });

  test.each([
    ["search[]=go_", ["go_gc_duration_seconds", "go_goroutines"]],
    ["search[]=gog", ["go_gc_duration_seconds", "go_goroutines"]],
    ["search[]=UP", []],
    ["search[]=UP&case_sensitive=false", ["up"]],
    ["search[]=up&search[]=http", ["http_requests_total", "up"]],
    ["search[]=seconds&fuzz_alg=jarowinkler", ["go_gc_duration_seconds", "process_cpu_seconds_total"]],
    ["search[]=go_gorutines&fuzz_alg=jarowinkler&fuzz_threshold=90", ["go_goroutines"]],
    ["search[]=total&sort_by=alpha&sort_dir=dsc", ["process_cpu_seconds_total", "http_requests_total"]],
    ["match[]=up&match[]=http_requests_total", ["http_requests_total", "up"]],
    ["start=1699992800&end=1699996400&search[]=old", ["old_metric"]],
    [
      "search[]=",
      ["go_gc_duration_seconds", "go_goroutines", "http_requests_total", "process_cpu_seconds_total", "up"],
    ],
  ])("%s", async (parameters, want) => {
    const { lines } = await ask(`metric_names?${parameters}`);
    expect(names(lines).filter((name) => (parameters.startsWith("start") ? name.startsWith("old") : true))).toEqual(
      want,
    );
  });

  test("by score, best first", async () => {
    const { lines } = await ask("metric_names?search[]=go_g&search[]=goroutines&sort_by=score&include_score=true");
    expect(names(lines)).toEqual(["go_gc_duration_seconds", "go_goroutines"]);
    expect(lines[0].results[0].score).toBe(1);
  });

  test("with what is known of them", async () => {
    const { lines } = await ask("metric_names?search[]=up&include_metadata=true");
    expect(lines[0]).toEqual({ results: [{ name: "up", type: "gauge", help: "Is it up?" }] });
  });

  test("batches and a limit, and that there is more", async () => {
    const { lines } = await ask("metric_names?limit=3&batch_size=2");
    expect(lines.map(({ results }) => results?.length)).toEqual([2, 1, undefined]);
    expect(lines[2]).toEqual({ status: "success", has_more: true });
  });
});

test("label names and values", async () => {
  expect((await ask("label_names?search[]=jo")).lines[0]).toEqual({ results: [{ name: "job" }] });
  expect((await ask("label_values?label=job&search[]=a&case_sensitive=0")).lines[0]).toEqual({
    results: [{ value: "Api" }],
  });
  expect((await ask("label_values?label=none")).lines).toEqual([
    { results: [] },
    { status: "success", has_more: false },
  ]);
});

test.each([
  ["metric_names?start=x", `invalid time value for 'start': cannot parse "x" to a valid timestamp`],
  ["metric_names?start=2&end=1", "end timestamp must not be before start timestamp"],
  ["metric_names?match[]={}", "match[] must contain at least one non-empty matcher"],
  [`metric_names?${"search[]=a&".repeat(33)}`, "too many search[] terms: got 33, maximum is 32"],
  ["metric_names?fuzz_threshold=101", 'invalid fuzz_threshold "101": must be 0-100'],
  ["metric_names?fuzz_alg=x", 'unsupported fuzz_alg "x": must be one of [subsequence jarowinkler]'],
  ["metric_names?case_sensitive=x", 'invalid case_sensitive "x": must be boolean'],
  ["metric_names?include_metadata=x", 'invalid include_metadata "x": must be boolean'],
  ["metric_names?sort_dir=asc", "sort_dir is only valid when sort_by is set"],
  ["metric_names?sort_dir=asc&sort_by=score", "sort_dir is not supported for sort_by=score"],
  ["metric_names?sort_dir=x&sort_by=alpha", 'invalid sort_dir "x": must be "asc" or "dsc"'],
  ["metric_names?sort_by=score", "sort_by=score requires search[] to be set"],
  ["label_names?sort_by=x", 'invalid sort_by "x" for label_names: must be "alpha" or "score"'],
  ["metric_names?limit=0", 'invalid limit "0": must be a positive integer'],
  ["metric_names?limit=501", "limit 501 exceeds the configured maximum (500, see query.search.max_limit)"],
  ["metric_names?batch_size=-1", 'invalid batch_size "-1": must be a positive integer'],
  ["label_values", 'missing required parameter "label"'],
])("%s is refused in Prometheus' words", async (url, error) => {
  expect(await ask(url)).toEqual({ status: 400, lines: [{ status: "error", errorType: "bad_data", error }] });
});

// Read from a Prometheus 3.14, which searched for "le".
test.each([
  ["le", "dialer_name", 0.8627727272727274],
  ["le", "handler", 0.8384464285714286],
  ["le", "listener_name", 0.36501923076923076],
  ["le", "quantile", 0.8116875],
  ["le", "slice", 0.34964999999999996],
  ["le", "le", 1],
  ["le", "el", 0],
  ["", "x", 1],
])("%s in %s scores %d", (pattern, text, want) => expect(scoreSubsequence(pattern, text)).toBe(want));

test.each([
  ["MARTHA", "MARHTA", 0.9611],
  ["DIXON", "DICKSONX", 0.8133],
  ["a", "b", 0],
  ["ä", "ä", 1],
])("%s and %s are similar by %d", (a, b, want) => expect(scoreJaroWinkler(a, b)).toBeCloseTo(want, 4));

test("a long text of one letter is scored in no time", () => {
  const startMs = workedMs();
  expect(scoreSubsequence("ab", `${"a".repeat(60_000)}b`)).toBeGreaterThan(0);
  expect(workedMs() - startMs).toBeLessThan(2_000);
});
