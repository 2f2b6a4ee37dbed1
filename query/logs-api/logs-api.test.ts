import type { Attribute } from "@sightline/model/attributes.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { type LogRow, logBatchOf } from "@sightline/storage-conformance/log-batch-of.ts";
import { metricBatchOf } from "@sightline/storage-conformance/metric-batch-of.ts";
import { ReferenceLogStore } from "@sightline/storage-conformance/reference-log-store.ts";
import { ReferenceMetricStore } from "@sightline/storage-conformance/reference-metric-store.ts";
import { spanBatchOf } from "@sightline/storage-conformance/span-batch-of.ts";
import { LinePatternMiner } from "@sightline/storage-embedded/patterns/line-pattern-miner.ts";
import fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TEST_DEPS } from "../http/test-app.ts";
import { LogqlEngine } from "../logql/logql-engine.ts";
import { registerLogsApi } from "./routes.ts";

const NOW_MS = 1_700_000_000_000;
const NOW_NS = BigInt(NOW_MS) * 1_000_000n;
const ns = (secondsAgo: number) => NOW_NS - BigInt(Math.round(secondsAgo * 1_000)) * 1_000_000n;
let app: FastifyInstance;

const text = (name: string, value: string): Attribute => ({ name, type: "string", value });
const int = (name: string, value: number): Attribute => ({ name, type: "int", value: String(value) });

type Extra = { severity?: number; attributes?: Attribute[]; pod?: string; host?: string; service?: string };
function record(secondsAgo: number, body: string, extra: Extra = {}): LogRow {
  const { severity = 9, attributes = [], pod = "a", host = "h1", service = "cart" } = extra;
  const labels = { service_name: service, ...(pod !== "" && { pod }) };
  const resource = [text("service.name", service), text("host.name", host)];
  return { timeNs: ns(secondsAgo), body, severity, attributes, labels, resource };
}

const RECORDS = [
  ...Array.from({ length: 10 }, (_, i) =>
    record(50 - i, `step ${i}`, { attributes: [int("http.status", 200), int("ms", i)] }),
  ),
  record(45.5, "of another pod", { pod: "b", attributes: [text("http.status", "teapot")] }),
  record(45.25, "without a pod", { pod: "" }),
  record(45, "at the same time", { severity: 17 }),
  record(44.5, "of another service", { service: "shop", host: "h1" }),
  record(44.25, "of another host", { service: "shop", host: "h2" }),
];

async function ask(path: string, query: Record<string, string | string[]>) {
  const search = new URLSearchParams();
  for (const [name, values] of Object.entries(query)) for (const value of [values].flat()) search.append(name, value);
  const answer = await app.inject(`/api/v1/${path}?${search}`);
  return { status: answer.statusCode, ...answer.json() };
}

beforeAll(async () => {
  const logs = new ReferenceLogStore();
  await logs.append(DEFAULT_TENANT, logBatchOf(RECORDS));
  const metrics = new ReferenceMetricStore();
  const rows = ["a", "b"].map((job) => ({ labels: { __name__: "up", job }, samples: [[NOW_MS - 1_000, 1] as const] }));
  await metrics.append(DEFAULT_TENANT, metricBatchOf(rows), 0);
  const patterns = {
    patterns: async () => ({ isComplete: false, patterns: [] }),
    miner: () => new LinePatternMiner(),
    forget: async () => {},
  };
  const spans = spanBatchOf([
    {
      traceId: "ab".repeat(16),
      spanId: "cd".repeat(8),
      name: "GET /",
      kind: 2,
      startNs: NOW_NS,
      attributes: [int("http.status", 200)],
      resource: [text("service.name", "cart")],
    },
  ]);
  const traces = {
    async *spans() {
      yield spans;
    },
  };
  const engine = new LogqlEngine({ store: logs, limits: TEST_DEPS.config.logs });
  app = fastify();
  registerLogsApi(app, { ...TEST_DEPS, engine, logs, traces, metrics, patterns, nowMs: () => NOW_MS });
  await app.ready();
});
afterAll(() => app.close());

