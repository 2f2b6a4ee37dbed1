import { CUSTOM_BUCKETS_SCHEMA, EMPTY_BUCKETS, type NativeHistogram } from "@sightline/model/histogram.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { sampleHistogram } from "@sightline/storage-conformance/example-histogram.ts";
import { metricBatchOf } from "@sightline/storage-conformance/metric-batch-of.ts";
import { ReferenceMetricStore } from "@sightline/storage-conformance/reference-metric-store.ts";
import fastify, { type FastifyInstance } from "fastify";
import { beforeAll, expect, test } from "vitest";
import { TEST_DEPS } from "../http/test-app.ts";
import { escapeName } from "./escape-name.ts";
import { negotiateFormat } from "./exposition-format.ts";
import { registerFederate } from "./routes.ts";

const NOW_MS = 1_700_000_000_000;
const CUSTOM: NativeHistogram = {
  schema: CUSTOM_BUCKETS_SCHEMA,
  zeroThreshold: 0,
  zeroCount: 0,
  count: 6,
  sum: 3.25,
  positiveSpans: [
    { offset: 0, length: 1 },
    { offset: 1, length: 1 },
  ],
  positiveBuckets: Float64Array.of(2, 4),
  negativeSpans: [],
  negativeBuckets: EMPTY_BUCKETS,
  customValues: Float64Array.of(0.5, 1),
  counterResetHint: 0,
};

let app: FastifyInstance;
beforeAll(async () => {
  const store = new ReferenceMetricStore();
  const rows = [
    {
      labels: { __name__: "up", job: 'a"\\\n', instance: "x:1" },
      samples: [[NOW_MS - 10, 0] as const, [NOW_MS, 1] as const],
    },
    { labels: { __name__: "up", job: "b" }, samples: [[NOW_MS - 299_999, 1_234_567] as const] },
    { labels: { __name__: "ended" }, samples: [[NOW_MS - 20, 1] as const, [NOW_MS - 10, "STALE"] as const] },
    { labels: { __name__: "old" }, samples: [[NOW_MS - 300_001, 1] as const] },
    { labels: { job: "nameless" }, samples: [[NOW_MS, 1] as const] },
    { labels: { __name__: "http.server", "service.name": "s" }, samples: [[NOW_MS, Number.NaN] as const] },
    { labels: { __name__: "native" }, samples: [[NOW_MS, sampleHistogram(1)] as const] },
    { labels: { __name__: "custom" }, samples: [[NOW_MS, CUSTOM] as const] },
  ];
  await store.append(DEFAULT_TENANT, metricBatchOf(rows), 0);
  app = fastify();
  registerFederate(app, { ...TEST_DEPS, store, nowMs: () => NOW_MS });
});

const ask = (url: string, accept = "") => app.inject({ url: `/federate?${url}`, headers: { accept } });

test("the newest samples within the lookback, each series once, by name", async () => {
  const answer = await ask("match[]={job=~`.*`}&match[]=up&match[]=nothing");
  expect(answer.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8; escaping=underscores");
  expect(answer.body).toBe(`# TYPE custom histogram
custom_bucket{instance="",le="0.5"} 2 1700000000000
custom_bucket{instance="",le="1"} 2 1700000000000
custom_bucket{instance="",le="+Inf"} 6 1700000000000
custom_sum{instance=""} 3.25 1700000000000
custom_count{instance=""} 6 1700000000000
# TYPE http_server untyped
http_server{service_name="s",instance=""} NaN 1700000000000
# TYPE up untyped
up{instance="x:1",job="a\\"\\\\\\n"} 1 1700000000000
up{job="b",instance=""} 1.234567e+06 1699999700001
`);
});

test("OpenMetrics has seconds, floats with a point, and an end", async () => {
  const answer = await ask("match[]=up", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
  expect(answer.headers["content-type"]).toBe(
    "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
  );
  expect(answer.body).toBe(`# TYPE up unknown
up{instance="x:1",job="a\\"\\\\\\n"} 1.0 1.7e+09
up{job="b",instance=""} 1.234567e+06 1.699999700001e+09
# EOF
`);
});

test("names of the new kind stand in quotes for those who know them", async () => {
  const answer = await ask("match[]={%22http.server%22}", "text/plain;version=0.0.4;escaping=allow-utf-8");
  expect(answer.body).toBe(
    '# TYPE "http.server" untyped\n{"http.server","service.name"="s",instance=""} NaN 1700000000000\n',
  );
});

test("native histograms go by protobuf", async () => {
  const accept = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
  const answer = await ask("match[]=native", `${accept};q=0.7,text/plain;q=0.3`);
  expect(answer.headers["content-type"]).toMatch(/^application\/vnd\.google\.protobuf; proto=/);
  expect(answer.rawPayload[0]).toBe(answer.rawPayload.length - 1);
  expect(answer.rawPayload.subarray(1, 9).toString("latin1")).toBe("\n\x06native");
  expect((await ask("match[]=native")).body).toBe("");
});

test("without a matcher there is nothing, a wrong one is refused in plain text", async () => {
  expect((await ask("")).body).toBe("");
  const answer = await ask("match[]=up{");
  expect([answer.statusCode, answer.body]).toEqual([400, "1:4: parse error: unexpected end of input inside braces\n"]);
});

test.each([
  ["", "text"],
  ["*/*", "text"],
  ["application/json", "text"],
  ["application/openmetrics-text", "openmetrics"],
  ["application/openmetrics-text;version=2.0.0,text/plain", "text"],
  ["text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=0.0.1;q=0.75", "openmetrics"],
  ["text/plain;version=1.0.0,application/openmetrics-text;version=1.0.0;q=0.1", "openmetrics"],
  ["application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text", "text"],
])("who accepts %j gets %s", (accept, kind) => expect(negotiateFormat(accept).kind).toBe(kind));

test.each([
  ["http.server_total", "underscores", "http_server_total"],
  ["http.server_total", "dots", "http_dot_server__total"],
  ["http.server_total", "values", "U__http_2e_server__total"],
  ["http.server_total", "allow-utf-8", "http.server_total"],
  ["up", "values", "up"],
  ["1ä", "underscores", "__"],
  ["1ä", "values", "U___31__e4_"],
] as const)("%s escaped by %s is %s", (name, escaping, want) => expect(escapeName(name, escaping)).toBe(want));
