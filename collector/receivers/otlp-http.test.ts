import { once } from "node:events";
import { connect } from "node:net";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import type { Signal } from "@sightline/model/ports.ts";
import { otlpJsonToProtobuf } from "@sightline/proto/otlp/json.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../testing/eventually.ts";
import { OTLP_JSON, otlpProtobuf, snappy } from "../testing/otlp-payloads.ts";
import { TestCollector } from "../testing/test-collector.ts";

const MIB = 1024 * 1024;
const PROTOBUF = { "content-type": "application/x-protobuf" };
const JSON_TYPE = { "content-type": "application/json" };

let collector: TestCollector;
beforeAll(async () => {
  collector = new TestCollector({
    limits: { max_request_bytes: 2 * MIB, max_decompressed_bytes: 4 * MIB, max_in_flight_bytes: 12 * MIB },
    otlp: { cors: { allowed_origins: ["https://shop.example"] } },
  });
  await collector.start();
});
afterAll(() => collector.stop());
beforeEach(() => {
  for (const signal of ["metrics", "logs", "traces"] as const) {
    collector[signal].taken.splice(0);
    collector[signal].onAppend = () => {};
  }
});

describe("what is taken", () => {
  const paths: readonly [string, Signal][] = [
    ["/v1/metrics", "metrics"],
    ["/v1/logs", "logs"],
    ["/v1/traces", "traces"],
    ["/api/v1/otlp/v1/metrics", "metrics"],
    ["/otlp/v1/logs", "logs"],
  ];

  test.each(paths)("%s takes protobuf", async (path, signal) => {
    const response = await collector.post(path, otlpProtobuf(signal), { ...PROTOBUF, "x-scope-orgid": "team-a" });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/x-protobuf");
    expect((await response.arrayBuffer()).byteLength).toBe(0);
    expect(collector[signal].taken).toMatchObject([{ tenant: "team-a" }]);
    expect(collector[signal].taken[0]?.batch.length).toBeGreaterThan(0);
  });

  test.each(paths)("%s takes JSON", async (path, signal) => {
    const response = await collector.post(path, OTLP_JSON[signal], {
      "content-type": "application/json; charset=utf-8",
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    expect(await response.json()).toEqual({});
    expect(collector[signal].taken).toHaveLength(1);
  });

  test.each([
    ["identity", (body: Uint8Array) => body],
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["zlib", deflateSync],
    ["zstd", zstdCompressSync],
    ["snappy", snappy],
    ["GZIP", gzipSync],
  ])("content encoding %s", async (encoding, compress) => {
    const body = compress(otlpProtobuf("logs"));
    const response = await collector.post("/v1/logs", body, { ...PROTOBUF, "content-encoding": encoding });
    expect(response.status).toBe(200);
    expect(collector.logs.taken[0]?.batch.bodies).toEqual(["hello"]);
  });

  test.each([
    ["protobuf", PROTOBUF, (json: string) => Buffer.from(otlpJsonToProtobuf("logs", Buffer.from(json)))],
    ["JSON", JSON_TYPE, (json: string) => Buffer.from(json)],
    ["JSON in gzip", { ...JSON_TYPE, "content-encoding": "gzip" }, (json: string) => gzipSync(json)],
  ])("a request of 20,000 records in %s, between whose records others are answered", async (_, headers, encode) => {
    const record = (i: number) => ({
      timeUnixNano: "1700000000000000000",
      body: { stringValue: `number ${i} of many` },
    });
    const logRecords = Array.from({ length: 20_000 }, (_, i) => record(i));
    const body = encode(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }));
    const large = collector.post("/v1/logs", body, headers);
    const small = await collector.post("/v1/logs", otlpProtobuf("logs"), PROTOBUF);
    expect(small.status).toBe(200);
    expect((await large).status).toBe(200);
    const bodies = collector.logs.taken.find(({ batch }) => batch.length > 1)?.batch.bodies;
    expect(bodies?.length).toBe(20_000);
    expect(bodies?.at(-1)).toBe("number 19999 of many");
  });

  test("a large request that is no JSON is refused like a small one", async () => {
    const response = await collector.post("/v1/logs", Buffer.alloc(MIB, "{"), JSON_TYPE);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ message: expect.stringContaining("JSON") });
    expect(collector.logs.taken).toHaveLength(0);
  });

  test.each([
    [PROTOBUF, ""],
    [JSON_TYPE, "{}"],
  ])("an empty request of %j is a success", async (headers, body) => {
    expect((await collector.post("/v1/traces", body, headers)).status).toBe(200);
    expect(collector.traces.taken).toEqual([]);
  });

  test("other routes of the same app keep their own bodies", async () => {
    const response = await collector.post("/other", '{"a":1}', JSON_TYPE);
    expect(await response.json()).toEqual({ got: { a: 1 } });
  });
});

