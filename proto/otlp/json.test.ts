import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from "@opentelemetry/otlp-transformer";
import { InvalidInputError, TooLargeError } from "@sightline/model/errors.ts";
import type { Signal } from "@sightline/model/ports.ts";
import fc from "fast-check";
import protobuf from "protobufjs";
import { describe, expect, test } from "vitest";
import { otlpJsonToProtobuf } from "./json.ts";
import { ENUMS, MESSAGES } from "./json-messages.ts";
import { decodeOtlpLogs } from "./logs.ts";
import { SPAN_ID, sdkLogs, sdkMetrics, sdkSpans, TRACE_ID } from "./sdk-fixtures.ts";
import { decodeOtlpTraces } from "./traces.ts";

const encode = (signal: Signal, request: unknown) => otlpJsonToProtobuf(signal, Buffer.from(JSON.stringify(request)));

/** protobufjs' reading of the messages: another decoder, under the same field numbers. */
const TYPES = protobufTypes();

function protobufTypes(): protobuf.Root {
  const root = new protobuf.Root();
  for (const [name, fields] of Object.entries(MESSAGES)) {
    const type = new protobuf.Type(name);
    for (const [field, [number, kind, repeated]] of Object.entries(
      fields as Record<string, readonly [number, string, string?]>,
    )) {
      const wire = kind === "id" ? "bytes" : kind in ENUMS ? "int32" : kind;
      type.add(new protobuf.Field(field, number, wire, repeated));
    }
    root.add(type);
  }
  return root;
}

function readProtobuf(message: keyof typeof MESSAGES, bytes: Uint8Array): object {
  const type = TYPES.lookupType(message);
  return type.toObject(type.decode(bytes), { longs: String, bytes: String });
}

describe("the SDK's JSON means what its protobuf means", () => {
  test("for logs", async () => {
    const records = [...(await sdkLogs())];
    const json = otlpJsonToProtobuf("logs", JsonLogsSerializer.serializeRequest(records) as Uint8Array);
    const proto = ProtobufLogsSerializer.serializeRequest(records) as Uint8Array;
    expect(decodeOtlpLogs(json, 0)).toEqual(decodeOtlpLogs(proto, 0));
  });

  test("for traces", async () => {
    const spans = [...(await sdkSpans())];
    const json = otlpJsonToProtobuf("traces", JsonTraceSerializer.serializeRequest(spans) as Uint8Array);
    const proto = ProtobufTraceSerializer.serializeRequest(spans) as Uint8Array;
    expect(decodeOtlpTraces(json, 0)).toEqual(decodeOtlpTraces(proto, 0));
  });

  test("for metrics", async () => {
    const metrics = await sdkMetrics();
    const json = otlpJsonToProtobuf("metrics", JsonMetricsSerializer.serializeRequest(metrics) as Uint8Array);
    const proto = ProtobufMetricsSerializer.serializeRequest(metrics) as Uint8Array;
    const expected = readProtobuf("ExportMetricsServiceRequest", proto);
    expect(JSON.stringify(expected)).toContain("explicitBounds");
    expect(JSON.stringify(expected)).toContain("exponentialHistogram");
    expect(readProtobuf("ExportMetricsServiceRequest", json)).toMatchObject(expected);
  });
});

