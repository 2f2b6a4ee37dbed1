import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lokiApp, NOW_MS, NOW_NS } from "./loki-test-app.ts";

const SECOND = 1_000_000_000n;
const checkout = { service_name: "checkout", k8s_pod_name: "pod-1" };
const TRACE = "0af7651916cd43dd8448eb211c80319c";
let app: FastifyInstance;

beforeAll(async () => {
  const text = (name: string, value: string) => ({ name, type: "string" as const, value });
  app = await lokiApp([
    {
      timeNs: NOW_NS - 3n * SECOND + 1n,
      body: "order 1 placed",
      labels: checkout,
      resource: [text("service.name", "checkout"), text("k8s.pod.name", "pod-1"), text("host.name", "h1")],
      scope: { name: "shop", version: "1.0", attributes: [text("scope.kind", "x")], schemaUrl: "" },
      attributes: [
        text("user.id", "u-1"),
        text("service.name", "shadow"),
        { name: "http", type: "json", value: '{"status":200,"req":{"id":12345678901234567890},"tags":["a",1]}' },
      ],
      observedNs: NOW_NS,
      severity: 9,
      severityText: "INFO",
      traceId: TRACE,
      spanId: "b7ad6b7169203331",
    },
    { timeNs: NOW_NS - 2n * SECOND, body: 'order 2 failed: "no stock"', labels: checkout },
    { timeNs: NOW_NS - 2n * SECOND, body: "GET /cart 200", labels: { service_name: "cart" } },
    { timeNs: NOW_NS - SECOND, body: "order 3 placed (a.b)", labels: checkout },
    { timeNs: NOW_NS - 7_200n * SECOND, body: "long ago", labels: { service_name: "old" } },
  ]);
});
afterAll(() => app.close());

async function ask(path: string, parameters: Record<string, string>, headers: Record<string, string> = {}) {
  const answer = await app.inject({ url: `/loki/api/v1/${path}?${new URLSearchParams(parameters)}`, headers });
  return { status: answer.statusCode, text: answer.body, type: answer.headers["content-type"] };
}
async function lines(query: string, parameters: Record<string, string> = {}): Promise<string[]> {
  const { status, text } = await ask("query_range", { query, direction: "forward", ...parameters });
  expect(status, text).toBe(200);
  const streams = JSON.parse(text).data.result as { values: [string, string][] }[];
  return streams
    .flatMap(({ values }) => values)
    .sort(([a, lineA], [b, lineB]) => a.localeCompare(b) || lineA.localeCompare(lineB))
    .map(([, line]) => line);
}
const ORDERS = ["order 1 placed", 'order 2 failed: "no stock"', "order 3 placed (a.b)"];

describe("line filters", () => {
  test.each([
    ['{service_name="checkout"}', ORDERS],
    ['{service_name=~"c.+", k8s_pod_name=""}', ["GET /cart 200"]],
    ['{service_name=~".+"} |= "order 1"', [ORDERS[0]]],
    ['{service_name="checkout"} != "placed"', [ORDERS[1]]],
    ['{service_name="checkout"} |~ "order [12]" !~ `"no stock"`', [ORDERS[0]]],
    ['{service_name="checkout"} |= "(a.b)" or "order 1"', [ORDERS[0], ORDERS[2]]],
    ['{service_name="checkout"} != "order 1" or "order 2"', [ORDERS[2]]],
    ['{service_name="checkout"} |~ "^order 1" or "(?i)NO STOCK"', [ORDERS[0], ORDERS[1]]],
    ['{service_name="checkout"} |= "" or "order 1"', [ORDERS[0]]],
    ['{service_name="checkout"} |= "\\"no\\u0020stock\\""', [ORDERS[1]]],
    ['({service_name="checkout"}) # comment', ORDERS],
    ['{service_name="nobody"}', []],
  ])("%s", async (query, want) => expect(await lines(query)).toEqual(want));
});

test("the parameter regexp is ignored as in Loki, which knows it only below /api/prom and for tailing", async () => {
  expect(await lines('{service_name="checkout"}', { regexp: "order 1" })).toEqual(ORDERS);
});

