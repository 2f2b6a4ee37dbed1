import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lokiApp, NOW_MS, NOW_NS } from "./loki-test-app.ts";

const SECOND = 1_000_000_000n;
const shop = { service_name: "shop", env: "prod" };
const text = (name: string, value: string) => ({ name, type: "string" as const, value });
const JSON_LINE = '{"user":{"id":7,"name":"ann"},"took":"12ms","ok":true,"size":"1KB"}';
const LOGFMT_LINE = "level=warn took=1.5 user_id=8";
const SHOP_BYTES = JSON_LINE.length + LOGFMT_LINE.length;
let app: FastifyInstance;

beforeAll(async () => {
  app = await lokiApp([
    {
      timeNs: NOW_NS - 30n * SECOND,
      labels: shop,
      body: JSON_LINE,
      attributes: [text("request.id", "r-1")],
    },
    { timeNs: NOW_NS - 20n * SECOND, labels: shop, body: LOGFMT_LINE, attributes: [] },
    { timeNs: NOW_NS - 10n * SECOND, labels: { service_name: "cart", env: "test", build: "17" }, body: "0123456789" },
  ]);
});
afterAll(() => app.close());

async function ask(path: string, parameters: Record<string, string> = {}) {
  const answer = await app.inject({ url: `/loki/api/v1/${path}?${new URLSearchParams(parameters)}` });
  return { status: answer.statusCode, text: answer.body };
}
async function json(path: string, parameters: Record<string, string> = {}) {
  const { status, text } = await ask(path, parameters);
  expect(status, text).toBe(200);
  return JSON.parse(text);
}

describe("index/stats", () => {
  test.each([
    ['{service_name="shop"}', { streams: 1, chunks: 1, bytes: SHOP_BYTES, entries: 2 }],
    ['{service_name=~".+"}', { streams: 2, chunks: 2, bytes: SHOP_BYTES + 10, entries: 3 }],
    ['{service_name="none"}', { streams: 0, chunks: 0, bytes: 0, entries: 0 }],
  ])("%s", async (query, want) => expect(await json("index/stats", { query })).toEqual(want));

  test("index/shards is one shard with everything", async () => {
    const { shards } = await json("index/shards", { query: '{env="prod"}', targetBytesPerShard: "1MB" });
    expect(shards).toMatchObject([{ stats: { bytes: SHOP_BYTES } }]);
  });
});

describe("as Loki refuses", () => {
  const start = String(NOW_NS);
  const end = String(NOW_NS - SECOND);
  const NO_MATCHERS = "queries require at least one regexp or equality matcher";
  const REVERSED = "end timestamp must not be before or equal to start time";
  test.each<[string, Record<string, string>, string]>([
    ["labels", { query: "{}" }, NO_MATCHERS],
    ["label/env/values", { query: "{}" }, NO_MATCHERS],
    ["index/stats", { query: "{}" }, NO_MATCHERS],
    ["detected_labels", { query: "{}" }, NO_MATCHERS],
    ["labels", { start, end }, REVERSED],
    ["label/env/values", { start, end }, REVERSED],
    ["series", { start, end }, REVERSED],
    ["index/stats", { query: '{env="prod"}', start, end }, REVERSED],
    ["detected_labels", { start, end }, REVERSED],
    ["detected_fields", { query: '{env="prod"}', step: "x" }, 'cannot parse "x" to a valid duration'],
    ["index/shards", { query: '{env="prod"}', targetBytesPerShard: "0" }, "targetBytesPerShard must be a positive"],
    ["labels", { since: "5x" }, 'could not parse \'since\' parameter: unknown unit "x" in duration "5x"'],
    ["labels", { since: "1m1h" }, "could not parse 'since' parameter: not a valid duration string: \"1m1h\""],
    ["query_range", { query: '{env="prod"}', step: "NaN" }, "zero or negative query resolution step widths"],
  ])("%s %j", async (path, parameters, want) => {
    const { status, text } = await ask(path, parameters);
    expect([status, text]).toEqual([400, expect.stringContaining(want)]);
  });

  test.each([
    ["query=%zz", 'invalid URL escape "%zz"'],
    ["query=a%2", 'invalid URL escape "%2"'],
    ["query=a;b=c", "invalid semicolon separator in query"],
  ])("the URL %s", async (search, want) => {
    const answer = await app.inject({ url: `/loki/api/v1/query_range?${search}` });
    expect([answer.statusCode, answer.body]).toEqual([400, want]);
  });
});

