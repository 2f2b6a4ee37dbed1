import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { TestCollector } from "../testing/test-collector.ts";

const collector = new TestCollector({ limits: { max_request_bytes: 10_000 } });
beforeAll(() => collector.start());
afterAll(() => collector.stop());
beforeEach(() => {
  collector.logs.taken.length = 0;
});

const NS = "1790000000123456789";
const BODY = JSON.stringify({ streams: [{ stream: { app: "shop" }, values: [[NS, "hello", { user: "ann" }]] }] });
/** A PushRequest with one stream {app="shop"} and one entry "hello" at NS, as raw snappy: one literal. */
function protobufBody(): Uint8Array {
  const field = (tag: number, bytes: Uint8Array) => Buffer.concat([Buffer.from([tag, bytes.length]), bytes]);
  const varint = (value: bigint): number[] =>
    value < 0x80n ? [Number(value)] : [Number(value & 0x7fn) | 0x80, ...varint(value >> 7n)];
  const time = Buffer.from([0x08, ...varint(1_790_000_000n), 0x10, ...varint(123_456_789n)]);
  const entry = Buffer.concat([field(0x0a, time), field(0x12, Buffer.from("hello"))]);
  const stream = Buffer.concat([field(0x0a, Buffer.from('{app="shop"}')), field(0x12, entry)]);
  const message = field(0x0a, stream);
  return Buffer.concat([Buffer.from([message.length, 0xf0, message.length - 1]), message]);
}
const json = { "content-type": "application/json" };

describe("pushed records are kept", () => {
  test.each<[string, Uint8Array | string, Record<string, string>]>([
    ["as JSON", BODY, json],
    ["as JSON with a charset", BODY, { "content-type": "application/json; charset=utf-8" }],
    ["as JSON with gzip", gzipSync(BODY), { ...json, "content-encoding": "gzip" }],
    ["as protobuf", protobufBody(), { "content-type": "application/x-protobuf" }],
    ["as JSON that says snappy, which is of protobuf alone", BODY, { ...json, "content-encoding": "snappy" }],
    ["as protobuf that says how it is compressed", protobufBody(), { "content-encoding": "snappy" }],
  ])("%s", async (_name, body, headers) => {
    for (const path of ["/loki/api/v1/push", "/api/prom/push"]) {
      const answer = await collector.post(path, body, { ...headers, "x-scope-orgid": "shop" });
      expect([answer.status, await answer.text()]).toEqual([204, ""]);
    }
    expect(collector.logs.taken).toHaveLength(2);
    const { tenant, batch } = collector.logs.taken[0] as (typeof collector.logs.taken)[0];
    expect([tenant, batch.timesNs[0], batch.bodies[0]]).toEqual(["shop", BigInt(NS), "hello"]);
    expect(batch.streams[0]?.labels).toEqual([
      ["app", "shop"],
      ["service_name", "shop"],
    ]);
    const last = (await collector.logged()).at(-1);
    expect(last?.request.protocol).toMatch(/^loki-push-/);
  });
});

describe("answers to what can't be taken", () => {
  test.each<[string, string | Uint8Array, Record<string, string>, number, string]>([
    ["no JSON", "{", json, 400, "the body is not JSON"],
    ["no snappy", "hello", {}, 400, ""],
    ["labels that are none", '{"streams":[{"labels":"{a","entries":[]}]}', json, 400, "couldn't parse labels: 1:3"],
    ["no streams", '{"streams":[]}', json, 422, "error at least one valid stream is required for ingestion"],
    ["an unknown encoding", BODY, { ...json, "content-encoding": "br" }, 400, 'Content-Encoding "br" not supported'],
    ["protobuf with gzip", gzipSync(BODY), { "content-encoding": "gzip" }, 400, "compress it with snappy"],
    ["a wrong key", BODY, { ...json, authorization: "no" }, 401, "wrong credential"],
    ["too much", " ".repeat(10_001), json, 413, "collector.limits.max_request_bytes"],
  ])("%s", async (_name, body, headers, status, text) => {
    const answer = await collector.post("/loki/api/v1/push", body, headers);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(text);
    expect(collector.logs.taken).toEqual([]);
  });

  test("a record that can't be kept makes it 400, and the others are kept", async () => {
    const body = JSON.stringify({
      streams: [
        {
          stream: {},
          values: [
            ["-5", "old"],
            [NS, "good"],
          ],
        },
      ],
    });
    const answer = await collector.post("/loki/api/v1/push", body, json);
    expect([answer.status, await answer.text()]).toEqual([
      400,
      "1 refused (invalid): the timestamp of an entry is not between 1970 and 2262\n",
    ]);
    expect(collector.logs.taken[0]?.batch.bodies).toEqual(["good"]);
  });

  test("another method", async () => {
    const answer = await fetch(`${collector.url}/loki/api/v1/push`);
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST"]);
  });
});
