import { constants, createGzip, createZstdCompress } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Ask } from "./harness/ask.ts";
import { grpcCall, grpcCallRaw, grpcFrame } from "./harness/grpc-call.ts";
import { call } from "./harness/http-call.ts";
import {
  encodeGauges,
  encodeLogs,
  encodeSpans,
  GRPC_METHODS,
  nestedValue,
  type OtlpSignal,
  readPartialSuccess,
  SIGNALS,
} from "./harness/otlp.ts";
import { patientMs } from "./harness/patience.ts";
import { ProtobufWriter } from "./harness/protobuf-writer.ts";
import { COMPRESSORS, RECEIVERS, type ReceiverCase } from "./harness/receivers.ts";
import { REMOTE_WRITE_2, snappy } from "./harness/remote-write.ts";
import { ServerProcess } from "./harness/server-process.ts";

const MIB = 1024 * 1024;

let server: ServerProcess;
/** Compressed 1 GB of zeros. */
const bombs: Record<string, Buffer> = {};
beforeAll(async () => {
  server = await ServerProcess.start();
  bombs.gzip = await zeros(createGzip({ level: constants.Z_BEST_SPEED }), 1_000);
  bombs.zstd = await zeros(createZstdCompress(), 1_000);
});
afterAll(async () => {
  if (server.isAlive) console.info(`peak memory after all hostile input: ${server.peakMemoryMiB()} MiB`);
  await server.dispose();
});

async function zeros(stream: NodeJS.ReadWriteStream, megabytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => stream.once("end", resolve));
  const block = Buffer.alloc(1_000_000);
  for (let i = 0; i < megabytes; i++) {
    if (!stream.write(block)) await new Promise((resolve) => stream.once("drain", resolve));
  }
  stream.end();
  await ended;
  return Buffer.concat(chunks);
}

let tenants = 0;
const freshTenant = () => `hostile-${++tenants}`;

afterEach(async () => {
  expect(server.isAlive, server.stderr.slice(-2_000)).toBe(true);
  expect((await call(`${server.url}/-/ready`)).status).toBe(200);
  expect(await new Ask(server.url).number("vector(2)")).toBe(2);
});

/** How many items the tenant has of the signal of a receiver, of those that {@link ReceiverCase.good} makes. */
async function countGood(receiver: ReceiverCase, tenant: string): Promise<number> {
  const ask = new Ask(server.url, tenant);
  if (receiver.signal === "metrics") return (await ask.samples("good")).length;
  if (receiver.signal === "traces") return (await ask.trace("01".repeat(16)))?.spans.length ?? 0;
  const now = BigInt(Date.now()) * 1_000_000n;
  return (await ask.logs('{service_name="good"}', now - 3_600_000_000_000n, now + 60_000_000_000n)).length;
}