describe("facets", () => {
  const query = '{service_name="cart"}';

  test("count values of attributes, labels and levels of the records that are selected", async () => {
    const { data } = await ask("logs/facets", { query, limit: "2" });
    expect(data).toMatchObject({ records: 13, isComplete: true });
    const facets = new Map(data.facets.map((facet: { name: string }) => [facet.name, facet]));
    expect(facets.get("http.status")).toMatchObject({
      scope: "record",
      label: "http_status",
      types: ["int", "string"],
      count: 11,
      distinct: 2,
      isDistinctExact: true,
      values: [
        { value: "200", count: 10 },
        { value: "teapot", count: 1 },
      ],
    });
    expect(facets.get("http.status")).not.toHaveProperty("numeric");
    expect(facets.get("ms")).toMatchObject({
      count: 10,
      distinct: 10,
      values: [{ value: "0" }, { value: "1" }],
      numeric: { min: 0, max: 9, mean: 4.5 },
    });
    expect(facets.get("service.name")).toMatchObject({ scope: "resource", label: "service_name", count: 13 });
    expect(facets.get("pod")).toMatchObject({ scope: "label", count: 12, distinct: 2 });
    expect(facets.get("detected_level")).toMatchObject({
      values: [
        { value: "info", count: 12 },
        { value: "error", count: 1 },
      ],
    });
    expect(facets.has("service_name")).toBe(false);
  });

  test("of what a query parsed, and only those asked for", async () => {
    const { data } = await ask("logs/facets", {
      query: `${query} |= "step" | pattern "<word> <number>"`,
      name: ["number", "pod"],
    });
    expect(data.facets).toMatchObject([
      { name: "number", scope: "parsed", count: 10, distinct: 10 },
      { name: "pod", count: 10 },
    ]);
  });

  test("of the newest records", async () => {
    const { data } = await ask("logs/facets", { query, records: "3" });
    expect(data).toMatchObject({ records: 3, isComplete: false });
  });
});

describe("the histogram", () => {
  test("counts lines by level", async () => {
    const { data } = await ask("logs/histogram", {
      query: '{service_name="cart"} # all',
      start: String(ns(60)),
      step: "10s",
    });
    expect(data).toEqual({
      startMs: NOW_MS - 60_000,
      stepMs: 10_000,
      total: 13,
      levels: [
        { level: "info", total: 12, counts: [0, 12, 0, 0, 0, 0] },
        { level: "error", total: 1, counts: [0, 1, 0, 0, 0, 0] },
      ],
    });
  });

  test("has a step of its own", async () => {
    const { data } = await ask("logs/histogram", { query: '{service_name="cart"}' });
    expect(data).toMatchObject({ stepMs: 60_000, total: 13 });
  });
});

