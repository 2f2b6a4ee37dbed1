import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { encodeV1 } from "@sightline/proto/remote-write/test-messages.ts";
import { afterEach, describe, expect, test } from "vitest";
import { eventually } from "../testing/eventually.ts";
import { OTLP_JSON, otlpProtobuf, snappy } from "../testing/otlp-payloads.ts";
import { TestCollector } from "../testing/test-collector.ts";

const dir = mkdtempSync(join(tmpdir(), "collector-limits-"));
let collector: TestCollector | undefined;
afterEach(async () => {
  await collector?.stop();
  collector = undefined;
});

async function started(tenants: unknown, settings: Record<string, unknown> = {}): Promise<TestCollector> {
  collector = new TestCollector({ tenants, ...settings });
  await collector.start();
  return collector;
}

const JSON_TYPE = { "content-type": "application/json" };
const NOW = Date.now();
const write = (labels: [string, string][][], timeMs = NOW) =>
  snappy(
    encodeV1({ timeseries: labels.map((each) => ({ labels: each, samples: [{ value: 1, timestamp: timeMs }] })) }),
  );
const named = (...more: [string, string][]): [string, string][] => [["__name__", "up"], ...more];
const log = (record: object) =>
  JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ timeUnixNano: `${NOW}000000`, ...record }] }] }] });
const spans = (count: number) =>
  JSON.stringify({
    resourceSpans: [
      {
        scopeSpans: [
          {
            spans: Array.from({ length: count }, (_, i) => ({
              traceId: "0123456789abcdef0123456789abcdef",
              spanId: (i + 1).toString(16).padStart(16, "0"),
              name: "s",
              startTimeUnixNano: `${NOW}000000`,
              endTimeUnixNano: `${NOW}000000`,
            })),
          },
        ],
      },
    ],
  });

describe("rates", () => {
  test.each([
    ["items_per_second", { items_per_second: 1 }],
    ["bytes_per_second", { bytes_per_second: 1 }],
  ])("above %s: 429 with Retry-After, and nothing is kept", async (key, limits) => {
    const { post, logs } = await bound(await started({ limits: { logs: limits } }));
    expect((await post("/v1/logs", OTLP_JSON.logs, JSON_TYPE)).status).toBe(200);
    const refused = await post("/v1/logs", OTLP_JSON.logs, JSON_TYPE);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    const { message, details } = (await refused.json()) as { message: string; details: unknown[] };
    expect(message).toContain(`limits.logs.${key}`);
    expect(details).toHaveLength(1);
    expect((await post("/v1/logs", OTLP_JSON.logs, { ...JSON_TYPE, "x-scope-orgid": "other" })).status).toBe(200);
    expect(logs.taken).toHaveLength(2);
  });

  test("remote write is told 429, too", async () => {
    const { post } = await bound(await started({ limits: { metrics: { items_per_second: 1 } } }));
    const body = write(Array.from({ length: 30 }, (_, i) => named(["i", String(i)])));
    expect((await post("/api/v1/write", body)).status).toBe(204);
    const refused = await post("/api/v1/write", body);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(20);
  });
});

test("over gRPC a rate is RESOURCE_EXHAUSTED with RetryInfo, which makes it retryable", async () => {
  const { grpc } = await started({ limits: { traces: { items_per_second: 1 } } });
  const client = new Client(grpc.address, credentials.createInsecure());
  const send = () =>
    new Promise<ServiceError | null>((resolve) => {
      const bytes = (message: Buffer) => message;
      const method = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
      client.makeUnaryRequest(method, bytes, bytes, Buffer.from(otlpProtobuf("traces")), resolve);
    });
  expect(await send()).toBeNull();
  const error = await send();
  expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
  expect(error?.details).toContain("limits.traces.items_per_second (1)");
  expect(String(error?.metadata.get("grpc-status-details-bin")[0])).toContain("google.rpc.RetryInfo");
  client.close();
});

test("what is refused is counted by tenant and reason", async () => {
  const limits = { items_per_second: 1, max_label_value_length: 10 };
  const { post } = await bound(await started({ limits: { metrics: limits } }));
  const body = write([named(), named(["a", "1".repeat(11)]), named(["a", "2".repeat(11)])]);
  for (let i = 0; i < 3; i++) await post("/api/v1/write", body, { "x-scope-orgid": "ada" });
  const text = await (collector as TestCollector).registry.metrics();
  expect(text).toContain('sightline_discarded_items_total{signal="metrics",tenant="ada",reason="label_limit"} 2');
  // Two requests of three samples each, as far as can be told without decoding them.
  expect(text).toContain('sightline_discarded_items_total{signal="metrics",tenant="ada",reason="rate_limit"} 6');
  expect(text).toContain('sightline_limited_requests_total{signal="metrics",tenant="ada",limit="items_per_second"} 2');
});

test("the server's own telemetry has no limits but its own", async () => {
  const { post } = await bound(await started({ limits: { logs: { items_per_second: 1 } } }));
  const own = { ...JSON_TYPE, "x-scope-orgid": "system" };
  for (let i = 0; i < 3; i++) expect((await post("/v1/logs", OTLP_JSON.logs, own)).status).toBe(200);
});

test("a request larger than the tenant's is 413 and names the key", async () => {
  const { post } = await bound(await started({ limits: { traces: { max_request_bytes: 10 } } }));
  const refused = await post("/v1/traces", OTLP_JSON.traces, JSON_TYPE);
  expect(refused.status).toBe(413);
  expect(await refused.text()).toContain("limits.traces.max_request_bytes");
});