describe.each(RECEIVERS.map((receiver) => [receiver.name, receiver] as const))("%s", (_, receiver) => {
  const send = (body: Uint8Array, options: { encoding?: string; contentType?: string } = {}, tenant = freshTenant()) =>
    receiver.send(server, body, { tenant, ...options });
  const garbage = Buffer.from("this is not what it says it is, and it is long enough to look at: 0123456789".repeat(4));
  const isJson = receiver.format === "json";
  const isRemoteWrite = receiver.protocol === "remote-write";

  test("takes a good request", async () => {
    const tenant = freshTenant();
    expect(await send(receiver.pack(receiver.good()), {}, tenant)).toMatchObject({ outcome: "accepted" });
    expect(await countGood(receiver, tenant)).toBe(1);
  });

  test("refuses a truncated message, wherever it is cut, and keeps nothing of it", async () => {
    const whole = receiver.good();
    const tenant = freshTenant();
    for (const length of [1, 3, 5, whole.length >> 1, whole.length - 9, whole.length - 1]) {
      const verdict = await send(receiver.pack(whole.subarray(0, length)), {}, tenant);
      expect({ length, ...verdict }).toMatchObject({ length, outcome: "bad" });
      expect(verdict.message).not.toBe("");
    }
    expect(await countGood(receiver, tenant)).toBe(0);
  });

  test("refuses what is no message at all", async () => {
    expect(await send(receiver.pack(garbage))).toMatchObject({ outcome: "bad", message: expect.stringMatching(/./) });
  });

  test("takes an empty batch", async () => {
    expect(await send(receiver.pack(isJson ? Buffer.from("{}") : Buffer.alloc(0)))).toMatchObject({
      outcome: "accepted",
    });
  });

  test("refuses a body larger than the limit, naming the setting", async () => {
    const verdict = await send(Buffer.alloc(100 * MIB, 32));
    expect(verdict).toMatchObject({ outcome: "too large", message: expect.stringContaining("max_request_bytes") });
  });

  test("refuses compression that is broken, cut or another one than it says", async () => {
    const packed = isRemoteWrite ? receiver.pack(receiver.good()) : COMPRESSORS.gzip?.(receiver.good());
    const encoding = isRemoteWrite ? "snappy" : "gzip";
    const whole = Buffer.from(packed as Uint8Array);
    const corrupt = Buffer.from(whole);
    corrupt.fill(0xff, whole.length >> 1);
    const bodies = { garbage, cut: whole.subarray(0, whole.length - 3), corrupt, plain: receiver.good() };
    for (const [what, body] of Object.entries(bodies)) {
      const verdict = await send(body, { encoding });
      expect({ what, ...verdict }).toMatchObject({ what, outcome: "bad", message: expect.stringMatching(/./) });
    }
  });

  test.runIf(isRemoteWrite)("refuses snappy that lies about its length", async () => {
    const good = Buffer.from(receiver.pack(receiver.good()));
    const length = (value: number) => new ProtobufWriter().varint(1, value).finish().subarray(1);
    const content = good.subarray(good.findIndex((byte) => byte < 128) + 1);
    for (const [claim, outcome] of [
      [1, "bad"],
      [100_000, "bad"],
      [100 * MIB, "bad"],
      [2 ** 31, "too large"],
      [2 ** 32 - 1, "too large"],
      [2 ** 40, "bad"],
    ] as const) {
      const verdict = await send(Buffer.concat([length(claim), content]));
      expect({ claim, ...verdict }).toMatchObject({ claim, outcome });
    }
  });

  test.runIf(!isRemoteWrite).each(receiver.protocol === "grpc" ? ["gzip"] : ["gzip", "zstd"])(
    "refuses 1 GB of zeros in %s before it is unpacked",
    async (encoding) => {
      const began = performance.now();
      const verdict = await send(bombs[encoding] as Buffer, { encoding });
      expect(verdict).toMatchObject({ outcome: "too large" });
      expect(verdict.message).toMatch(/max_(decompressed|request)_bytes/);
      expect(performance.now() - began).toBeLessThan(patientMs(5_000));
    },
  );

  test("refuses many bombs at once without running out of memory", async () => {
    const encoding = isRemoteWrite ? "snappy" : "gzip";
    const raw = Buffer.alloc(100 * MIB);
    const body = isRemoteWrite ? receiver.pack(raw) : (COMPRESSORS.gzip?.(raw) as Buffer);
    const verdicts = await Promise.all(Array.from({ length: 6 }, () => send(body, { encoding })));
    for (const verdict of verdicts) expect(["bad", "too large", "retry"], verdict.said).toContain(verdict.outcome);
  });

  test("names the content types it takes when it gets another one", async () => {
    if (receiver.protocol === "grpc") return;
    for (const contentType of ["text/plain", "application/xml", "nonsense", "application/x-protobuf-but-not"]) {
      const verdict = await send(receiver.pack(receiver.good()), { contentType });
      expect({ contentType, ...verdict }).toMatchObject({ contentType, outcome: "unsupported" });
      expect(verdict.message).toContain("application/x-protobuf");
    }
  });

  test("names the content encodings it takes when it gets another one", async () => {
    for (const encoding of ["br", "lz4", "gzip, gzip"]) {
      const verdict = await send(COMPRESSORS.br?.(receiver.good()) as Buffer, { encoding });
      expect({ encoding, ...verdict }).toMatchObject({ encoding, outcome: "unsupported" });
      expect(verdict.message).toMatch(/gzip|snappy/);
    }
  });

  test("is not impressed by deep nesting in fields it does not know", async () => {
    const depth = 10_000;
    const tenant = freshTenant();
    if (isJson) {
      const text = receiver
        .good()
        .toString()
        .replace(/}$/, `,"unknown":${"[".repeat(depth)}${"]".repeat(depth)}}`);
      expect(["accepted", "bad"]).toContain((await send(Buffer.from(text), {}, tenant)).outcome);
    } else {
      // Groups (wire types 3 and 4) are the one protobuf field that nests without a length.
      const groups = Buffer.alloc(4 * depth);
      for (let i = 0; i < depth; i++) groups.set([0xbb, 0x06], 2 * i);
      for (let i = depth; i < 2 * depth; i++) groups.set([0xbc, 0x06], 2 * i);
      const verdict = await send(receiver.pack(Buffer.concat([receiver.good(), groups])), {}, tenant);
      expect(["accepted", "bad"], verdict.said).toContain(verdict.outcome);
    }
  });
});