describe("metrics that the SDK does not send", () => {
  const dataPoint = (kind: string, point: object) => {
    const request = {
      resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: "m", [kind]: { dataPoints: [point] } }] }] }],
    };
    type Read = { resourceMetrics: [{ scopeMetrics: [{ metrics: [Record<string, { dataPoints: [object] }>] }] }] };
    const read = readProtobuf("ExportMetricsServiceRequest", encode("metrics", request)) as Read;
    return read.resourceMetrics[0].scopeMetrics[0].metrics[0][kind]?.dataPoints[0];
  };

  test("exemplars, with ids in hex", () => {
    const exemplar = { timeUnixNano: "5", asDouble: 0.5, traceId: TRACE_ID, spanId: SPAN_ID };
    expect(dataPoint("sum", { asInt: "-3", exemplars: [exemplar] })).toEqual({
      asInt: "-3",
      exemplars: [
        {
          timeUnixNano: "5",
          asDouble: 0.5,
          traceId: Buffer.from(TRACE_ID, "hex").toString("base64"),
          spanId: Buffer.from(SPAN_ID, "hex").toString("base64"),
        },
      ],
    });
  });

  test("summaries", () => {
    const point = {
      count: 3,
      sum: 4.5,
      quantileValues: [
        { quantile: 0.5, value: 1.5 },
        { quantile: 1, value: 2 },
      ],
    };
    expect(dataPoint("summary", point)).toEqual({ ...point, count: "3" });
  });

  test("histograms with counts as strings or numbers", () => {
    const point = {
      count: "18446744073709551615",
      bucketCounts: ["1", 2, "18446744073709551612"],
      explicitBounds: [0.5, "1e3"],
      min: "-Infinity",
    };
    expect(dataPoint("histogram", point)).toEqual({
      count: "18446744073709551615",
      bucketCounts: ["1", "2", "18446744073709551612"],
      explicitBounds: [0.5, 1000],
      min: Number.NEGATIVE_INFINITY,
    });
  });

  test("exponential histograms of negative scale and offset", () => {
    const point = { scale: -4, zeroCount: 1, positive: { offset: -12, bucketCounts: [1, "2"] }, negative: {} };
    expect(dataPoint("exponentialHistogram", point)).toEqual({
      scale: -4,
      zeroCount: "1",
      positive: { offset: -12, bucketCounts: ["1", "2"] },
      negative: {},
    });
  });
});

describe("logs", () => {
  const decode = (record: unknown) => {
    const { batch } = decodeOtlpLogs(encode("logs", { resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] }), 0);
    return batch;
  };

  test("unknown fields are ignored wherever they are", () => {
    const request = {
      future: { a: [1] },
      resourceLogs: [
        { resource: { x: 1 }, scopeLogs: [{ y: null, logRecords: [{ z: {}, body: { w: 1, stringValue: "b" } }] }] },
      ],
    };
    expect(decodeOtlpLogs(encode("logs", request), 0).batch.bodies).toEqual(["b"]);
  });

  test.each<[string, string]>([
    ["a string", '"1790000000000000123"'],
    ["a number with more digits than a double holds", "1790000000000000123"],
  ])("a time as %s is exact", (_name, time) => {
    const text = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":${time}}]}]}]}`;
    const { batch } = decodeOtlpLogs(otlpJsonToProtobuf("logs", Buffer.from(text)), 0);
    expect(batch.timesNs[0]).toBe(1_790_000_000_000_000_123n);
  });

  test("null means absent", () => {
    expect(decode({ timeUnixNano: null, body: null, attributes: null, severityText: "x" }).severityTexts).toEqual([
      "x",
    ]);
  });

  test("original field names and enum names are understood, too", () => {
    const batch = decode({ severity_number: "SEVERITY_NUMBER_ERROR2", severity_text: "E", trace_id: TRACE_ID });
    expect([batch.severities[0], batch.severityTexts[0], batch.traceIds[0]]).toEqual([18, "E", TRACE_ID]);
  });

  test("bytes are base64 of either alphabet", () => {
    expect(decode({ body: { bytesValue: "-_8=" } }).bodies).toEqual(["+/8="]);
  });

  test("a byte order mark is skipped", () => {
    const bytes = Buffer.from('\ufeff{"resourceLogs":[]}');
    expect(otlpJsonToProtobuf("logs", bytes)).toHaveLength(0);
  });

  test("names like those of Object's own are nothing special", () => {
    const text = '{"__proto__":{"resourceLogs":[1]},"constructor":1,"resourceLogs":[]}';
    expect(otlpJsonToProtobuf("logs", Buffer.from(text))).toHaveLength(0);
  });
});