describe("time, limit, direction and interval", () => {
  const query = '{service_name="checkout"}';
  test("the newest lines come first by default, and the limit keeps them", async () => {
    const { text } = await ask(
      "query_range",
      { query, limit: "2" },
      { "x-loki-response-encoding-flags": "categorize-labels" },
    );
    const [stream] = JSON.parse(text).data.result;
    expect(stream.values.map(([, line]: string[]) => line)).toEqual([ORDERS[2], ORDERS[1]]);
  });

  test.each<[Record<string, string>, (string | undefined)[]]>([
    [{ start: String(NOW_NS - 2n * SECOND), end: String(NOW_NS - SECOND) }, [ORDERS[1]]],
    [{ start: "1699999998", end: "1699999999" }, [ORDERS[1]]],
    [{ start: "1699999997.001", end: "1699999999.5" }, [ORDERS[1], ORDERS[2]]],
    [{ start: "2023-11-14T22:13:17.000000001Z", end: "2023-11-14T22:13:18Z" }, [ORDERS[0]]],
    [{ since: "2s" }, [ORDERS[1], ORDERS[2]]],
    [{ interval: "1.5" }, [ORDERS[0], ORDERS[2]]],
    [{ limit: "1" }, [ORDERS[0]]],
  ])("%j", async (parameters, want) => expect(await lines(query, parameters)).toEqual(want));

  test("only the last hour is looked at by default", async () => {
    expect(await lines('{service_name="old"}')).toEqual([]);
    expect(await lines('{service_name="old"}', { since: "3h" })).toEqual(["long ago"]);
  });

  test("an interval thins out the lines from the newest", async () => {
    const { text } = await ask("query_range", { query, interval: "1500ms" });
    expect(JSON.parse(text).data.stats.summary.totalEntriesReturned).toBe(2);
  });
});

const UNKNOWN_LEVEL = { detected_level: "unknown" };
const METADATA = {
  detected_level: "info",
  http_req_id: "12345678901234567890",
  http_status: "200",
  http_tags: '["a",1]',
  host_name: "h1",
  observed_timestamp: String(NOW_NS),
  scope_kind: "x",
  scope_name: "shop",
  scope_version: "1.0",
  service_name_extracted: "shadow",
  severity_number: "9",
  severity_text: "INFO",
  span_id: "b7ad6b7169203331",
  trace_id: TRACE,
  user_id: "u-1",
};
const TIME = String(NOW_NS - 3n * SECOND + 1n);

test("structured metadata are labels of the stream, exact times are text", async () => {
  const { text, type } = await ask("query_range", { query: '{service_name="checkout"} |= "order 1"' });
  const { status, data } = JSON.parse(text);
  expect(type).toMatch(/^application\/json/);
  expect(status).toBe("success");
  expect(data.resultType).toBe("streams");
  expect(data.result).toEqual([{ stream: { ...checkout, ...METADATA }, values: [[TIME, "order 1 placed"]] }]);
  expect(data.stats.summary).toMatchObject({ totalEntriesReturned: 1, totalPostFilterLines: 1 });
  expect(data.stats.summary.execTime).toBeGreaterThan(0);
});

test("with categorize-labels each entry carries them, and the flag comes before the result", async () => {
  const headers = { "x-loki-response-encoding-flags": "categorize-labels" };
  const { text } = await ask("query_range", { query: '{service_name="checkout"}' }, headers);
  expect(text.indexOf('"encodingFlags":["categorize-labels"]')).toBeLessThan(text.indexOf('"result":'));
  expect(JSON.parse(text).data.result).toEqual([
    {
      stream: checkout,
      values: [
        [String(NOW_NS - SECOND), ORDERS[2], { structuredMetadata: UNKNOWN_LEVEL }],
        [String(NOW_NS - 2n * SECOND), ORDERS[1], { structuredMetadata: UNKNOWN_LEVEL }],
        [TIME, ORDERS[0], { structuredMetadata: METADATA }],
      ],
    },
  ]);
});

describe("expressions without logs", () => {
  test("Grafana's health check", async () => {
    const { text } = await ask("query", { query: "vector(1)+vector(1)", direction: "backward", time: "4000000000" });
    expect(JSON.parse(text).data).toMatchObject({
      resultType: "vector",
      result: [{ metric: {}, value: [4_000_000_000, "2"] }],
    });
  });

  test("a number is a scalar now and a matrix over time", async () => {
    const now = await ask("query", { query: "1+2*3" });
    expect(JSON.parse(now.text).data).toMatchObject({ resultType: "scalar", result: [NOW_MS / 1_000, "7"] });
    const range = await ask("query_range", { query: "vector(0.5)", start: "10", end: "30", step: "10" });
    expect(JSON.parse(range.text).data).toMatchObject({
      resultType: "matrix",
      result: [
        {
          metric: {},
          values: [
            [10, "0.5"],
            [20, "0.5"],
            [30, "0.5"],
          ],
        },
      ],
    });
  });
});

