import { labelsFrom } from "@sightline/model/labels.ts";
import { type MetricMetadata, type SeriesInfo, SeriesKey } from "@sightline/model/metric-batch.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { ReferenceMetricStore } from "@sightline/storage-conformance/reference-metric-store.ts";
import { beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_PROM_LIMITS } from "../config.ts";
import { PromEngine } from "../engine.ts";
import { parseSelector } from "../parse/parse-promql.ts";

const START = Date.UTC(2026, 0, 1);
const NOW = START + 600_000;

type Family = { metadata: MetricMetadata; temporality?: SeriesInfo["temporality"]; series: Record<string, string>[] };

function family(metric: string, type: MetricMetadata["type"], otelName: string | undefined, unit = ""): MetricMetadata {
  return { metric, type, unit, help: "", ...(otelName !== undefined && { otelName }) };
}

const METHOD = { http_request_method: "GET", job: "shop/web", instance: "w-1" };
const UNDERSCORES: readonly Family[] = [
  {
    metadata: family("http_server_request_duration_seconds", "histogram", "http.server.request.duration", "seconds"),
    series: [
      { __name__: "http_server_request_duration_seconds_bucket", le: "1", ...METHOD },
      { __name__: "http_server_request_duration_seconds_bucket", le: "+Inf", ...METHOD },
      { __name__: "http_server_request_duration_seconds_count", ...METHOD },
      { __name__: "http_server_request_duration_seconds_sum", ...METHOD },
    ],
  },
  {
    metadata: family("jobs_done_total", "counter", "jobs.done"),
    temporality: "delta",
    series: [{ __name__: "jobs_done_total", job: "shop/web", instance: "w-1" }],
  },
  {
    metadata: family("queue_size", "gauge", "queue.size"),
    series: [
      { __name__: "queue_size", job: "shop/web", instance: "w-1" },
      { __name__: "queue_size", job: "shop/web", instance: "w-2" },
    ],
  },
  { metadata: family("cache_hits_total", "counter", "cache.hits"), series: [{ __name__: "cache_hits_total" }] },
  { metadata: family("cache_hits_ratio", "gauge", "cache.hits"), series: [{ __name__: "cache_hits_ratio" }] },
  { metadata: family("load_seconds", "gauge", "load", "seconds"), series: [{ __name__: "load_seconds" }] },
  { metadata: family("load", "gauge", undefined), series: [{ __name__: "load" }] },
  {
    metadata: family("target_info", "gauge", undefined),
    series: [
      { __name__: "target_info", job: "shop/web", instance: "w-1", k8s_pod_name: "pod-1", region: "eu" },
      { __name__: "target_info", job: "shop/web", instance: "w-2", k8s_pod_name: "pod-2", region: "eu" },
    ],
  },
];
const DOTTED: readonly Family[] = [
  {
    metadata: family("http.server.active", "gauge", "http.server.active"),
    series: [{ __name__: "http.server.active", "http.request.method": "GET", "a.b_c": "1", "a_b.c": "2" }],
  },
];

/** Every series rises by one every ten seconds. */
async function storeOf(families: readonly Family[]): Promise<ReferenceMetricStore> {
  const store = new ReferenceMetricStore();
  await store.start();
  const series = families.flatMap(({ metadata, temporality = "", series }) =>
    series.map((labels) => {
      const { type, unit, otelName = "" } = metadata;
      return new SeriesKey(labelsFrom(labels), { type, unit, temporality, otelName });
    }),
  );
  const perSeries = 61;
  const length = series.length * perSeries;
  const batch = {
    length,
    series,
    refs: Uint32Array.from({ length }, (_, row) => Math.floor(row / perSeries)),
    timesMs: Float64Array.from({ length }, (_, row) => START + (row % perSeries) * 10_000),
    values: Float64Array.from({ length }, (_, row) => (row % perSeries) + 1),
    histograms: [],
    exemplars: [],
    metadata: families.map(({ metadata }) => metadata),
  };
  await store.append(DEFAULT_TENANT, batch, 1);
  return store;
}

