import type { FastifyInstance } from "fastify";
import protobuf from "protobufjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TEST_DEPS } from "../http/test-app.ts";
import { parseTraceId } from "./routes.ts";
import { NOW_NS, SHORT_TRACE_ID, TRACE_ID, traceApp } from "./trace-test-app.ts";

/** The parts of opentelemetry.proto and tempopb that are written, read back here by another implementation. */
const { root } = protobuf.parse(`syntax = "proto3";
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3;
  double double_value = 4; ArrayValue array_value = 5; KvList kvlist_value = 6; bytes bytes_value = 7; } }
message ArrayValue { repeated AnyValue values = 1; }
message KvList { repeated KeyValue values = 1; }
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message Scope { string name = 1; string version = 2; repeated KeyValue attributes = 3; }
message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3;
  uint32 dropped_attributes_count = 4; }
message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4;
  uint32 dropped_attributes_count = 5; fixed32 flags = 6; }
message Status { string message = 2; int32 code = 3; }
message Span { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5;
  int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
  uint32 dropped_attributes_count = 10; repeated Event events = 11; uint32 dropped_events_count = 12;
  repeated Link links = 13; uint32 dropped_links_count = 14; Status status = 15; fixed32 flags = 16; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; string schema_url = 3; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
message Trace { repeated ResourceSpans resource_spans = 1; }
message TraceByIDResponse { Trace trace = 1; }`);
const base64 = (hex: string) => Buffer.from(hex, "hex").toString("base64");
function decode(type: string, bytes: Buffer) {
  const message = root.lookupType(type);
  return message.toObject(message.decode(bytes), { longs: String, bytes: String });
}

let app: FastifyInstance;
beforeAll(async () => {
  app = await traceApp();
});
afterAll(() => app.close());

const text = (key: string, value: string) => ({ key, value: { stringValue: value } });
const START = String(NOW_NS + 1_234n);
const END = String(NOW_NS + 1_234n + 5_000_999n);
const ATTRIBUTES = [
  { key: "big", value: { intValue: "9223372036854775807" } },
  text("http.route", "/cart"),
  { key: "http.status", value: { intValue: "500" } },
  {
    key: "list",
    value: {
      arrayValue: {
        values: [
          { stringValue: "a" },
          { intValue: "1" },
          { doubleValue: 1.5 },
          { boolValue: true },
          { kvlistValue: { values: [{ key: "k", value: { arrayValue: { values: [{}] } } }] } },
          { intValue: "12345678901234567" },
        ],
      },
    },
  },
  { key: "nan", value: { doubleValue: "NaN" } },
  { key: "negative", value: { intValue: "-5" } },
  { key: "ratio", value: { doubleValue: 0.25 } },
  { key: "raw", value: { bytesValue: "AQID" } },
  { key: "retry", value: { boolValue: false } },
];
const ROOT_SPAN = {
  traceId: base64(TRACE_ID),
  spanId: base64("00000000000000a1"),
  traceState: "vendor=1",
  flags: 257,
  name: "GET /cart",
  kind: "SPAN_KIND_SERVER",
  startTimeUnixNano: START,
  endTimeUnixNano: END,
  attributes: ATTRIBUTES,
  droppedAttributesCount: 1,
  events: [
    {
      timeUnixNano: String(NOW_NS + 2_000n),
      name: "exception",
      attributes: [text("exception.type", "Oops")],
      droppedAttributesCount: 4,
    },
  ],
  droppedEventsCount: 2,
  droppedLinksCount: 3,
  links: [
    {
      traceId: base64(TRACE_ID),
      spanId: base64("00000000000000ff"),
      traceState: "t=2",
      droppedAttributesCount: 5,
      flags: 769,
    },
    {
      traceId: base64(SHORT_TRACE_ID),
      spanId: base64("00000000000000fe"),
      attributes: [text("opentracing.ref_type", "child_of")],
    },
  ],
  status: { message: "boom", code: "STATUS_CODE_ERROR" },
};

type Spans = { scopeSpans: { scope: { name?: string }; spans: { name: string }[] }[] };
const spanNames = (resources: Spans[]) =>
  resources.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans.map(({ name }) => name))).sort();