describe("rows above a limit are refused and the others kept", () => {
  test.each<[string, [string, string][], number]>([
    ["max_labels_per_series", named(["a", "1"], ["b", "2"], ["c", "3"]), NOW],
    ["max_label_name_length", named(["a".repeat(11), "1"]), NOW],
    ["max_label_value_length", named(["a", "1".repeat(11)]), NOW],
    ["out_of_order_window_ms", named(["a", "1"]), NOW - 120_000],
    ["future_window_ms", named(["a", "1"]), NOW + 120_000],
  ])("metrics: %s", async (key, labels, timeMs) => {
    const limits = {
      max_labels_per_series: 3,
      max_label_name_length: 10,
      max_label_value_length: 10,
      out_of_order_window_ms: 60_000,
      future_window_ms: 60_000,
    };
    const { post, metrics } = await bound(await started({ limits: { metrics: limits } }));
    const body = encodeV1({
      timeseries: [
        { labels, samples: [{ value: 1, timestamp: timeMs }] },
        { labels: named(), samples: [{ value: 1, timestamp: NOW }] },
      ],
    });
    const answer = await post("/api/v1/write", snappy(body));
    expect(answer.status).toBe(400);
    expect(await answer.text()).toMatch(new RegExp(`^1 refused .*limits.metrics.${key}`));
    expect(metrics.taken[0]?.batch.length).toBe(1);
  });

  const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } });
  test.each([
    ["max_attributes", { attributes: [attribute("a", "1"), attribute("b", "1"), attribute("c", "1")] }],
    ["max_attribute_name_length", { attributes: [attribute("a".repeat(11), "1")] }],
    ["max_attribute_value_length", { attributes: [attribute("a", "1".repeat(11))] }],
    ["max_body_length", { body: { stringValue: "x".repeat(11) } }],
    ["out_of_order_window_ms", { timeUnixNano: `${NOW - 120_000}000000` }],
    ["future_window_ms", { timeUnixNano: `${NOW + 3_600_000}000000` }],
  ])("logs: %s", async (key, record) => {
    const limits = {
      max_attributes: 2,
      max_attribute_name_length: 10,
      max_attribute_value_length: 10,
      max_body_length: 10,
      out_of_order_window_ms: 60_000,
      future_window_ms: 60_000,
    };
    const { post, logs } = await bound(await started({ limits: { logs: limits } }));
    const answer = await post("/v1/logs", log(record), JSON_TYPE);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      partialSuccess: { rejectedLogRecords: "1", errorMessage: expect.stringContaining(`limits.logs.${key}`) },
    });
    expect(logs.taken).toEqual([]);
    expect(await (await post("/v1/logs", log({ body: { stringValue: "short" } }), JSON_TYPE)).json()).toEqual({});
  });

  test("traces: max_spans_per_trace, over requests", async () => {
    const { post, traces } = await bound(await started({ limits: { traces: { max_spans_per_trace: 3 } } }));
    expect(await (await post("/v1/traces", spans(2), JSON_TYPE)).json()).toEqual({});
    expect(await (await post("/v1/traces", spans(2), JSON_TYPE)).json()).toMatchObject({
      partialSuccess: { rejectedSpans: "1", errorMessage: expect.stringContaining("max_spans_per_trace") },
    });
    expect(traces.taken.map(({ batch }) => batch.length)).toEqual([2, 1]);
  });
});

describe("the overrides file", () => {
  const path = join(dir, "overrides.yaml");
  const settings = { overrides_file: path, overrides_reload_interval_ms: 20 };
  /** In one step: half of it may be a good file, too. */
  const put = (text: string) => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };

  test("gives a tenant limits of its own, and others when it changes; a wrong one is not used", async () => {
    put("ada: {limits: {logs: {max_body_length: 3}}}");
    const { post } = await bound(await started({ limits: { logs: { max_attributes: 9 } } }, settings));
    const refused = async (tenant: string, text: string) => {
      const answer = await post("/v1/logs", log({ body: { stringValue: text } }), {
        ...JSON_TYPE,
        "x-scope-orgid": tenant,
      });
      return "partialSuccess" in ((await answer.json()) as object);
    };
    expect([await refused("ada", "1234"), await refused("bob", "1234")]).toEqual([true, false]);
    put("ada: {limits: {logs: {max_body_lenght: 9}}}");
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await refused("ada", "1234")).toBe(true);
    put("bob: {limits: {logs: {max_body_length: 3}}}");
    await eventually(async () => expect(await refused("bob", "1234")).toBe(true));
    expect(await refused("ada", "1234")).toBe(false);
  });

  test.each([
    ["ada: {limits: {logs: {max_body_lenght: 9}}}", /ada\.limits\.logs: .*max_body_lenght/],
    [
      "ada: {processors: {metrics: [{kind: relabel, rules: [{regex: '('}]}]}}",
      /ada\.processors\.metrics\.0\.rules\.0\.regex/,
    ],
    ["ada/../bob: {}", /invalid tenant/],
    ["[1]", /must be a map/],
    ["ada: *nobody", /nobody/],
    ["ada: {", /overrides\.yaml/],
  ])("that is wrong at the start is an error: %s", async (text, message) => {
    put(text);
    const other = new TestCollector(settings);
    await expect(other.start()).rejects.toThrow(message);
    await other.stop();
  });
});

async function bound(collector: TestCollector) {
  const { metrics, logs, traces } = collector;
  return { post: collector.post.bind(collector), metrics, logs, traces };
}

process.on("exit", () => rmSync(dir, { recursive: true, force: true }));
