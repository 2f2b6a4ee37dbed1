import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Ask } from "./harness/ask.ts";
import { grpcCall } from "./harness/grpc-call.ts";
import { call } from "./harness/http-call.ts";
import {
  encodeGauges,
  encodeLogs,
  encodeSpans,
  GRPC_METHODS,
  type OtlpSignal,
  readPartialSuccess,
} from "./harness/otlp.ts";
import { ServerProcess } from "./harness/server-process.ts";

let server: ServerProcess;
let tenants = 0;
const freshTenant = () => `values-${++tenants}`;
beforeAll(async () => {
  server = await ServerProcess.start();
});
afterEach(async () => {
  expect(server.isAlive, server.stderr.slice(-2_000)).toBe(true);
  expect((await call(`${server.url}/-/ready`)).status).toBe(200);
});
afterAll(() => server.dispose());

describe("values and times at the edges, over OTLP", () => {
  const protobuf = (tenant: string) => ({ "content-type": "application/x-protobuf", "x-scope-orgid": tenant });
  const secondsNs = (seconds: number) => BigInt(Math.round(seconds)) * 1_000_000_000n;
  const nowNs = secondsNs(Date.now() / 1000);
  const in2100Ns = secondsNs(Date.UTC(2100, 0) / 1000);

  test("metrics: NaN and infinities are kept as they are", async () => {
    const tenant = freshTenant();
    const points = [Number.NaN, Infinity, -Infinity, -0].map((value, i) => ({
      timeNs: nowNs + secondsNs(i - 10),
      value,
    }));
    const answer = await call(`${server.otlpHttp}/v1/metrics`, {
      headers: protobuf(tenant),
      body: encodeGauges("edge", [{ name: "g", points }]),
    });
    expect(answer.status).toBe(200);
    expect(readPartialSuccess(answer.body)).toEqual({ rejected: 0, message: "" });
    const samples = await new Ask(server.url, tenant).samples("g");
    expect(samples.map(([, value]) => value)).toEqual(["NaN", "+Inf", "-Inf", "-0"]);
  });

  test.each([
    ["of 1970", 1_000_000n, /old|retention/],
    ["of 2100", in2100Ns, /future|new/],
    ["beyond any date", 2n ** 64n - 1n, /future|new/],
  ])("metrics: a point %s is refused as a partial success, the others are kept", async (_, timeNs, reason) => {
    const tenant = freshTenant();
    const body = encodeGauges("edge", [
      { name: "before", points: [{ timeNs: nowNs, value: 1 }] },
      { name: "bad", points: [{ timeNs, value: 2 }] },
      { name: "after", points: [{ timeNs: nowNs, value: 3 }] },
    ]);
    const check = async (partial: { rejected: number; message: string }) => {
      expect(partial).toMatchObject({ rejected: 1, message: expect.stringMatching(reason) });
      const ask = new Ask(server.url, tenant);
      expect([await ask.number("before"), await ask.number("bad"), await ask.number("after")]).toEqual([
        1,
        Number.NaN,
        3,
      ]);
    };
    const http = await call(`${server.otlpHttp}/v1/metrics`, { headers: protobuf(tenant), body });
    expect(http.status).toBe(200);
    await check(readPartialSuccess(http.body));
    const grpc = await grpcCall(server.otlpGrpc, GRPC_METHODS.metrics, body, { headers: { "x-scope-orgid": tenant } });
    expect(grpc.code).toBe(0);
    await check(readPartialSuccess(grpc.body));
  });

  test("logs and spans as old as retention allows are kept and found", async () => {
    const tenant = freshTenant();
    const headers = protobuf(tenant);
    const traceId = Buffer.alloc(16, 9);
    const timeNs = nowNs - secondsNs(6 * 86_400);
    const span = { traceId, spanId: Buffer.alloc(8, 9), name: "when", startNs: timeNs, endNs: timeNs + 5n };
    for (const [signal, body] of [
      ["logs", encodeLogs("edge", [{ timeNs, body: "when" }])],
      ["traces", encodeSpans("edge", [span])],
    ] as const) {
      const answer = await call(`${server.otlpHttp}/v1/${signal}`, { headers, body });
      expect({ signal, status: answer.status, ...readPartialSuccess(answer.body) }).toEqual({
        signal,
        status: 200,
        rejected: 0,
        message: "",
      });
    }
    const ask = new Ask(server.url, tenant);
    const lines = await ask.logs('{service_name="edge"}', timeNs - 1_000n, timeNs + 1_000n);
    expect(lines.map(({ line, timeNs: at }) => [line, at])).toEqual([["when", timeNs]]);
    expect((await ask.trace(traceId.toString("hex")))?.spans).toHaveLength(1);
  });

  test.each([
    ["of 1970", 1_000_000n, /storage\.(logs|traces)\.retention/],
    ["of 2100", in2100Ns, /storage\.(logs|traces)\.max_future/],
    ["beyond any date", 2n ** 64n - 1n, /2262-04-11/],
  ])("logs and spans %s are refused one by one, saying why; the others are kept", async (_, timeNs, reason) => {
    const tenant = freshTenant();
    const records = [
      { timeNs: nowNs, body: "before" },
      { timeNs, body: "bad" },
      { timeNs: nowNs, body: "after" },
    ];
    const traceId = Buffer.alloc(16, 8);
    const spans = [nowNs, timeNs, nowNs].map((startNs, i) => {
      const endNs = startNs > nowNs ? startNs : startNs + 5n;
      return { traceId, spanId: Buffer.alloc(8, i + 1), name: `span ${i}`, startNs, endNs };
    });
    for (const [signal, body] of [
      ["logs", encodeLogs("edge", records)],
      ["traces", encodeSpans("edge", spans)],
    ] as const) {
      const check = (partial: { rejected: number; message: string }) =>
        expect(partial).toMatchObject({ rejected: 1, message: expect.stringMatching(reason) });
      const http = await call(`${server.otlpHttp}/v1/${signal}`, { headers: protobuf(tenant), body });
      expect(http.status).toBe(200);
      check(readPartialSuccess(http.body));
      const headers = { "x-scope-orgid": `${tenant}-grpc` };
      const grpc = await grpcCall(server.otlpGrpc, GRPC_METHODS[signal], body, { headers });
      expect(grpc.code).toBe(0);
      check(readPartialSuccess(grpc.body));
    }
    for (const owner of [tenant, `${tenant}-grpc`]) {
      const ask = new Ask(server.url, owner);
      const lines = await ask.logs('{service_name="edge"}', nowNs - 1_000n, nowNs + 1_000n);
      expect(lines.map(({ line }) => line).sort()).toEqual(["after", "before"]);
      const trace = await ask.trace(traceId.toString("hex"));
      expect(trace?.spans.map(({ operationName }) => operationName).sort()).toEqual(["span 0", "span 2"]);
    }
  });

  test("a log record without any time gets that of its arrival", async () => {
    const tenant = freshTenant();
    const body = encodeLogs("edge", [{ timeNs: 0n, body: "timeless" }]);
    const answer = await call(`${server.otlpHttp}/v1/logs`, { headers: protobuf(tenant), body });
    expect(readPartialSuccess(answer.body)).toEqual({ rejected: 0, message: "" });
    const now = BigInt(Date.now()) * 1_000_000n;
    const lines = await new Ask(server.url, tenant).logs(
      '{service_name="edge"}',
      now - 60_000_000_000n,
      now + 60_000_000_000n,
    );
    expect(lines.map(({ line }) => line)).toEqual(["timeless"]);
  });

  test("a span that ends before it starts, or has no ids, does not disturb the others", async () => {
    const tenant = freshTenant();
    const traceId = Buffer.alloc(16, 4);
    const good = { traceId, spanId: Buffer.alloc(8, 1), name: "good", startNs: nowNs, endNs: nowNs + 5n };
    const spans = [
      good,
      { ...good, spanId: Buffer.alloc(8, 2), name: "backwards", endNs: nowNs - 5n },
      { ...good, spanId: Buffer.alloc(0), name: "no span id" },
      { ...good, spanId: Buffer.alloc(8, 0), name: "zero span id" },
      { ...good, traceId: Buffer.alloc(0), name: "no trace id" },
      { ...good, traceId: Buffer.alloc(15, 4), name: "short trace id" },
      { ...good, spanId: Buffer.alloc(8, 3), name: "last" },
    ];
    const answer = await call(`${server.otlpHttp}/v1/traces`, {
      headers: protobuf(tenant),
      body: encodeSpans("edge", spans),
    });
    expect(answer.status).toBe(200);
    expect(readPartialSuccess(answer.body)).toMatchObject({ rejected: 4, message: expect.stringMatching(/id/) });
    const found = await new Ask(server.url, tenant).trace(traceId.toString("hex"));
    expect(found?.spans.map(({ operationName }) => operationName).sort()).toEqual(["backwards", "good", "last"]);
  });

  test.each(["http", "grpc"])(
    "text that is not UTF-8 over %s is refused or made readable, never kept broken",
    async (protocol) => {
      const tenant = freshTenant();
      const invalid = Buffer.from([0x61, 0xff, 0xfe, 0x62]);
      const traceId = Buffer.alloc(16, 5);
      const bodies = {
        logs: encodeLogs("edge", [
          { timeNs: nowNs, body: "good" },
          { timeNs: nowNs, body: "odd", attributes: { odd: (writer) => writer.bytes(1, invalid) } },
        ]),
        traces: encodeSpans("edge", [
          { traceId, spanId: Buffer.alloc(8, 1), name: invalid, startNs: nowNs, endNs: nowNs },
        ]),
      };
      for (const [signal, body] of Object.entries(bodies) as [OtlpSignal, Buffer][]) {
        const outcome =
          protocol === "http"
            ? (await call(`${server.otlpHttp}/v1/${signal}`, { headers: protobuf(tenant), body })).status
            : (await grpcCall(server.otlpGrpc, GRPC_METHODS[signal], body, { headers: { "x-scope-orgid": tenant } }))
                .code;
        expect([200, 400, 0, 3]).toContain(outcome);
        if (outcome === 400 || outcome === 3) continue;
        const ask = new Ask(server.url, tenant);
        const text =
          signal === "logs"
            ? JSON.stringify(
                (await ask.logs('{service_name="edge"}', nowNs - 1_000n, nowNs + 1_000n)).map(({ line, stream }) => [
                  line,
                  stream,
                ]),
              )
            : JSON.stringify(await ask.trace(traceId.toString("hex")));
        expect(text).toContain(signal === "logs" ? "good" : "a\ufffd");
      }
    },
  );
});