describe("of nothing", () => {
  const query = '{env="none"}';
  test.each<[string, Record<string, string>, object]>([
    ["detected_fields", { query }, {}],
    ["detected_labels", { query }, {}],
    ["index/volume_range", { query, step: "1m" }, { data: { resultType: "vector", result: [] } }],
    ["series", { "match[]": query }, { data: [] }],
  ])("%s", async (path, parameters, want) => expect(await json(path, parameters)).toMatchObject(want));
});

describe("index/volume", () => {
  test.each<[Record<string, string>, [Record<string, string>, string][]]>([
    [
      { query: "{}" },
      [
        [shop, String(SHOP_BYTES)],
        [{ service_name: "cart", env: "test", build: "17" }, "10"],
      ],
    ],
    [{ query: '{env="prod"}' }, [[{ env: "prod" }, String(SHOP_BYTES)]]],
    [
      { query: '{env=~".+"}', targetLabels: "service_name" },
      [
        [{ service_name: "shop" }, String(SHOP_BYTES)],
        [{ service_name: "cart" }, "10"],
      ],
    ],
    [{ query: "{}", limit: "1", targetLabels: "env" }, [[{ env: "prod" }, String(SHOP_BYTES)]]],
    [
      { query: "{}", aggregateBy: "labels" },
      [
        [{ env: "" }, String(SHOP_BYTES + 10)],
        [{ service_name: "" }, String(SHOP_BYTES + 10)],
        [{ build: "" }, "10"],
      ],
    ],
    [{ query: "{}", aggregateBy: "labels", targetLabels: "build" }, [[{ build: "" }, "10"]]],
    [{ query: '{env="none"}' }, []],
  ])("%j", async (parameters, want) => {
    const { data } = await json("index/volume", parameters);
    expect(data.resultType).toBe("vector");
    const got = data.result.map(({ metric, value }: { metric: object; value: [number, string] }) => [metric, value[1]]);
    expect(got).toEqual(want);
  });

  test("over time", async () => {
    const start = String(NOW_NS - 40n * SECOND);
    const { data } = await json("index/volume_range", {
      query: '{env="prod"}',
      start,
      end: String(NOW_NS),
      step: "20",
    });
    expect(data.resultType).toBe("matrix");
    expect(data.result[0].metric).toEqual({ env: "prod" });
    const values = data.result[0].values.map(([, value]: [number, string]) => Number(value));
    expect(values.reduce((a: number, b: number) => a + b)).toBe(SHOP_BYTES);
  });

  test.each([
    [{ query: "{}", aggregateBy: "x" }, "invalid aggregation option"],
    [{ query: '{a="b"} |= "x"' }, "only label matchers are supported"],
    [{ query: "{}", limit: "-1" }, "limit must be a positive value"],
    [{}, "parse error : syntax error: unexpected $end"],
  ])("%j is refused", async (parameters, message) => {
    expect(await ask("index/volume", parameters)).toEqual({ status: 400, text: message });
  });
});

describe("Logs Drilldown", () => {
  test("labels but those that are ids", async () => {
    expect(await json("detected_labels")).toEqual({
      detectedLabels: [
        { label: "env", cardinality: 2 },
        { label: "service_name", cardinality: 2 },
      ],
    });
    expect(await json("detected_labels", { query: '{env="none"}' })).toEqual({});
  });

  test("fields of structured metadata, JSON and logfmt", async () => {
    const { fields, limit } = await json("detected_fields", { query: '{service_name="shop"}' });
    expect(limit).toBe(1_000);
    const of = (name: string) => fields.find(({ label }: { label: string }) => label === name);
    expect(of("request_id")).toEqual({ label: "request_id", type: "string", cardinality: 1, parsers: null });
    expect(of("detected_level")).toMatchObject({ parsers: null, cardinality: 2 });
    expect(of("user_name")).toEqual({
      label: "user_name",
      type: "string",
      cardinality: 1,
      parsers: ["json"],
      jsonPath: ["user", "name"],
    });
    expect(of("user_id")).toMatchObject({ type: "int", cardinality: 2, parsers: ["logfmt", "json"] });
    expect(of("ok")).toMatchObject({ type: "boolean" });
    expect(of("size")).toMatchObject({ type: "bytes" });
    expect(of("level")).toMatchObject({ parsers: ["logfmt"] });
  });

  test("values of a field", async () => {
    const got = await json("detected_field/user_id/values", { query: '{service_name="shop"}' });
    expect(got).toEqual({ values: ["7", "8"], limit: 1_000 });
    const none = await json("detected_field/nothing/values", { query: '{service_name="shop"}' });
    expect(none).toEqual({});
  });

  test("limits", async () => {
    expect(await json("drilldown-limits")).toMatchObject({
      limits: { volume_enabled: true, max_query_series: expect.any(Number), retention_period: "0s" },
      pattern_ingester_enabled: false,
      version: "1.2.3",
    });
  });

  test("fields of samples are refused", async () => {
    const answer = await ask("detected_fields", { query: 'rate({env="prod"}[1m])' });
    expect(answer).toEqual({ status: 400, text: "only log selector is supported" });
  });
});