describe("what is wrong is said in Loki's words, as plain text", () => {
  const query = '{service_name="checkout"}';
  test.each<[string, Record<string, string>, string]>([
    [
      "query_range",
      { query, start: "x" },
      `could not parse 'start' parameter: strconv.ParseInt: parsing "x": invalid syntax`,
    ],
    ["query_range", { query, since: "x" }, `could not parse 'since' parameter: not a valid duration string: "x"`],
    ["query_range", { query, start: "11", end: "10" }, "end timestamp must not be before or equal to start time"],
    ["query_range", { query, limit: "0" }, "limit must be a positive value"],
    ["query_range", { query, limit: "x" }, 'strconv.Atoi: parsing "x": invalid syntax'],
    ["query_range", { query, direction: "up" }, "invalid direction 'up'"],
    [
      "query_range",
      { query, step: "0" },
      "zero or negative query resolution step widths are not accepted. Try a positive integer",
    ],
    [
      "query_range",
      { query, start: "1", end: "11002", step: "1" },
      "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter",
    ],
    ["query_range", { query, interval: "-1" }, "interval must be >= 0"],
    [
      "query_range",
      { query, limit: "5001" },
      "max entries limit per query exceeded, limit > max_entries_limit_per_query (5001 > 5000); here it is query.logs.max_limit",
    ],
    [
      "query",
      { query },
      "log queries are not supported as an instant query type, please change your query to a range query type",
    ],
    [
      "query_range",
      { query: '{a="b"' },
      "parse error at line 1, col 7: syntax error: unexpected $end, expecting } or ,",
    ],
    [
      "query_range",
      { query: '{a="b"}\n  |= 5' },
      "parse error at line 2, col 6: syntax error: unexpected NUMBER, expecting STRING or ip",
    ],
    [
      "query_range",
      { query: '{a=~".*"}' },
      'parse error : queries require at least one regexp or equality matcher that does not have an empty-compatible value. For instance, app=~".*" does not meet this requirement, but app=~".+" will',
    ],
    [
      "query_range",
      { query: 'rate({a="b"} | json bad="user["[5m])' },
      `parse error : stage '| json bad="user["' : cannot parse expression [user[]: syntax error: unexpected $end, expecting STRING or INDEX`,
    ],
    [
      "query_range",
      { query: 'sum_over_time({a="b"}[5m])' },
      "parse error : invalid aggregation sum_over_time without unwrap",
    ],
    ["labels", { query: '{a="b"} |= "x"' }, "only label matchers are supported"],
  ])("%s %j", async (path, parameters, message) => {
    expect(await ask(path, parameters)).toEqual({ status: 400, text: message, type: "text/plain; charset=utf-8" });
  });

  test("a regular expression that is not RE2", async () => {
    const { status, text } = await ask("query_range", { query: '{a="b"} |~ "(?<=x)"' });
    expect(status).toBe(400);
    expect(text).toMatch(/^parse error : stage '\|~ "\(\?<=x\)"' : error parsing regexp/);
  });
});

describe("labels and series", () => {
  const data = async (path: string, parameters: Record<string, string> = {}) => {
    const { text } = await ask(path, parameters);
    return JSON.parse(text);
  };
  test.each<[string, Record<string, string>, unknown[] | undefined]>([
    ["labels", {}, ["k8s_pod_name", "service_name"]],
    ["labels", { query: '{service_name="cart"}' }, ["service_name"]],
    ["label", { since: "1s" }, ["k8s_pod_name", "service_name"]],
    ["label/service_name/values", {}, ["cart", "checkout"]],
    ["label/service_name/values", { since: "24h" }, ["cart", "checkout", "old"]],
    ["label/service_name/values", { query: '{k8s_pod_name="pod-1"}' }, ["checkout"]],
    ["label/none/values", {}, undefined],
    ["series", { "match[]": '{service_name="cart"}' }, [{ service_name: "cart" }]],
    ["series", { match: "{}", since: "1s" }, [checkout]],
  ])("%s %j", async (path, parameters, want) => {
    expect(await data(path, parameters)).toEqual({ status: "success", data: want });
  });

  test("series of several selectors, posted as a form, come once each", async () => {
    const answer = await app.inject({
      method: "POST",
      url: "/loki/api/v1/series",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      payload: 'match[]={service_name="cart"}&match[]={service_name=~"c.*"}',
    });
    expect(answer.json().data).toHaveLength(2);
  });

  test("build info", async () => {
    expect(await data("status/buildinfo")).toMatchObject({ version: "1.2.3", revision: "abcdef" });
  });
});