test("rows that were refused are told as a partial success, in the encoding of the request", async () => {
  collector.logs.onAppend = () => ({ accepted: 0, rejected: [{ reason: "too_old", count: 1, message: "too old" }] });
  const json = await collector.post("/v1/logs", OTLP_JSON.logs, JSON_TYPE);
  expect(json.status).toBe(200);
  expect(await json.json()).toEqual({ partialSuccess: { rejectedLogRecords: "1", errorMessage: "too old" } });
  const binary = await collector.post("/v1/logs", otlpProtobuf("logs"), PROTOBUF);
  expect(binary.status).toBe(200);
  expect(Buffer.from(await binary.arrayBuffer())).toEqual(
    Buffer.from([10, 11, 8, 1, 18, 7, ...Buffer.from("too old")]),
  );
});

describe("what is refused", () => {
  const good = otlpProtobuf("logs");
  type Case = readonly [string, number, RegExp, Record<string, string>, Uint8Array | string];
  const cases: readonly Case[] = [
    ["an unknown content type", 415, /text\/plain.*application\/x-protobuf/, { "content-type": "text/plain" }, "hello"],
    ["a malformed content type", 415, /application\/json/, { "content-type": "nonsense" }, "hello"],
    ["an unknown content encoding", 415, /"br".*zstd/, { ...JSON_TYPE, "content-encoding": "br" }, "{}"],
    ["JSON that is none", 400, /./, JSON_TYPE, '{"resourceLogs":['],
    ["no body where JSON is announced", 400, /./, JSON_TYPE, ""],
    ["JSON of another shape", 400, /./, JSON_TYPE, '{"resourceLogs":7}'],
    ["gzip that is none", 400, /gzip/, { ...JSON_TYPE, "content-encoding": "gzip" }, "{}"],
    ["a wrong credential", 401, /credential/, { ...JSON_TYPE, authorization: "no" }, "{}"],
    ["an invalid tenant", 400, /tenant/, { ...JSON_TYPE, "x-scope-orgid": "a/b" }, "{}"],
  ];

  test.each(cases)("%s: %i", async (_, status, message, headers, body) => {
    const response = await collector.post("/v1/logs", body, headers);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    const answer = (await response.json()) as { code: number; message: string };
    expect(answer.message).toMatch(message);
    expect(answer.code).toBeGreaterThan(0);
    expect(collector.logs.taken).toEqual([]);
  });

  test("every truncation of a protobuf request: 400 with a Status, or the part that is whole", async () => {
    for (let length = 1; length < good.length; length += 3) {
      const response = await collector.post("/v1/logs", good.subarray(0, length), PROTOBUF);
      expect(response.status).toBe(400);
      expect(response.headers.get("content-type")).toBe("application/x-protobuf");
      expect(Buffer.from(await response.arrayBuffer()).subarray(0, 2)).toEqual(Buffer.from([8, 3]));
    }
  });

  test.each(["GET", "PUT", "DELETE", "PATCH"])("method %s: 405", async (method) => {
    const response = await fetch(`${collector.url}/v1/metrics`, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST");
    expect(await response.json()).toMatchObject({ message: `${method} is not served at /v1/metrics: use POST` });
  });

  test("a gzip bomb: 413 that names the setting", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * MIB));
    const response = await collector.post("/v1/logs", bomb, { ...JSON_TYPE, "content-encoding": "gzip" });
    expect(response.status).toBe(413);
    expect(await response.text()).toContain("limits.max_decompressed_bytes");
  });

  test("100 MB with a length: 413 that names the setting, and the client sees it", async () => {
    const response = await collector.post("/v1/logs", Buffer.alloc(100_000_000), PROTOBUF);
    expect(response.status).toBe(413);
    expect(await response.text()).toContain("collector.limits.max_request_bytes");
    expect(collector.ingest.budget.usedBytes).toBe(0);
  });

  test("100 MB without a length: the same", async () => {
    let sent = 0;
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new Uint8Array(MIB));
        if (++sent === 100) controller.close();
      },
    });
    const init = { method: "POST", body: stream, duplex: "half", headers: PROTOBUF } as RequestInit;
    const response = await fetch(`${collector.url}/v1/logs`, init);
    expect(response.status).toBe(413);
    expect(await response.text()).toContain("collector.limits.max_request_bytes");
  });
});

