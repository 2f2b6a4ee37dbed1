import { afterAll, beforeAll, expect, test } from "vitest";
import { ServerProcess } from "./harness/server-process.ts";

let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start({});
});
afterAll(() => server.dispose());

const nowNs = BigInt(Date.now()) * 1_000_000n;
const text = (stringValue: string) => ({ stringValue });
const resource = { attributes: [{ key: "service.name", value: text("web") }] };
const userId = (id: string) => [{ key: "user.id", value: text(id) }];

async function call(method: string, path: string, body?: unknown): Promise<{ status: number; json: unknown }> {
  const headers = { "content-type": "application/json" };
  const init = body === undefined ? { method } : { method, headers, body: JSON.stringify(body) };
  const answer = await fetch(server.url + path, init);
  const isJson = answer.headers.get("content-type")?.includes("json");
  return { status: answer.status, json: isJson ? await answer.json() : undefined };
}

async function send(): Promise<void> {
  const record = (id: string, body: string) => ({ timeUnixNano: `${nowNs}`, body: text(body), attributes: userId(id) });
  const logRecords = [record("ann", "login of ann"), record("bob", "login of bob"), record("bob", "logout")];
  await call("POST", "/v1/logs", { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] });
  const span = (traceId: string, id: string) => ({
    traceId: traceId.repeat(32),
    spanId: traceId.repeat(16),
    name: "GET /",
    startTimeUnixNano: `${nowNs}`,
    endTimeUnixNano: `${nowNs + 5n}`,
    attributes: userId(id),
  });
  const spans = [span("a", "ann"), span("b", "bob")];
  await call("POST", "/v1/traces", { resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
  const point = (id: string) => ({ timeUnixNano: `${nowNs}`, asInt: "1", attributes: userId(id) });
  const metrics = [{ name: "cart", gauge: { dataPoints: [point("ann"), point("bob")] } }];
  await call("POST", "/v1/metrics", { resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] });
}

async function lines(): Promise<string[]> {
  const query = encodeURIComponent('{service_name="web"}');
  const { json } = await call("GET", `/loki/api/v1/query_range?query=${query}`);
  const { data } = json as { data: { result: { values: [string, string][] }[] } };
  return data.result.flatMap(({ values }) => values.map(([, line]) => line)).sort();
}

async function users(): Promise<unknown> {
  const { json } = await call("GET", "/api/v1/query?query=count%20by%20(user_id)%20(cart)");
  const { data } = json as { data: { result: { metric: unknown }[] } };
  return data.result.map(({ metric }) => metric);
}

test("records are deleted, listed, taken back, and the audit tells who did it", async () => {
  await send();
  const made = await call("POST", "/api/v1/admin/deletions", {
    signal: "logs",
    selector: '{service_name="web"} |= "login"',
    attributes: { "user.id": "bob" },
  });
  expect(made).toMatchObject({ status: 200, json: { data: { signal: "logs", rows: 1, state: "hidden" } } });
  expect(await lines()).toEqual(["login of ann", "logout"]);
  const listed = await call("GET", "/api/v1/admin/deletions");
  expect(listed.json).toMatchObject({ data: { deletions: [{ id: "1", signal: "logs", rows: 1 }] } });
  expect((await call("DELETE", "/api/v1/admin/deletions?signal=logs&id=1")).status).toBe(204);
  expect(await lines()).toEqual(["login of ann", "login of bob", "logout"]);
  expect((await call("DELETE", "/api/v1/admin/deletions?signal=logs&id=1")).status).toBe(404);
  const { json } = await call("GET", "/api/v1/admin/audit");
  expect(json).toMatchObject({
    data: { entries: [{ action: "cancel deletion" }, { action: "delete", details: { rows: 1, signal: "logs" } }] },
  });
});

test("what is about a person is gone from every signal, and nobody else's", async () => {
  const { json } = await call("POST", "/api/v1/admin/erase", { attributes: { "user.id": "ann" } });
  expect(json).toMatchObject({
    data: {
      erased: [
        { signal: "logs", rows: 1 },
        { signal: "traces", rows: 1 },
      ],
      metrics: true,
    },
  });
  expect(await lines()).toEqual(["login of bob", "logout"]);
  expect((await call("GET", `/api/traces/${"a".repeat(32)}`)).status).toBe(404);
  expect((await call("GET", `/api/traces/${"b".repeat(32)}`)).status).toBe(200);
  expect(await users()).toEqual([{ user_id: "bob" }]);
  const audit = await call("GET", "/api/v1/admin/audit");
  expect(JSON.stringify(audit.json)).toContain("erasure by user.id");
  expect(JSON.stringify(audit.json)).not.toContain("ann");
});

test.each([
  [{ signal: "logs" }, "give a selector, attributes or both"],
  [{ signal: "metrics" }, "signal:"],
  [{ signal: "logs", selector: "{" }, "parse error"],
  [{ signal: "logs", selector: 'sum(rate({a="b"}[1m]))' }, "a selector of log lines"],
  [{ signal: "logs", selector: '{a="b"}', start: "yesterday" }, "start: must be seconds since 1970"],
  [{ signal: "logs", selector: '{a="b"}', start: 5, end: 4 }, "start must be before end"],
  [{ signal: "traces", selector: '{a="b"}' }, "spans are chosen by attributes"],
])("%j is refused with what to do", async (body, message) => {
  expect(await call("POST", "/api/v1/admin/deletions", body)).toMatchObject({
    status: 400,
    json: { error: expect.stringContaining(message) },
  });
});
