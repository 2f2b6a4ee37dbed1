import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { sampleHistogram } from "@sightline/storage-conformance/example-histogram.ts";
import { logBatchOf } from "@sightline/storage-conformance/log-batch-of.ts";
import { metricBatchOf } from "@sightline/storage-conformance/metric-batch-of.ts";
import { ReferenceLogStore } from "@sightline/storage-conformance/reference-log-store.ts";
import { ReferenceMetricStore } from "@sightline/storage-conformance/reference-metric-store.ts";
import { LinePatternMiner } from "@sightline/storage-embedded/patterns/line-pattern-miner.ts";
import fastify, { type FastifyInstance } from "fastify";
import { beforeAll, describe, expect, test } from "vitest";
import { QueryTracker } from "../active-queries/query-tracker.ts";
import { registerActiveQueries } from "../active-queries/routes.ts";
import { registerFederate } from "../federate/routes.ts";
import { TEST_DEPS } from "../http/test-app.ts";
import { LogqlEngine } from "../logql/logql-engine.ts";
import { registerLogsApi } from "../logs-api/routes.ts";
import { NOW_MS, TEST_SERVER } from "../prometheus-api/prometheus-test-app.ts";
import { registerPrometheusApi } from "../prometheus-api/routes.ts";
import { PromEngine } from "../promql/engine.ts";
import { registerRemoteRead } from "../remote-read/routes.ts";
import { registerSearchApi } from "../search/routes.ts";
import { openapiDocument } from "./openapi-document.ts";
import { OPERATIONS } from "./operations.ts";
import { registerOpenapi } from "./routes.ts";
import { failure, success } from "./schemas.ts";
import { yamlText } from "./yaml-text.ts";

const REFUSED = new Set(["DELETE", "PATCH", "HEAD", "OPTIONS"]);
let app: FastifyInstance;
const served = new Map<string, Set<string>>();

beforeAll(async () => {
  const store = new ReferenceMetricStore();
  const rows = [
    {
      labels: { __name__: "up", job: "a" },
      samples: [[NOW_MS - 60_000, 1] as const, [NOW_MS, 0] as const],
      exemplars: [{ timeMs: NOW_MS, value: 1, labels: [["trace_id", "x"]] as const }],
    },
    { labels: { __name__: "h" }, samples: [[NOW_MS, sampleHistogram(1)] as const] },
  ];
  const metadata = [{ metric: "up", type: "gauge" as const, unit: "", help: "Is it up?" }];
  await store.append(DEFAULT_TENANT, metricBatchOf(rows, { metadata }), 0);
  app = fastify();
  app.addHook("onRoute", ({ url, method }) => {
    const known = served.get(url) ?? new Set();
    for (const name of [method].flat()) if (!REFUSED.has(name)) known.add(name);
    served.set(url, known);
  });
  const engine = new PromEngine({ queryable: store, limits: TEST_DEPS.config });
  const tracker = new QueryTracker({ maxTopQueries: 10, topWindowMs: 3_600_000 });
  const deps = { ...TEST_DEPS, engine, store, tracker, server: TEST_SERVER, nowMs: () => NOW_MS };
  registerPrometheusApi(app, { ...deps, snapshotDir: (name) => name });
  registerSearchApi(app, deps);
  registerActiveQueries(app, deps);
  registerFederate(app, deps);
  registerRemoteRead(app, deps);
  registerLogsApi(app, { ...deps, ...(await logsParts()), metrics: store });
  registerOpenapi(app, deps);
  await app.ready();
});

async function logsParts() {
  const logs = new ReferenceLogStore();
  const attributes = [{ name: "ms", type: "int" as const, value: "5" }];
  const timeNs = BigInt(NOW_MS - 1_000) * 1_000_000n;
  const labels = { service_name: "cart" };
  await logs.append(DEFAULT_TENANT, logBatchOf([{ timeNs, body: "took 5ms", labels, attributes, severity: 9 }]));
  const patterns = {
    patterns: async () => ({ isComplete: false, patterns: [] }),
    miner: () => new LinePatternMiner(),
    forget: async () => {},
  };
  const engine = new LogqlEngine({ store: logs, limits: TEST_DEPS.config.logs });
  return { logs, patterns, engine, traces: { spans: async function* () {} } };
}