const RECORD = "resourceLogs[0].scopeLogs[0].logRecords[1]";
describe("what is wrong is named with its place:", () => {
  test.each<[object, string]>([
    [{ timeUnixNano: "yesterday" }, `${RECORD}.timeUnixNano: an integer is expected, not "yesterday"`],
    [{ timeUnixNano: 1.5 }, `${RECORD}.timeUnixNano: an integer is expected, not 1.5`],
    [{ timeUnixNano: -1 }, `${RECORD}.timeUnixNano: -1 is out of range (0 to 18446744073709551615)`],
    [{ timeUnixNano: "" }, `${RECORD}.timeUnixNano: an integer is expected, not ""`],
    [{ severityNumber: "LOUD" }, `${RECORD}.severityNumber: an integer is expected, not "LOUD"`],
    [{ severityText: 7 }, `${RECORD}.severityText: a string is expected, not 7`],
    [{ attributes: {} }, `${RECORD}.attributes: a JSON array is expected, not an object`],
    [{ attributes: ["a"] }, `${RECORD}.attributes[0]: a JSON object is expected, not a string`],
    [{ body: { boolValue: 1 } }, `${RECORD}.body.boolValue: true or false is expected, not 1`],
    [{ body: { bytesValue: "§" } }, `${RECORD}.body.bytesValue: base64 is expected, not "§"`],
    [{ body: { doubleValue: "1,5" } }, `${RECORD}.body.doubleValue: a number is expected, not "1,5"`],
    [{ body: { intValue: "9223372036854775808" } }, `${RECORD}.body.intValue: 9223372036854775808 is out of range`],
    [{ traceId: 12 }, `${RECORD}.traceId: a string of hex digits is expected, not 12`],
  ])("%j", (record, message) => {
    const request = { resourceLogs: [{ scopeLogs: [{ logRecords: [{}, record] }] }] };
    expect(() => encode("logs", request)).toThrow(InvalidInputError);
    expect(() => encode("logs", request)).toThrow(message);
  });

  test.each([["[]"], ["7"], ["null"], [""], ["{"], ['{"a":1}x'], ["\u0000"]])("the text %j", (text) => {
    expect(() => otlpJsonToProtobuf("traces", Buffer.from(text))).toThrow(InvalidInputError);
  });
});

describe("hostile nesting", () => {
  test.each<[string, (depth: number) => string]>([
    ["arrays", (depth) => `{"x":${"[".repeat(depth)}${"]".repeat(depth)}}`],
    ["objects", (depth) => `${'{"x":'.repeat(depth)}1${"}".repeat(depth)}`],
    ["brackets that are never closed", (depth) => "[".repeat(depth)],
  ])("of 100,000 %s is refused without a stack overflow", (_name, text) => {
    expect(() => otlpJsonToProtobuf("logs", Buffer.from(text(100_000)))).toThrow(/nested deeper/);
  });

  test("is not all: millions of empty objects are refused as well", () => {
    const text = `{"resourceLogs":[${"{},".repeat(5_000_000)}{}]}`;
    expect(() => otlpJsonToProtobuf("logs", Buffer.from(text))).toThrow(TooLargeError);
  });

  const nested = (depth: number): object =>
    depth === 0 ? { intValue: 1 } : { arrayValue: { values: [nested(depth - 1)] } };
  const request = (depth: number) => ({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: nested(depth) }] }] }] });

  test("of values is taken as deep as protobuf goes", () => {
    const { batch } = decodeOtlpLogs(encode("logs", request(40)), 0);
    expect(batch.bodies).toEqual([`${"[".repeat(40)}1${"]".repeat(40)}`]);
  });

  test("of values beyond that is refused", () => {
    expect(() => encode("logs", request(60))).toThrow(InvalidInputError);
  });

  test("does not count brackets in strings", () => {
    const body = { stringValue: `\\"${"[".repeat(1_000)}` };
    const bytes = encode("logs", { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body }] }] }] });
    expect(decodeOtlpLogs(bytes, 0).batch.bodies).toEqual([body.stringValue]);
  });
});

test("any JSON is encoded to what the decoders take, or refused as invalid", () => {
  const names = Object.values(MESSAGES).flatMap((fields) => Object.keys(fields));
  const key = fc.constantFrom(...names, "unknown", "__proto__");
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 6 },
      fc.oneof(fc.string({ maxLength: 20 }), fc.integer(), fc.double(), fc.boolean(), fc.constant(null)),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(key, tie("value"), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom("resourceLogs", "x"), value), (json) => {
      try {
        decodeOtlpLogs(encode("logs", json), 0);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidInputError);
      }
    }),
    { numRuns: 500 },
  );
});

test("long values and many of them keep their lengths", () => {
  const lengths = [0, 1, 127, 128, 129, 16_383, 16_384, 300_000];
  const logRecords = lengths.map((length) => ({ body: { stringValue: "é".repeat(length) } }));
  const { batch } = decodeOtlpLogs(encode("logs", { resourceLogs: [{ scopeLogs: [{ logRecords }] }] }), 0);
  expect(batch.bodies.map((body) => body.length)).toEqual(lengths);
});