describe.each(["/tempo", ""])("below %j", (base) => {
  test("echo", async () => {
    const answer = await app.inject(`${base}/api/echo`);
    expect([answer.statusCode, answer.body.trim()]).toEqual([200, "echo"]);
  });

  test("a trace as JSON in the form of protobuf's mapping", async () => {
    const answer = await app.inject(`${base}/api/v2/traces/${TRACE_ID}`);
    expect(answer.headers["content-type"]).toMatch(/^application\/json/);
    const { resourceSpans } = answer.json().trace;
    expect(spanNames(resourceSpans)).toEqual(["GET /cart", "db", "render"]);
    const frontend = resourceSpans.find(({ schemaUrl }: { schemaUrl?: string }) => schemaUrl);
    expect(frontend).toMatchObject({
      resource: { attributes: [text("service.name", "frontend"), text("host.name", "h1")] },
      schemaUrl: "https://schema/resource",
    });
    expect(frontend.scopeSpans).toHaveLength(1);
    expect(frontend.scopeSpans[0]).toMatchObject({
      scope: { name: "http", version: "1.2", attributes: [text("scope.kind", "x")] },
      schemaUrl: "https://schema/scope",
    });
    expect(frontend.scopeSpans[0].spans.find(({ name }: { name: string }) => name === "GET /cart")).toEqual(ROOT_SPAN);
  });

  test("a trace as protobuf", async () => {
    const answer = await app.inject({
      url: `${base}/api/v2/traces/${TRACE_ID.toUpperCase()}`,
      headers: { accept: "application/protobuf" },
    });
    expect(answer.headers["content-type"]).toBe("application/protobuf");
    const { trace } = decode("TraceByIDResponse", answer.rawPayload) as { trace: { resourceSpans: Spans[] } };
    expect(spanNames(trace.resourceSpans)).toEqual(["GET /cart", "db", "render"]);
    const spans = trace.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
    const attributes = ATTRIBUTES.map((attribute) =>
      attribute.key === "nan" ? { key: "nan", value: { doubleValue: Number.NaN } } : attribute,
    );
    expect(spans.find(({ name }) => name === "GET /cart")).toEqual({
      ...ROOT_SPAN,
      attributes,
      kind: 2,
      status: { message: "boom", code: 2 },
    });
  });

  test("the first API has batches, and a bare trace as protobuf", async () => {
    const json = await app.inject(`${base}/api/traces/${TRACE_ID}`);
    expect(spanNames(json.json().batches)).toEqual(["GET /cart", "db", "render"]);
    const bytes = await app.inject({
      url: `${base}/api/traces/${TRACE_ID}`,
      headers: { accept: "application/protobuf;q=1" },
    });
    expect(spanNames((decode("Trace", bytes.rawPayload) as { resourceSpans: Spans[] }).resourceSpans)).toHaveLength(3);
  });

  test.each([
    ["/api/v2/traces/abcd", 200],
    ["/api/v2/traces/00000000000000000000000000000001", 404],
    ["/api/traces/1", 404],
    ["/api/v2/traces/xyz", 400],
  ])("%s is answered with %d", async (path, status) => {
    expect((await app.inject(base + path)).statusCode).toBe(status);
  });
});

test("another tenant does not see the trace", async () => {
  const answer = await app.inject({ url: `/api/v2/traces/${TRACE_ID}`, headers: { "x-scope-orgid": "other" } });
  expect([answer.statusCode, answer.body]).toEqual([404, "trace not found"]);
});

test("a trace that is too large is refused, naming the setting", async () => {
  const small = await traceApp({ ...TEST_DEPS.config, traces: { max_spans: 2 } });
  const answer = await small.inject(`/api/v2/traces/${TRACE_ID}`);
  expect([answer.statusCode, answer.body]).toEqual([422, "the trace has 3 spans; query.traces.max_spans is 2"]);
  await small.close();
});

test.each([
  ["ABC", `${"0".repeat(29)}abc`],
  ["0x1", "trace IDs can only contain hex characters: invalid character 'x' at position 2"],
  ["1".repeat(33), "trace IDs can't be larger than 128 bits"],
])("the id %s is %s", (id, want) => {
  let read: string;
  try {
    read = parseTraceId(id);
  } catch (error) {
    read = (error as Error).message;
  }
  expect(read).toBe(want);
});