const urlOf = (path: string) => `/api/v1${path.replace("{name}", ":name")}`;

test("every endpoint below /api/v1 is described, and every described one is there", () => {
  const described = OPERATIONS.map(({ path }) => urlOf(path));
  const urls = [...served.keys()].filter((url) => url.startsWith("/api/v1/"));
  expect([...described].sort()).toEqual(urls.sort());
});

test.each(OPERATIONS.map(({ path, methods }) => [path, methods] as const))(
  "%s takes %j and nothing else",
  async (path, methods) => {
    for (const method of ["GET", "POST", "PUT"] as const) {
      const { statusCode } = await app.inject({ method, url: urlOf(path).replace(":name", "job") });
      expect([method, statusCode === 405]).toEqual([method, !methods.includes(method)]);
    }
  },
);

/** Requests by endpoint; those without one are asked without parameters. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  "/query": [
    "query=1",
    'query="a"',
    "query=up&stats=all",
    "query=h",
    "query=up[5m]",
    "query=h[5m]",
    "query=rate(up[5m])",
  ],
  "/query_range": [
    "query=up&start=1699999900&end=1700000000&step=15",
    "query=h&start=1699999900&end=1700000000&step=15&stats=true",
  ],
  "/query_exemplars": ["query=up"],
  "/format_query": ["query=up"],
  "/parse_query": ["query=sum(up)"],
  "/series": ["match[]=up"],
  "/status/tsdb": ["", "limit=1&offset=1"],
  "/logs/facets": ['query={service_name="cart"}', 'query={service_name="cart"} | logfmt&name=ms&limit=1'],
  "/logs/histogram": ['query={service_name="cart"}'],
  "/logs/context": [`query={service_name="cart"}&time=${(NOW_MS - 1_000) / 1_000}`],
  "/logs/patterns": ['query={service_name="cart"}'],
  "/attributes": ["signal=logs", "signal=logs&name=ms", "signal=traces", "signal=metrics&prefix=j"],
};
const NOT_ANSWERED = new Set(["/targets/relabel_steps", "/scrape_pools/config"]);

describe("answers fit their schema", () => {
  const requests = OPERATIONS.flatMap(({ path, methods, data }) => {
    if (!data || NOT_ANSWERED.has(path)) return [];
    const parameters = EXAMPLES[path] ?? [""];
    return parameters.map(
      (text) => [methods[0] as "GET", `${urlOf(path).replace(":name", "job")}?${text}`, data] as const,
    );
  });
  test.each(requests)("%s %s", async (method, url, data) => {
    const answer = await app.inject({ method, url: url.replace(/"/g, "%22") });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(success(data).safeParse(answer.json()).error).toBeUndefined();
  });

  test.each([
    "query?query=(",
    "series",
    "status/tsdb?limit=x",
    "query?query=vector(1)%2Bon(){__name__=~`up|h`}",
    "scrape_pools/config",
  ])("the failure of %s", async (url) => {
    const answer = await app.inject(`/api/v1/${url}`);
    expect(answer.statusCode).toBeGreaterThanOrEqual(400);
    expect(failure.safeParse(answer.json()).error).toBeUndefined();
  });
});

test("the document is served as YAML", async () => {
  const answer = await app.inject("/api/v1/openapi.yaml");
  expect(answer.headers["content-type"]).toBe("application/yaml; charset=utf-8");
  expect(answer.body.startsWith('openapi: "3.1.0"\ninfo:\n  title:')).toBe(true);
});

test("every operation has an id of its own", () => {
  const { paths } = openapiDocument("1") as { paths: Record<string, Record<string, { operationId: string }>> };
  const ids = Object.values(paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
  expect(new Set(ids).size).toBe(ids.length);
});

test.each<[unknown, string]>([
  [{ a: 1, "b c": [true, null], d: {}, e: [] }, 'a: 1\n"b c":\n  - true\n  - null\nd: {}\ne: []\n'],
  [{ a: [{ b: "x: y", c: [1] }, [2]] }, 'a:\n  - b: "x: y"\n    c:\n      - 1\n  - - 2\n'],
])("%j as YAML", (value, want) => expect(yamlText(value).trimStart()).toBe(want));