describe("being busy", () => {
  test("too many bytes in flight: 429 with Retry-After and RetryInfo, and room again afterwards", async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    collector.logs.onAppend = () => held;
    const padded = JSON.stringify({ ...JSON.parse(OTLP_JSON.logs), padding: "x".repeat(1.9 * MIB) });
    const waiting = Array.from({ length: 3 }, () => collector.post("/v1/logs", padded, JSON_TYPE));
    await eventually(() => expect(collector.ingest.budget.usedBytes).toBeGreaterThanOrEqual(11.4 * MIB));
    const refused = await collector.post("/v1/logs", padded, JSON_TYPE);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    const answer = (await refused.json()) as { message: string; details: unknown };
    expect(answer.message).toContain("collector.limits.max_in_flight_bytes");
    expect(answer.details).toMatchObject([{ "@type": "type.googleapis.com/google.rpc.RetryInfo" }]);
    release();
    for (const { status } of await Promise.all(waiting)) expect(status).toBe(200);
    expect((await collector.post("/v1/logs", padded, JSON_TYPE)).status).toBe(200);
    await eventually(() => expect(collector.ingest.budget.usedBytes).toBe(0));
  });

  test("a client that goes away in the middle of its body leaves nothing behind", async () => {
    const { hostname, port } = new URL(collector.url);
    const socket = connect(Number(port), hostname);
    await once(socket, "connect");
    socket.write(
      `POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{`,
    );
    await eventually(() => expect(collector.ingest.budget.usedBytes).toBe(1));
    socket.destroy();
    await eventually(() => expect(collector.ingest.budget.usedBytes).toBe(0));
    expect((await collector.post("/v1/logs", OTLP_JSON.logs, JSON_TYPE)).status).toBe(200);
  });
});

describe("cross-origin requests", () => {
  const preflight = (path: string, origin: string) =>
    fetch(collector.url + path, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "x-team" },
    });

  test.each(["/v1/traces", "/otlp/v1/logs"])("%s answers a preflight of an allowed origin", async (path) => {
    const response = await preflight(path, "https://shop.example");
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-origin")).toBe("https://shop.example");
    expect(response.headers.get("access-control-allow-headers")).toBe("x-team");
    const headers = { ...JSON_TYPE, origin: "https://shop.example" };
    const answer = await collector.post("/v1/traces", OTLP_JSON.traces, headers);
    expect(answer.headers.get("access-control-allow-origin")).toBe("https://shop.example");
  });

  test("no other origin is allowed", async () => {
    const response = await preflight("/v1/traces", "https://evil.example");
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });
});