describe("the context of a record", () => {
  const lines = (entries: readonly { line: string }[]) => entries.map(({ line }) => line);
  const base = { query: '{service_name="cart"}', time: String(ns(45)), before: "2", after: "2" };

  test("is what came before and after it in its stream", async () => {
    const { data } = await ask("logs/context", { ...base, line: "step 5" });
    expect(lines(data.before)).toEqual(["step 3", "step 4"]);
    expect(lines(data.at).sort()).toEqual(["at the same time", "step 5"]);
    expect(lines(data.after)).toEqual(["step 6", "step 7"]);
    expect(data.before[0]).toMatchObject({
      timeNs: String(ns(47)),
      stream: { service_name: "cart", pod: "a" },
      metadata: { host_name: "h1" },
    });
  });

  test("leaves out streams that have more labels", async () => {
    const { data } = await ask("logs/context", { ...base, time: String(ns(45.25)) });
    expect(data).toMatchObject({ before: [], at: [{ line: "without a pod" }], after: [] });
  });

  test("of its service", async () => {
    const { data } = await ask("logs/context", { ...base, scope: "service" });
    expect(lines(data.before)).toEqual(["of another pod", "without a pod"]);
    expect(lines(data.after)).toEqual(["step 6", "step 7"]);
  });

  test("of its host", async () => {
    const { data } = await ask("logs/context", { ...base, scope: "host", after: "3" });
    expect(lines(data.after)).toEqual(["of another service", "step 6", "step 7"]);
  });

  test.each([
    [{ time: "" }, 400, /missing parameter "time"/],
    [{ time: String(ns(1)) }, 404, /no record/],
    [{ line: "no such line" }, 404, /no record/],
    [{ scope: "galaxy" }, 400, /stream, service or host/],
    [{ before: "-1" }, 400, /"before"/],
    [{ query: 'rate({a="b"}[1m])' }, 400, /metric query/],
  ])("refuses %j", async (change, status, message) => {
    const answer = await ask("logs/context", { ...base, ...change });
    expect(answer).toMatchObject({ status: "error", error: expect.stringMatching(message) });
    expect((await app.inject(`/api/v1/logs/context?${new URLSearchParams({ ...base, ...change })}`)).statusCode).toBe(
      status,
    );
  });
});

describe("attributes", () => {
  test("of logs, by the beginning of their names", async () => {
    const { data } = await ask("attributes", { signal: "logs", prefix: "http" });
    expect(data).toMatchObject({ signal: "logs", items: 15, isComplete: true });
    expect(data.attributes).toEqual([
      {
        name: "http.status",
        scope: "record",
        label: "http_status",
        types: ["int", "string"],
        count: 11,
        distinct: 2,
        isDistinctExact: true,
      },
    ]);
  });

  test("values of one, by its name or its label", async () => {
    for (const name of ["http.status", "http_status"]) {
      const { data } = await ask("attributes", { signal: "logs", name, prefix: "t" });
      expect(data.attributes).toMatchObject([{ name: "http.status", values: [{ value: "teapot", count: 1 }] }]);
    }
  });

  test("of traces", async () => {
    const { data } = await ask("attributes", { signal: "traces", end: String(NOW_NS + 1n) });
    const names = data.attributes.map(({ name, scope }: { name: string; scope: string }) => `${scope} ${name}`).sort();
    expect(names).toEqual(["field kind", "field name", "field status", "resource service.name", "span http.status"]);
  });

  test("of metrics", async () => {
    const { data } = await ask("attributes", { signal: "metrics", name: "job" });
    expect(data).toMatchObject({
      items: 2,
      attributes: [{ name: "job", count: 2, values: [{ value: "a" }, { value: "b" }] }],
    });
  });

  test("refuses other signals", async () => {
    expect(await ask("attributes", { signal: "profiles" })).toMatchObject({ status: "error", errorType: "bad_data" });
  });
});

describe("changed patterns", () => {
  test("are new, gone, more or less", async () => {
    const times = {
      start: String(ns(45.6)),
      end: String(ns(44)),
      baselineStart: String(ns(51)),
      baselineEnd: String(ns(45.6)),
    };
    const { data } = await ask("logs/patterns", { query: '{service_name="cart"}', ...times });
    expect(data.isComplete).toBe(true);
    const changes = data.patterns.map(({ change, pattern, count, baselineCount }: Record<string, unknown>) => [
      change,
      pattern,
      count,
      baselineCount,
    ]);
    expect(changes.slice(0, 3).every(([change]: [string]) => change === "new")).toBe(true);
    expect(changes).toContainEqual(["same", "step <_>", 1, 5]);
  });

  test("refuses a baseline that ends before it begins", async () => {
    const answer = await ask("logs/patterns", {
      query: '{service_name="cart"}',
      baselineStart: "20",
      baselineEnd: "10",
    });
    expect(answer).toMatchObject({ status: "error" });
  });
});