test("format_query", async () => {
  expect(await json("format_query", { query: '{a="b"}|json|x>5' })).toEqual({
    status: "success",
    data: '{a="b"} | json | x>5',
  });
  expect(await ask("format_query", { query: '{a="b"' })).toMatchObject({
    status: 400,
    text: expect.stringMatching(/^\{"status":"invalid-query","error":"parse error at line 1, col 7: /),
  });
});

describe("delete", () => {
  const call = (method: "GET" | "POST" | "PUT" | "DELETE", parameters: Record<string, string> = {}) =>
    app.inject({ method, url: `/loki/api/v1/delete?${new URLSearchParams(parameters)}` });
  const LATELY = { start: "1699990000" };
  const count = async () => (await json("index/stats", { query: '{service_name=~".+"}' })).entries;

  test("hides lines, is listed, and can be cancelled", async () => {
    const query = '{env="prod"} |= "took=1.5"';
    const made = await call("POST", { query, start: "1699990000" });
    expect([made.statusCode, made.body]).toEqual([204, ""]);
    expect(await count()).toBe(2);
    const [listed] = (await call("GET")).json();
    expect(listed).toEqual({
      request_id: expect.any(String),
      start_time: 1_699_990_000,
      end_time: NOW_MS / 1_000,
      query,
      status: "received",
      created_at: expect.any(Number),
      user_id: "",
    });
    expect(made.headers["x-delete-request-id"]).toBe(listed.request_id);
    expect((await call("DELETE", { request_id: listed.request_id })).statusCode).toBe(204);
    expect(await count()).toBe(3);
  });

  test.each<["POST" | "DELETE", Record<string, string>, number, string]>([
    ["POST", { start: "0" }, 400, "query not set"],
    ["POST", { query: '{a="b"}' }, 400, "start time not set"],
    ["POST", { query: '{a="b"}', start: "x" }, 400, "invalid start time: require unix seconds or RFC3339 format"],
    ["POST", { query: '{a="b"}', start: "0" }, 400, "invalid start time: require unix seconds or RFC3339 format"],
    ["POST", { query: '{a="b"}', ...LATELY, end: "1900000000" }, 400, "deletes in the future are not allowed"],
    [
      "POST",
      { query: '{a="b"}', ...LATELY, end: LATELY.start },
      400,
      "start time can't be greater than or equal to end time",
    ],
    [
      "POST",
      { query: '{a="b"} |= "c"', ...LATELY, max_interval: "1ms" },
      400,
      "invalid max_interval: valid time units are 's', 'm', 'h'",
    ],
    [
      "POST",
      { query: '{a="b"} |= "c"', ...LATELY, max_interval: "25h" },
      400,
      "max_interval can't be greater than 24h0m0s",
    ],
    [
      "POST",
      { query: '{a="b"} |= "c"', ...LATELY, end: "1699990060", max_interval: "2m" },
      400,
      "max_interval can't be greater than the interval to be deleted (1m0s)",
    ],
    [
      "POST",
      { query: 'rate({a="b"}[1m])', ...LATELY },
      400,
      "invalid query expression: a deletion needs a selector of log lines, not of samples",
    ],
    ["DELETE", { request_id: "none" }, 404, "could not find delete request with given id"],
  ])("%s %j is refused", async (method, parameters, status, message) => {
    const answer = await call(method, parameters);
    expect([answer.statusCode, answer.body]).toEqual([status, message]);
  });
});