describe("many tiny parts in a request that is small when compressed", () => {
  const MANY = 20_000_000;
  const repeat = (unit: Uint8Array, bytes: number) => Buffer.alloc(bytes - (bytes % unit.length), unit);
  /** A field with the content given, as a message. */
  const wrap = (fields: readonly number[], content: Buffer): Buffer =>
    fields.reduceRight<Buffer>((inner, field) => new ProtobufWriter().bytes(field, inner).finish(), content);
  const empty = (field: number) => Buffer.from([(field << 3) | 2, 0]);

  test.each<[string, string, Buffer, string]>([
    ["empty resources", "/v1/logs", repeat(empty(1), MANY), "gzip"],
    ["empty scopes", "/v1/traces", wrap([1], repeat(empty(2), MANY)), "gzip"],
    ["empty log records", "/v1/logs", wrap([1, 2], repeat(empty(2), MANY)), "gzip"],
    ["empty spans", "/v1/traces", wrap([1, 2], repeat(empty(2), MANY)), "gzip"],
    ["empty metrics", "/v1/metrics", wrap([1, 2], repeat(empty(2), MANY)), "gzip"],
    ["empty data points", "/v1/metrics", wrap([1, 2, 2, 5], repeat(empty(1), MANY)), "gzip"],
    ["empty attributes", "/v1/logs", wrap([1, 2, 2], repeat(empty(6), MANY)), "gzip"],
    ["empty span events", "/v1/traces", wrap([1, 2, 2], repeat(empty(11), MANY)), "gzip"],
    ["empty histogram buckets", "/v1/metrics", wrap([1, 2, 2, 9, 1, 6], Buffer.alloc(MANY)), "gzip"],
    ["empty series of version 1", "/api/v1/write", repeat(empty(1), MANY), "snappy"],
    ["empty labels", "/api/v1/write", wrap([1], repeat(empty(1), MANY)), "snappy"],
    ["empty samples", "/api/v1/write", wrap([1], repeat(empty(2), MANY)), "snappy"],
    ["empty histograms", "/api/v1/write", wrap([1], repeat(empty(4), MANY)), "snappy"],
    ["empty exemplars", "/api/v1/write", wrap([1], repeat(empty(3), MANY)), "snappy"],
    ["empty metadata", "/api/v1/write", repeat(empty(3), MANY), "snappy"],
    ["empty symbols of version 2", "/api/v1/write?v=2", repeat(empty(4), MANY), "snappy"],
    ["empty series of version 2", "/api/v1/write?v=2", repeat(empty(5), MANY), "snappy"],
    ["label references of version 2", "/api/v1/write?v=2", wrap([5, 1], Buffer.alloc(MANY)), "snappy"],
    ["label references of an exemplar", "/api/v1/write?v=2", wrap([5, 4, 1], Buffer.alloc(MANY)), "snappy"],
  ])("%s: answered soon and within bounds of memory", async (_, path, raw, encoding) => {
    const body = encoding === "snappy" ? snappy(raw) : (COMPRESSORS.gzip?.(raw) as Buffer);
    const headers = {
      "content-type": path.endsWith("v=2") ? REMOTE_WRITE_2["content-type"] : "application/x-protobuf",
      "content-encoding": encoding,
      "x-scope-orgid": freshTenant(),
    };
    const base = path.startsWith("/v1/") ? server.otlpHttp : server.url;
    server.forgetPeakMemory();
    const beforeMiB = server.peakMemoryMiB();
    const began = performance.now();
    const answer = await call(`${base}${path}`, { headers, body });
    const grownMiB = server.peakMemoryMiB() - beforeMiB;
    const ms = performance.now() - began;
    expect([200, 204, 400, 413], answer.text.slice(0, 500)).toContain(answer.status);
    expect(answer.body.length).toBeLessThan(10_000);
    console.info(`${grownMiB} MiB, ${Math.round(ms)} ms: ${answer.status} ${answer.text.slice(0, 100)}`);
    expect(grownMiB).toBeLessThan(1_000);
    expect(ms).toBeLessThan(patientMs(7_000));
  });
});

