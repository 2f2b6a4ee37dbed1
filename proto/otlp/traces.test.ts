import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { InvalidInputError, TooLargeError } from "@sightline/model/errors.ts";
import { rounds } from "@sightline/model/testing/rounds.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { otlpJsonToProtobuf } from "./json.ts";
import { nestedMessage } from "./nested-message.ts";
import { SPAN_ID, sdkSpans, TRACE_ID } from "./sdk-fixtures.ts";
import { decodeOtlpTraces } from "./traces.ts";

const RECEIVED_AT_MS = 1_790_000_000_000;
const RECEIVED_NS = 1_790_000_000_000_000_000n;

const string = (key: string, stringValue: string) => ({ key, value: { stringValue } });

/** Decodes a request of spans in OTLP JSON; what is not given is valid. */
function decodeSpans(...spans: readonly object[]) {
  const complete = spans.map((span) => ({ traceId: TRACE_ID, spanId: SPAN_ID, name: "work", ...span }));
  const text = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: complete }] }] });
  return decodeOtlpTraces(otlpJsonToProtobuf("traces", Buffer.from(text)), RECEIVED_AT_MS);
}

test("decodes what the SDK's serializer writes", async () => {
  const spans = await sdkSpans();
  const bytes = ProtobufTraceSerializer.serializeRequest([...spans]) as Uint8Array;
  const { batch, rejected } = decodeOtlpTraces(bytes, RECEIVED_AT_MS);
  expect(rejected).toEqual([]);
  expect(batch.names).toEqual(["charge", "POST /checkout"]);
  expect(batch.traceIds).toEqual([TRACE_ID, TRACE_ID]);
  expect(batch.spanIds).toEqual(spans.map((span) => span.spanContext().spanId));
  expect(batch.parentSpanIds).toEqual([batch.spanIds[1], SPAN_ID]);
  expect([...batch.kinds]).toEqual([3, 2]);
  expect([...batch.startsNs]).toEqual([RECEIVED_NS + 2n, RECEIVED_NS + 1n]);
  expect([...batch.durationsNs]).toEqual([1_000_000n, 999_999_999n]);
  expect([...batch.statusCodes]).toEqual([0, 2]);
  expect(batch.statusMessages).toEqual(["", "timeout"]);
  // Sampled, and the second one with a remote parent.
  expect([...batch.flags].map((flags) => flags.toString(16))).toEqual(["101", "301"]);
  expect(batch.attributes).toEqual([
    { name: "http.route", type: "string", values: [undefined, "/checkout"] },
    { name: "http.response.status_code", type: "int", values: [undefined, "500"] },
    { name: "sizes", type: "json", values: [undefined, "[1,2]"] },
  ]);
  expect(batch.events).toEqual([
    undefined,
    [
      {
        timeNs: RECEIVED_NS + 500n,
        name: "exception",
        attributes: [
          { name: "exception.type", type: "string", value: "TimeoutError" },
          { name: "attempt", type: "int", value: "3" },
        ],
      },
    ],
  ]);
  const why = { name: "why", type: "string", value: "retry" };
  const link = { traceId: TRACE_ID, spanId: SPAN_ID, traceState: "", attributes: [why], flags: 0x101 };
  expect(batch.links).toEqual([undefined, [link]]);
  expect(batch.sources).toHaveLength(1);
  expect(batch.sources[0]?.resource[0]).toEqual({ name: "service.name", type: "string", value: "checkout" });
  expect(batch.sources[0]?.scope).toMatchObject({ name: "shop", version: "1.2.3" });
});

test("reads every field of a span", () => {
  const { batch } = decodeSpans({
    parentSpanId: "00f067aa0ba902b7",
    traceState: "vendor=1",
    flags: 0x301,
    kind: 5,
    startTimeUnixNano: "100",
    endTimeUnixNano: "250",
    status: { code: 1 },
    droppedAttributesCount: 1,
    droppedEventsCount: 4294967295,
    droppedLinksCount: 3,
    events: [
      { timeUnixNano: "18446744073709551615", name: "far away" },
      { name: "b", droppedAttributesCount: 4 },
    ],
    links: [
      { traceId: TRACE_ID, spanId: SPAN_ID, traceState: "k=v", flags: 0x301, droppedAttributesCount: 5 },
      { traceId: "", spanId: SPAN_ID },
    ],
  });
  expect(batch).toMatchObject({
    parentSpanIds: ["00f067aa0ba902b7"],
    traceStates: ["vendor=1"],
    names: ["work"],
    events: [
      [
        { timeNs: 2n ** 63n - 1n, name: "far away" },
        { timeNs: 0n, name: "b", droppedAttributes: 4 },
      ],
    ],
    links: [[{ traceState: "k=v", flags: 0x301, droppedAttributes: 5 }]],
    dropped: [{ attributes: 1, events: 4_294_967_295, links: 3 }],
  });
  expect([batch.flags[0], batch.kinds[0], batch.statusCodes[0]]).toEqual([0x301, 5, 1]);
  expect([batch.startsNs[0], batch.durationsNs[0]]).toEqual([100n, 150n]);
});

test("what was dropped from a refused span is not that of the next", () => {
  const { batch } = decodeSpans(
    { spanId: "", droppedLinksCount: 1 },
    { droppedEventsCount: 2 },
    { droppedLinksCount: 0 },
  );
  expect(batch.dropped).toEqual([{ attributes: 0, events: 2, links: 0 }, undefined]);
  expect(decodeSpans({}).batch).not.toHaveProperty("dropped");
});

