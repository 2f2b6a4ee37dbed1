import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { Client, compressionAlgorithms, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import type { Signal } from "@sightline/model/ports.ts";
import { otlpJsonToProtobuf } from "@sightline/proto/otlp/json.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../testing/eventually.ts";
import { OTLP_JSON, otlpProtobuf } from "../testing/otlp-payloads.ts";
import { TestCollector } from "../testing/test-collector.ts";

const METHODS: Readonly<Record<Signal, string>> = {
  metrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
  logs: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
  traces: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
};
const MIB = 1024 * 1024;

let collector: TestCollector;
const clients: Client[] = [];
beforeAll(async () => {
  collector = new TestCollector({
    limits: { max_request_bytes: MIB, max_decompressed_bytes: 4 * MIB, max_in_flight_bytes: MIB },
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
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

function connect(options: Record<string, unknown> = {}): Client {
  const client = new Client(collector.grpc.address, credentials.createInsecure(), {
    "grpc.max_send_message_length": -1,
    ...options,
  });
  clients.push(client);
  return client;
}

function call(client: Client, method: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<Buffer> {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      method,
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
      Buffer.from(body),
      metadata,
      (error, answer) => (error ? reject(error) : resolve(answer as Buffer)),
    );
  });
}

async function failure(promise: Promise<unknown>): Promise<ServiceError> {
  return promise.then(
    () => {
      throw new Error("was accepted");
    },
    (error: ServiceError) => error,
  );
}

/** Over bare HTTP/2, with a compression that the client library would not use. */
async function rawCall(path: string, encoding: string, body: Uint8Array): Promise<{ code: number; details: string }> {
  const session = connectHttp2(`http://${collector.grpc.address}`);
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    "grpc-encoding": encoding,
  });
  const prefix = Buffer.alloc(5);
  prefix[0] = 1;
  prefix.writeUInt32BE(body.length, 1);
  let answer: Record<string, unknown> = {};
  const read = (headers: Record<string, unknown>) => {
    answer = { ...answer, ...headers };
  };
  stream.on("response", read);
  stream.on("trailers", read);
  stream.resume();
  stream.end(Buffer.concat([prefix, body]));
  await once(stream, "close");
  session.close();
  return { code: Number(answer["grpc-status"]), details: decodeURIComponent(String(answer["grpc-message"] ?? "")) };
}

function detailsOf(error: ServiceError): string {
  return (error.metadata.get("grpc-status-details-bin")[0] as Buffer).toString("latin1");
}

test.each(["metrics", "logs", "traces"] as const)(
  "%s are taken, for the tenant that the metadata name",
  async (signal) => {
    const answer = await call(connect(), METHODS[signal], otlpProtobuf(signal), { "x-scope-orgid": "team-a" });
    expect(answer).toHaveLength(0);
    expect(collector[signal].taken).toMatchObject([{ tenant: "team-a" }]);
    expect(collector[signal].taken[0]?.batch.length).toBeGreaterThan(0);
  },
);

test.each(["gzip", "deflate"] as const)("%s is taken", async (name) => {
  const client = connect({ "grpc.default_compression_algorithm": compressionAlgorithms[name] });
  await call(client, METHODS.logs, otlpProtobuf("logs"));
  expect(collector.logs.taken[0]?.batch.bodies).toEqual(["hello"]);
});

test("an empty message is a success", async () => {
  expect(await call(connect(), METHODS.traces, Buffer.alloc(0))).toHaveLength(0);
});

test("rows that were refused are told as a partial success", async () => {
  collector.logs.onAppend = () => ({ accepted: 0, rejected: [{ reason: "too_old", count: 1, message: "too old" }] });
  const answer = await call(connect(), METHODS.logs, otlpProtobuf("logs"));
  expect(answer).toEqual(Buffer.from([10, 11, 8, 1, 18, 7, ...Buffer.from("too old")]));
});

describe("what is refused", () => {
  const cases: readonly [string, string, Uint8Array, Record<string, string>, number, RegExp][] = [
    ["truncated protobuf", METHODS.logs, otlpProtobuf("logs").subarray(0, -3), {}, status.INVALID_ARGUMENT, /./],
    ["an unknown service", "/acme.Service/Export", Buffer.alloc(0), {}, status.UNIMPLEMENTED, /./],
    [
      "a wrong credential",
      METHODS.logs,
      Buffer.alloc(0),
      { authorization: "no" },
      status.UNAUTHENTICATED,
      /credential/,
    ],
    ["an invalid tenant", METHODS.logs, Buffer.alloc(0), { "x-scope-orgid": "a/b" }, status.INVALID_ARGUMENT, /tenant/],
    [
      "2 MiB",
      METHODS.logs,
      Buffer.alloc(2 * MIB),
      {},
      status.RESOURCE_EXHAUSTED,
      /collector\.limits\.max_request_bytes/,
    ],
    ["100 MB", METHODS.logs, Buffer.alloc(1e8), {}, status.RESOURCE_EXHAUSTED, /collector\.limits\.max_request_bytes/],
  ];
  test.each(cases)("%s", async (_, method, body, headers, code, message) => {
    const error = await failure(call(connect(), method, body, headers));
    expect(error).toMatchObject({ code, details: expect.stringMatching(message) });
    expect(collector.logs.taken).toEqual([]);
  });

  test("a gzip bomb", async () => {
    const client = connect({ "grpc.default_compression_algorithm": compressionAlgorithms.gzip });
    const error = await failure(call(client, METHODS.logs, Buffer.alloc(64 * MIB)));
    expect(error).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringContaining("limits.max_decompressed_bytes"),
    });
  });

  test.each([
    ["garbage that claims to be gzip", "gzip", Buffer.from("nonsense"), status.INVALID_ARGUMENT, /gzip/],
    ["gzip that is cut", "gzip", gzipSync(otlpProtobuf("logs")).subarray(0, -3), status.INVALID_ARGUMENT, /gzip/],
    ["plain bytes that claim to be gzip", "gzip", otlpProtobuf("logs"), status.INVALID_ARGUMENT, /gzip/],
    ["an unknown compression", "br", otlpProtobuf("logs"), status.UNIMPLEMENTED, /"?br"? .*use gzip/],
  ])("%s", async (_, encoding, body, code, message) => {
    const answer = await rawCall(METHODS.logs, encoding, body);
    expect(answer.code).toBe(code);
    expect(answer.details).toMatch(message);
  });

  test("zstd is taken, too, and kept compressed in the log", async () => {
    const body = zstdCompressSync(otlpProtobuf("logs"));
    expect(await rawCall(METHODS.logs, "zstd", body)).toMatchObject({ code: status.OK });
    expect(collector.logs.taken).toHaveLength(1);
    const entry = (await collector.logged()).at(-1);
    expect(entry?.request).toMatchObject({ protocol: "otlp-logs-protobuf", encoding: "zstd" });
    expect(Buffer.compare(entry?.request.body as Uint8Array, body)).toBe(0);
  });

  test("details carry google.rpc.Status; without RetryInfo where a retry would not help", async () => {
    const error = await failure(call(connect(), METHODS.logs, otlpProtobuf("logs").subarray(0, -3)));
    expect(detailsOf(error).startsWith("\x08\x03")).toBe(true);
    expect(detailsOf(error)).not.toContain("RetryInfo");
  });

  test("a message that is half received takes its place, until its sender is gone", async () => {
    const session = connectHttp2(`http://${collector.grpc.address}`);
    session.on("error", () => {});
    const headers = { ":method": "POST", ":path": METHODS.logs, "content-type": "application/grpc", te: "trailers" };
    const stream = session.request(headers, { endStream: false });
    stream.on("error", () => {});
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(MIB / 2, 1);
    stream.write(Buffer.concat([prefix, Buffer.alloc(1_000)]));
    await eventually(() => expect(collector.ingest.budget.usedBytes).toBe(1_005));
    session.destroy();
    await eventually(() => expect(collector.ingest.budget.usedBytes).toBe(0));
  });

  test("being busy is RESOURCE_EXHAUSTED with RetryInfo, which OTLP clients retry", async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    collector.logs.onAppend = () => held;
    const padded = { resourceLogs: [], ...JSON.parse(OTLP_JSON.logs) };
    padded.resourceLogs[0].schemaUrl = "x".repeat(0.7 * MIB);
    const body = otlpJsonToProtobuf("logs", Buffer.from(JSON.stringify(padded)));
    const client = connect();
    const first = call(client, METHODS.logs, body);
    await eventually(() => expect(collector.ingest.budget.usedBytes).toBeGreaterThan(0.6 * MIB));
    const error = await failure(call(client, METHODS.logs, body));
    expect(error).toMatchObject({ code: status.RESOURCE_EXHAUSTED, details: expect.stringContaining("max_in_flight") });
    expect(detailsOf(error)).toContain("type.googleapis.com/google.rpc.RetryInfo");
    release();
    await first;
  });
});