class Asked {
  readonly #engine: PromEngine;
  constructor(store: ReferenceMetricStore) {
    this.#engine = new PromEngine({ queryable: store, limits: DEFAULT_PROM_LIMITS });
  }

  matchers(selector: string) {
    const signal = new AbortController().signal;
    const where = { tenant: DEFAULT_TENANT, range: { startMs: START, endMs: NOW }, signal };
    return this.#engine.storedMatchers(parseSelector(selector), where);
  }

  async ask(query: string): Promise<{ rows: string[]; warnings: readonly string[] }> {
    const signal = new AbortController().signal;
    const result = await this.#engine.instant(query, { tenant: DEFAULT_TENANT, timeMs: NOW, signal });
    if (result.value.type !== "vector") throw new Error(`got a ${result.value.type}`);
    const rows = result.value.samples.map(({ labels, value }) => {
      const texts = labels.map(([name, text]) => `${name}=${text}`).join(" ");
      return `${texts} ${Number(value.toPrecision(6))}`.trim();
    });
    return { rows: rows.sort(), warnings: result.warnings };
  }
}

describe("names with underscores in the store", () => {
  let asked: Asked;
  beforeAll(async () => {
    asked = new Asked(await storeOf(UNDERSCORES));
  });

  test.each([
    ['{"queue.size"}', "queue_size"],
    ['{"queue.size", instance="w-1"}', 'queue_size{instance="w-1"}'],
    ['rate({"jobs.done"}[1m])', "rate(jobs_done_total[1m])"],
    ["rate(jobs_done[1m])", "rate(jobs_done_total[1m])"],
    ["http_server_request_duration_count", "http_server_request_duration_seconds_count"],
    ['{"http.server.request.duration_sum"}', "http_server_request_duration_seconds_sum"],
    ['{"http.server.request.duration.bucket"}', "http_server_request_duration_seconds_bucket"],
    [
      '{"http.server.request.duration_count", "http.request.method"="GET"}',
      "http_server_request_duration_seconds_count",
    ],
    [
      'sum by ("http.request.method") (http_server_request_duration_count)',
      "sum by (http_request_method) (http_server_request_duration_seconds_count)",
    ],
    [
      'histogram_quantile(0.9, sum by (job) (rate({"http.server.request.duration"}[1m])))',
      "histogram_quantile(0.9, sum by (job, le) (rate(http_server_request_duration_seconds_bucket[1m])))",
    ],
    [
      "histogram_count(rate(http_server_request_duration[1m])) * 2",
      "rate(http_server_request_duration_seconds_count[1m]) * 2",
    ],
    ['histogram_sum({"http.server.request.duration"})', "http_server_request_duration_seconds_sum"],
    [
      'label_replace(http_server_request_duration_count, "m", "$1", "http.request.method", "(.*)")',
      'label_replace(http_server_request_duration_seconds_count, "m", "$1", "http_request_method", "(.*)")',
    ],
    [
      'http_server_request_duration_count * on ("http.request.method") http_server_request_duration_sum',
      "http_server_request_duration_seconds_count * on (http_request_method) http_server_request_duration_seconds_sum",
    ],
  ])("%s is %s", async (spelled, stored) => {
    const got = await asked.ask(spelled);
    expect(got.rows.length).toBeGreaterThan(0);
    expect(got).toEqual(await asked.ask(stored));
  });

  test("a label that the query makes itself is not taken for another", async () => {
    const query = 'sum by ("http.request.method") (label_replace(queue_size, "http.request.method", "x", "", ""))';
    expect((await asked.ask(query)).rows).toEqual(["http.request.method=x 122"]);
  });

  test("the original name of a histogram alone says what to write", async () => {
    await expect(asked.ask('{"http.server.request.duration"}')).rejects.toThrow(
      '"http.server.request.duration" is a histogram that is kept as buckets, count and sum: write http_server_request_duration_seconds_bucket, ',
    );
  });

  test("the stored name of a histogram alone is empty, as in Prometheus", async () => {
    expect((await asked.ask("http_server_request_duration_seconds")).rows).toEqual([]);
  });

  test("a spelling of several metrics selects all and says how to tell them apart", async () => {
    const { rows, warnings } = await asked.ask('{"cache.hits"}');
    expect(rows).toEqual(["__name__=cache_hits_ratio 61", "__name__=cache_hits_total 61"]);
    expect(warnings).toEqual([
      'PromQL warning: "cache.hits" stands for "cache_hits_ratio", "cache_hits_total", all of which were selected: write cache_hits_ratio or cache_hits_total to select one (1:1)',
    ]);
  });

  test("match[] finds series by other spellings, too", async () => {
    expect(await asked.matchers('{"http.server.request.duration_count","http.request.method"="GET"}')).toEqual([
      { name: "__name__", op: "=", value: "http_server_request_duration_seconds_count" },
      { name: "http_request_method", op: "=", value: "GET" },
    ]);
  });

  test("a stored name wins over a spelling, and says so", async () => {
    const { rows, warnings } = await asked.ask("load");
    expect(rows).toEqual(["__name__=load 61"]);
    expect(warnings).toEqual([
      'PromQL warning: "load" is the name of a metric and also stands for "load_seconds", not selected: write load_seconds for that (1:1)',
    ]);
  });

  test.each([
    ['queue_size{"resource.k8s.pod.name"="pod-2"}', ["instance=w-2 job=shop/web k8s_pod_name=pod-2 61"]],
    ['queue_size{"resource.k8s.pod.name"!="pod-2"}', ["instance=w-1 job=shop/web 61"]],
    ['sum by ("resource.region") (queue_size)', ["region=eu 122"]],
    ['sum by ("resource.k8s.pod.name") (rate({"jobs.done"}[1m]))', ["k8s_pod_name=pod-1 5.85"]],
    [
      'avg_over_time(queue_size{"resource.k8s.pod.name"=~"pod-1"}[20s])',
      ["instance=w-1 job=shop/web k8s_pod_name=pod-1 60.5"],
    ],
    [
      'queue_size * on (job, instance) group_left ("resource.region") queue_size{instance="w-1"}',
      ["instance=w-1 job=shop/web region=eu 3721"],
    ],
    [
      'queue_size{"resource.service.name"="web", "resource.service.instance.id"=~".*2"}',
      ["instance=w-2 job=shop/web 61"],
    ],
    ['queue_size{"resource.service.namespace"!="shop"}', []],
    [
      'sum by ("resource.service.name", "resource.service.namespace") (queue_size)',
      ["service_name=web service_namespace=shop 122"],
    ],
    ['count by ("resource.service.instance.id") (queue_size)', ["instance=w-1 1", "instance=w-2 1"]],
    ['target_info{"resource.k8s.pod.name"="pod-1"}', ["instance=w-1 job=shop/web k8s_pod_name=pod-1 region=eu 61"]],
    ['max_over_time(sum by ("resource.region") (queue_size)[30s:10s])', ["region=eu 122"]],
  ])("%s uses resource attributes without a join", async (query, rows) => {
    expect((await asked.ask(query)).rows.map((row) => row.replace(/__name__=\S+ /, ""))).toEqual(rows);
  });
});

describe("names with dots in the store", () => {
  let asked: Asked;
  beforeAll(async () => {
    asked = new Asked(await storeOf(DOTTED));
  });

  test.each([
    ["http_server_active", '{"http.server.active"}'],
    ['http_server_active{http_request_method="GET"}', '{"http.server.active"}'],
    ["sum by (http_request_method) (http_server_active)", 'sum by ("http.request.method") ({"http.server.active"})'],
  ])("%s is %s", async (spelled, stored) => {
    const got = await asked.ask(spelled);
    expect(got.rows.length).toBe(1);
    expect(got).toEqual(await asked.ask(stored));
  });

  test("a spelling of several labels takes the first and says so", async () => {
    const { rows, warnings } = await asked.ask("sum by (a_b_c) (http_server_active)");
    expect(rows).toEqual(["a.b_c=1 61"]);
    expect(warnings).toEqual([
      'PromQL warning: label "a_b_c" may be any of "a.b_c", "a_b.c"; taken as "a.b_c": write the one that is meant (1:1)',
    ]);
  });
});