describe("time", () => {
  test.each<[string, string, string, bigint, bigint]>([
    ["over 32 bits", "4294967295", "8589934593", 4_294_967_295n, 4_294_967_298n],
    ["that ends before it starts has no duration", "300", "200", 300n, 0n],
    ["that ends long before it starts has no duration", "1790000000000000000", "200", RECEIVED_NS, 0n],
    ["without a start starts at its end", "0", "200", 200n, 0n],
    ["without an end has no duration", "200", "0", 200n, 0n],
    ["without both is of the request's", "0", "0", RECEIVED_NS, 0n],
    ["of all there is", "1", "9223372036854775807", 1n, 9_223_372_036_854_775_806n],
  ])("%s", (_name, startTimeUnixNano, endTimeUnixNano, startNs, durationNs) => {
    const { batch } = decodeSpans({ startTimeUnixNano, endTimeUnixNano });
    expect([batch.startsNs[0], batch.durationsNs[0]]).toEqual([startNs, durationNs]);
  });

  test("any two times make the difference that BigInt arithmetic makes", () => {
    const time = fc.bigInt({ min: 1n, max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(time, time, (start, end) => {
        const { batch } = decodeSpans({ startTimeUnixNano: String(start), endTimeUnixNano: String(end) });
        expect(batch.durationsNs[0]).toBe(end > start ? end - start : 0n);
      }),
    );
  });
});

describe("a span is refused, and only that one,", () => {
  test.each<[string, object, string]>([
    ["without a trace id", { traceId: "" }, "trace_id"],
    ["with a trace id of zeros", { traceId: "0".repeat(32) }, "trace_id"],
    ["with a trace id that is too short", { traceId: "abcd" }, "trace_id"],
    ["with a trace id in base64", { traceId: "CvdlGRbNQ92ESOshHIAxnA==" }, "trace_id"],
    ["without a span id", { spanId: "" }, "span_id"],
    ["with a span id of zeros", { spanId: "0".repeat(16) }, "span_id"],
    ["with a start after 2262", { startTimeUnixNano: "9223372036854775808" }, "start_time_unix_nano"],
    ["with an end after 2262", { endTimeUnixNano: "18446744073709551615" }, "end_time_unix_nano"],
  ])("%s", (_name, span, field) => {
    const bad = {
      parentSpanId: SPAN_ID,
      kind: 3,
      attributes: [string("leak", "x")],
      events: [{ name: "leak" }],
      ...span,
      name: "bad one",
    };
    const { batch, rejected } = decodeSpans({ name: "before" }, bad, bad, { name: "after" });
    expect(batch.names).toEqual(["before", "after"]);
    expect(rejected).toEqual([{ reason: "invalid", count: 2, message: expect.stringContaining(field) }]);
    expect(rejected[0]?.message).toContain('"bad one"');
    expect(batch.attributes).toEqual([]);
    expect(batch).toMatchObject({ parentSpanIds: ["", ""], events: [undefined, undefined] });
    expect([...batch.kinds]).toEqual([0, 0]);
  });
});

test("a parent id that is not valid makes a root span", () => {
  const { batch } = decodeSpans({ parentSpanId: "0".repeat(16) }, { parentSpanId: "ab" });
  expect(batch.parentSpanIds).toEqual(["", ""]);
});

test("kinds and status codes that nobody knows are unspecified", () => {
  const { batch } = decodeSpans({ kind: 77, status: { code: 9, message: "?" } });
  expect([batch.kinds[0], batch.statusCodes[0], batch.statusMessages[0]]).toEqual([0, 0, "?"]);
});

test("sources keep both schema URLs apart", () => {
  const spans = [{ traceId: TRACE_ID, spanId: SPAN_ID }];
  const text = JSON.stringify({
    resourceSpans: [{ schemaUrl: "https://r", scopeSpans: [{ spans, schemaUrl: "https://s" }, { spans }] }],
  });
  const { batch } = decodeOtlpTraces(otlpJsonToProtobuf("traces", Buffer.from(text)), 0);
  expect(batch.sources.map(({ resourceSchemaUrl, scope }) => [resourceSchemaUrl, scope.schemaUrl])).toEqual([
    ["https://r", "https://s"],
    ["https://r", ""],
  ]);
  expect([...batch.sourceRefs]).toEqual([0, 1]);
});

test("an attribute nested 10,000 deep is refused without a stack overflow", () => {
  const maps = Array.from({ length: 10_000 }, () => [18, 10, 50]).flat();
  const bytes = nestedMessage(new Uint8Array(), [...maps, 18, 74, 18, 18, 10]);
  expect(() => decodeOtlpTraces(bytes, 0)).toThrow(InvalidInputError);
});

test("millions of empty events are refused", () => {
  const bytes = nestedMessage(Buffer.alloc(8_000_002, Uint8Array.of(90, 0)), [18, 18, 10]);
  expect(() => decodeOtlpTraces(bytes, 0)).toThrow(TooLargeError);
});

test("cut or damaged requests are decoded or refused as invalid, nothing else", async () => {
  const original = ProtobufTraceSerializer.serializeRequest([...(await sdkSpans())]) as Uint8Array;
  for (let length = 1; length < original.length; length++) {
    expect(() => decodeOtlpTraces(original.subarray(0, length), 0)).toThrow(InvalidInputError);
  }
  const change = fc.tuple(fc.nat(original.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const bytes = Uint8Array.from(original);
      for (const [at, byte] of changes) bytes[at] = byte;
      try {
        expect(decodeOtlpTraces(bytes, 0).batch.length).toBeLessThanOrEqual(bytes.length);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidInputError);
      }
    }),
    { numRuns: rounds(500) },
  );
});