describe("nesting of attribute values", () => {
  const deep: Readonly<Record<OtlpSignal, (depth: number) => Buffer>> = {
    metrics: (depth) =>
      encodeGauges("deep", [
        {
          name: "g",
          points: [{ timeNs: BigInt(Date.now()) * 1_000_000n, value: 1, attributes: { deep: nestedValue(depth) } }],
        },
      ]),
    logs: (depth) => encodeLogs("deep", [{ timeNs: 1n, body: "deep", attributes: { deep: nestedValue(depth) } }]),
    traces: (depth) =>
      encodeSpans("deep", [
        {
          traceId: Buffer.alloc(16, 2),
          spanId: Buffer.alloc(8, 2),
          name: "deep",
          startNs: 1n,
          endNs: 2n,
          attributes: { deep: nestedValue(depth) },
        },
      ]),
  };
  test.each(SIGNALS)("%s in protobuf: 10,000 levels are refused", async (signal) => {
    const body = deep[signal](10_000);
    const headers = { "content-type": "application/x-protobuf", "x-scope-orgid": freshTenant() };
    const answer = await call(`${server.otlpHttp}/v1/${signal}`, { headers, body });
    const refused = answer.status === 400 || (answer.status === 200 && readPartialSuccess(answer.body).rejected === 1);
    expect(refused, `${answer.status} ${answer.text}`).toBe(true);
    expect(answer.text).toMatch(/max_depth|nested deeper/);
    const grpc = await grpcCall(server.otlpGrpc, GRPC_METHODS[signal], body);
    expect(grpc.code === 3 || readPartialSuccess(grpc.body).rejected === 1, `${grpc.code} ${grpc.message}`).toBe(true);
  });

  test.each([10_000, 1_000_000])("logs in JSON: %d levels are refused", async (depth) => {
    const value = `${'{"arrayValue":{"values":['.repeat(depth)}{"stringValue":"core"}${"]}}".repeat(depth)}`;
    const body = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1","body":${value}}]}]}]}`;
    const headers = { "content-type": "application/json", "x-scope-orgid": freshTenant() };
    const answer = await call(`${server.otlpHttp}/v1/logs`, { headers, body });
    const { partialSuccess } = JSON.parse(answer.text) as { partialSuccess?: { rejectedLogRecords?: string } };
    expect(answer.status === 400 || Number(partialSuccess?.rejectedLogRecords) === 1, answer.text).toBe(true);
    expect(answer.text).toContain("max_depth");
  });
});

describe("requests that are broken below the message", () => {
  test("gRPC frames that promise more than comes, or than is allowed, end with a status", async () => {
    const path = GRPC_METHODS.logs;
    const short = Buffer.alloc(105);
    short.writeUInt32BE(1_000, 1);
    const huge = Buffer.alloc(105);
    huge.writeUInt32BE(0xffffffff, 1);
    expect((await grpcCallRaw(server.otlpGrpc, path, short)).code).not.toBe(0);
    expect([3, 8]).toContain((await grpcCallRaw(server.otlpGrpc, path, huge)).code);
    expect((await grpcCallRaw(server.otlpGrpc, path, Buffer.alloc(0))).code).not.toBe(0);
    const two = Buffer.concat([grpcFrame(Buffer.alloc(0)), grpcFrame(Buffer.alloc(0))]);
    expect((await grpcCallRaw(server.otlpGrpc, path, two)).code).not.toBe(-2);
  });

  test("an unknown gRPC method is unimplemented", async () => {
    expect((await grpcCall(server.otlpGrpc, "/some.Service/Method", Buffer.alloc(0))).code).toBe(12);
  });

  test.each(["GET", "PUT", "DELETE"])("%s on an ingest path is not an error of the server", async (method) => {
    for (const url of [`${server.otlpHttp}/v1/logs`, `${server.url}/api/v1/write`]) {
      expect([404, 405]).toContain((await call(url, { method })).status);
    }
  });

  test.each([
    ["nothing", ""],
    ["null", "null"],
    ["a list", "[]"],
    ["a number", "1"],
    ["the wrong type inside", '{"resourceLogs":{"a":1}}'],
    ["null inside", '{"resourceLogs":[null]}'],
    ["a prototype", '{"__proto__":{"x":1},"resourceLogs":[{"scopeLogs":[{"logRecords":[{"__proto__":[]}]}]}]}'],
    ["a time that is no number", '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"soon"}]}]}]}'],
    ["an id that is not hex", '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"zz"}]}]}]}'],
    ["half a surrogate", '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"\\ud800"}}]}]}]}'],
  ])("JSON that is %s gets an answer in JSON", async (_, body) => {
    const headers = { "content-type": "application/json", "x-scope-orgid": freshTenant() };
    const answer = await call(`${server.otlpHttp}/v1/logs`, { headers, body });
    expect([200, 400], answer.text).toContain(answer.status);
    expect(answer.headers["content-type"]).toContain("application/json");
    expect(JSON.parse(answer.text)).toBeTypeOf("object");
  });
});
