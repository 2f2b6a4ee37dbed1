import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SHORT_TRACE_ID, TRACE_ID, traceApp } from "../tempo-api/trace-test-app.ts";

let app: FastifyInstance;
beforeAll(async () => {
  app = await traceApp();
});
afterAll(() => app.close());

async function ask(path: string) {
  const answer = await app.inject(`/jaeger/api/${path}`);
  return { status: answer.statusCode, body: answer.json() };
}
const list = (data: unknown[]) => ({
  status: 200,
  body: { data, total: data.length, limit: 0, offset: 0, errors: null },
});
const failure = (code: number, msg: string) => ({
  status: code,
  body: { data: null, total: 0, limit: 0, offset: 0, errors: [{ code, msg }] },
});
const text = (key: string, value: string) => ({ key, type: "string", value });

test.each([
  ["services", list(["cart", "clock", "frontend"])],
  ["services/frontend/operations", list(["GET /cart", "render"])],
  ["services/nobody/operations", list([])],
  [
    "operations?service=frontend",
    list([
      { name: "GET /cart", spanKind: "server" },
      { name: "render", spanKind: "internal" },
    ]),
  ],
  ["operations?service=clock", list([{ name: "tick", spanKind: "" }])],
  ["operations?service=frontend&spanKind=server", list([{ name: "GET /cart", spanKind: "server" }])],
  ["operations", failure(400, "parameter 'service' is required")],
  ["dependencies?endTs=1&lookback=2", list([])],
  ["traces/1", failure(404, "trace not found")],
  ["traces/xyz", failure(400, "trace IDs can only contain hex characters: invalid character 'x' at position 1")],
])("%s", async (path, want) => expect(await ask(path)).toEqual(want));

test("a trace in the form of Jaeger's UI", async () => {
  const { status, body } = await ask(`traces/${TRACE_ID}`);
  expect(status).toBe(200);
  expect(body).toMatchObject({ total: 0, limit: 0, offset: 0, errors: null });
  const [trace] = body.data;
  expect(trace.traceID).toBe(TRACE_ID);
  expect(trace.spans).toHaveLength(3);
  const span = trace.spans.find((one: { operationName: string }) => one.operationName === "GET /cart");
  expect(trace.processes[span.processID]).toEqual({ serviceName: "frontend", tags: [text("host.name", "h1")] });
  expect(span).toEqual({
    traceID: TRACE_ID,
    spanID: "00000000000000a1",
    operationName: "GET /cart",
    references: [
      { refType: "FOLLOWS_FROM", traceID: TRACE_ID, spanID: "00000000000000ff" },
      { refType: "CHILD_OF", traceID: SHORT_TRACE_ID.slice(16), spanID: "00000000000000fe" },
    ],
    startTime: 1_700_000_000_000_001,
    duration: 5_000,
    tags: [
      text("otel.scope.name", "http"),
      text("otel.scope.version", "1.2"),
      { key: "big", type: "int64", value: "9223372036854775807" },
      text("http.route", "/cart"),
      { key: "http.status", type: "int64", value: 500 },
      text("list", '["a",1,1.5,true,{"k":[null]},12345678901234567]'),
      { key: "nan", type: "float64", value: "NaN" },
      { key: "negative", type: "int64", value: -5 },
      { key: "ratio", type: "float64", value: 0.25 },
      { key: "raw", type: "binary", value: "AQID" },
      { key: "retry", type: "bool", value: false },
      text("span.kind", "server"),
      text("otel.status_code", "ERROR"),
      { key: "error", type: "bool", value: true },
      text("otel.status_description", "boom"),
      text("w3c.tracestate", "vendor=1"),
    ],
    logs: [{ timestamp: 1_700_000_000_000_002, fields: [text("event", "exception"), text("exception.type", "Oops")] }],
    processID: span.processID,
    warnings: null,
  });
  const child = trace.spans.find((one: { operationName: string }) => one.operationName === "render");
  expect(child.references).toEqual([{ refType: "CHILD_OF", traceID: TRACE_ID, spanID: "00000000000000a1" }]);
  expect(child.processID).toBe(span.processID);
});

test("a trace id of 64 bits is written short, and a service without a name gets one", async () => {
  const { body } = await ask("traces/abcd");
  expect(body.data[0].traceID).toBe("000000000000abcd");
  expect(body.data[0].processes).toEqual({ p1: { serviceName: "missing-service-name", tags: [] } });
});
