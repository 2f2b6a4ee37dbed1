import { InvalidInputError, TooLargeError } from "@sightline/model/errors.ts";
import { labelsToObject } from "@sightline/model/labels.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import protobuf from "protobufjs";
import { describe, expect, test } from "vitest";
import { decodeLokiPushJson, lokiPushJsonToProtobuf } from "./push-json.ts";
import { decodeLokiPush, decodeLokiPushInSteps } from "./push-protobuf.ts";

const RECEIVED_MS = 1_790_000_000_000;
const NS = 1_790_000_000_123_456_789n;
const TRACE = "0af7651916cd43dd8448eb211c80319c";

const PushRequest = protobuf
  .parse(
    `syntax = "proto3";
  message Timestamp { int64 seconds = 1; int32 nanos = 2; }
  message Pair { string name = 1; string value = 2; }
  message Entry { Timestamp timestamp = 1; string line = 2; repeated Pair structuredMetadata = 3; repeated Pair parsed = 4; }
  message Stream { string labels = 1; repeated Entry entries = 2; uint64 hash = 3; }
  message PushRequest { repeated Stream streams = 1; string format = 2; }`,
    { keepCase: true },
  )
  .root.lookupType("PushRequest");

type Entry = { ns: bigint; line: string; metadata?: Record<string, string> };
type Stream = { labels: string; entries: Entry[] };
const encode = (streams: readonly Stream[]) =>
  PushRequest.encode(
    PushRequest.fromObject({
      format: "loki",
      streams: streams.map(({ labels, entries }) => ({
        labels,
        hash: 7,
        entries: entries.map(({ ns, line, metadata = {} }) => ({
          timestamp: { seconds: Number(ns / 1_000_000_000n), nanos: Number(ns % 1_000_000_000n) },
          line,
          structuredMetadata: Object.entries(metadata).map(([name, value]) => ({ name, value })),
        })),
      })),
    }),
  ).finish();
const fromProtobuf = (...streams: Stream[]) => decodeLokiPush(encode(streams), RECEIVED_MS);
/** Whichever way it is decoded, it is the same. */
function fromJson(body: unknown) {
  const bytes = Buffer.from(JSON.stringify(body));
  const decoded = decodeLokiPushJson(bytes, RECEIVED_MS);
  expect(decodeLokiPush(lokiPushJsonToProtobuf(bytes), RECEIVED_MS)).toEqual(decoded);
  return decoded;
}

function rowsOf(batch: LogBatch) {
  return Array.from({ length: batch.length }, (_, row) => ({
    stream: labelsToObject(batch.streams[batch.streamRefs[row] as number]?.labels ?? []),
    ns: batch.timesNs[row],
    line: batch.bodies[row],
    traceId: batch.traceIds[row],
    metadata: Object.fromEntries(
      batch.attributes.flatMap(({ name, values }) => (values[row] === undefined ? [] : [[name, values[row]]])),
    ),
  }));
}

const WANT = [
  {
    stream: { app: "shop", service_name: "shop" },
    ns: NS,
    line: "one\ntwo \u001b[31m",
    traceId: TRACE,
    metadata: { user: "ann" },
  },
  { stream: { app: "shop", service_name: "shop" }, ns: NS + 1n, line: "", traceId: "", metadata: { trace_id: "x" } },
  { stream: { env: "é", service_name: "unknown_service" }, ns: NS - 1n, line: "last", traceId: "", metadata: {} },
];

describe("a push request means the same", () => {
  test("as protobuf", () => {
    const { batch, rejected } = fromProtobuf(
      {
        labels: '{app="shop"}',
        entries: [
          { ns: NS, line: "one\ntwo \u001b[31m", metadata: { user: "ann", trace_id: TRACE } },
          { ns: NS + 1n, line: "", metadata: { trace_id: "x" } },
        ],
      },
      { labels: '{env="é"}', entries: [{ ns: NS - 1n, line: "last" }] },
    );
    expect(rowsOf(batch)).toEqual(WANT);
    expect(rejected).toEqual([]);
  });

  test("as JSON", () => {
    const { batch } = fromJson({
      streams: [
        {
          stream: { app: "shop" },
          values: [
            [String(NS), "one\ntwo \u001b[31m", { user: "ann", trace_id: TRACE }],
            [String(NS + 1n), "", { structuredMetadata: { trace_id: "x" } }],
          ],
        },
        { stream: { env: "é" }, values: [[String(NS - 1n), "last"]] },
      ],
    });
    expect(rowsOf(batch)).toEqual(WANT);
  });

  test("as JSON of the old path", () => {
    const ts = "2026-09-21T14:13:20.123456789Z";
    const { batch } = fromJson({ streams: [{ labels: '{env="é"}', entries: [{ ts, line: "last" }] }] });
    const ns = BigInt(Date.parse("2026-09-21T14:13:20Z")) * 1_000_000n + 123_456_789n;
    expect(rowsOf(batch)).toEqual([{ ...WANT[2], ns }]);
  });
});

describe("streams", () => {
  test.each<[Record<string, string>, Record<string, string>]>([
    [{}, { service_name: "unknown_service" }],
    [
      { service_name: "a", app: "b" },
      { service_name: "a", app: "b" },
    ],
    [
      { container: "c", job: "j" },
      { container: "c", job: "j", service_name: "c" },
    ],
    [
      { app: "b", empty: "" },
      { app: "b", service_name: "b" },
    ],
  ])("%j get their service's name", (stream, want) => {
    const { batch } = fromJson({ streams: [{ stream, values: [[String(NS), "x"]] }] });
    expect(labelsToObject(batch.streams[0]?.labels ?? [])).toEqual(want);
  });

  test("their labels are attributes of the resource under the same names", () => {
    const { batch } = fromJson({ streams: [{ stream: { app: "b", a__b: "x" }, values: [[String(NS), "x"]] }] });
    expect(batch.streams[0]?.resource).toEqual([
      { name: "service.name", type: "string", value: "b" },
      { name: "app", type: "string", value: "b" },
    ]);
  });
});

test("without a time an entry has that of its arrival, and one beyond 2262 or before 1970 is refused", () => {
  const entries = [0n, -1n, 2n ** 63n].map((ns) => ({ ns, line: String(ns) }));
  const { batch, rejected } = fromProtobuf({ labels: "{}", entries });
  expect(rowsOf(batch).map(({ ns }) => ns)).toEqual([BigInt(RECEIVED_MS) * 1_000_000n]);
  expect(rejected).toEqual([
    { reason: "invalid", count: 2, message: "the timestamp of an entry is not between 1970 and 2262" },
  ]);
});

test("JSON that is made protobuf first has the same times, labels with any characters, and entries that are refused", () => {
  const times = [0n, 1n, -1n, -1_500_000_000n, 2n ** 63n - 1n, 2n ** 63n, 9_999_999_999_999_999_999n];
  const values = times.map((ns) => [String(ns), `at ${ns}`]);
  const { batch, rejected } = fromJson({
    streams: [{ stream: { 'we"ird\\ näme\n': "\u0000 \u2028 `'\"\t", "": "x" }, values }, {}, { stream: {} }],
  });
  expect([batch.length, rejected[0]?.count]).toEqual([3, 4]);
});

test("a large request is decoded in steps", () => {
  const entries = Array.from({ length: 2_500 }, (_, i) => ({ ns: NS + BigInt(i), line: `line ${i}` }));
  const steps = [...decodeLokiPushInSteps(encode([{ labels: '{a="b"}', entries }]), RECEIVED_MS)];
  expect(steps).toHaveLength(2);
});

describe("what is not a push request is refused", () => {
  test.each([
    ["[]", "the body must be an object"],
    ["{", "the body is not JSON"],
    ['{"streams":5}', "streams must be a list"],
    ['{"streams":[{"stream":[],"values":[]}]}', "streams[0].stream must be an object"],
    [
      '{"streams":[{"stream":{},"values":[[1,"x"]]}]}',
      "streams[0], entry 0: the timestamp must be a string of nanoseconds",
    ],
    ['{"streams":[{"stream":{},"values":[["1x","x"]]}]}', "the timestamp must be a string of nanoseconds"],
    ['{"streams":[{"stream":{},"values":[["1",2]]}]}', "the line must be a string"],
    ['{"streams":[{"stream":{},"values":[["1","x",{"a":[]}]]}]}', 'the value of "a" must be a string'],
    ['{"streams":[{"labels":"{a","entries":[]}]}', "couldn't parse labels"],
    ['{"streams":[{"labels":"{}","entries":[{"ts":"today","line":""}]}]}', "ts must be a time"],
  ])("%s", (body, message) => {
    expect(() => decodeLokiPushJson(Buffer.from(body), RECEIVED_MS)).toThrow(message);
    expect(() => decodeLokiPush(lokiPushJsonToProtobuf(Buffer.from(body)), RECEIVED_MS)).toThrow(message);
  });

  test("protobuf of another shape", () => {
    expect(() => decodeLokiPush(Buffer.from("hello"), RECEIVED_MS)).toThrow(InvalidInputError);
    expect(() => fromProtobuf({ labels: "oops", entries: [] })).toThrow("couldn't parse labels");
    expect(() => fromProtobuf()).toThrow("at least one valid stream is required");
  });

  test("too many streams", () => {
    const streams = Array.from({ length: 11 }, () => ({ labels: "{}", entries: [] }));
    expect(() => decodeLokiPush(encode(streams), RECEIVED_MS, { maxObjects: 10 })).toThrow(TooLargeError);
  });
});
