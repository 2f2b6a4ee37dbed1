import { ProtobufLogsSerializer } from "@opentelemetry/otlp-transformer";
import type { Attributes } from "@sightline/model/attributes.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import fc from "fast-check";
import protobuf from "protobufjs";
import { describe, expect, test } from "vitest";
import { otlpJsonToProtobuf } from "./json.ts";
import { decodeOtlpLogs } from "./logs.ts";
import { nestedMessage } from "./nested-message.ts";
import { SPAN_ID, sdkLogs, TRACE_ID } from "./sdk-fixtures.ts";

const RECEIVED_AT_MS = 1_790_000_000_000;
const RECEIVED_NS = 1_790_000_000_000_000_000n;

type JsonRecord = Record<string, unknown>;

/** A request with these records, written in OTLP JSON for the ease of reading. */
function request(logRecords: readonly JsonRecord[], resource: object = {}, scope: object = {}): Uint8Array {
  const text = JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords }] }] });
  return otlpJsonToProtobuf("logs", Buffer.from(text));
}

function decodeRecords(...logRecords: readonly JsonRecord[]) {
  return decodeOtlpLogs(request(logRecords), RECEIVED_AT_MS);
}

/** The attributes of a row by `name:type`. */
function attributesOf({ attributes }: LogBatch, row: number): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { name, type, values } of attributes) {
    const value = values[row];
    if (value !== undefined) found[`${name}:${type}`] = value;
  }
  return found;
}

const string = (key: string, stringValue: string) => ({ key, value: { stringValue } });

test("decodes what the SDK's serializer writes", async () => {
  const bytes = ProtobufLogsSerializer.serializeRequest([...(await sdkLogs())]) as Uint8Array;
  const { batch, rejected } = decodeOtlpLogs(bytes, RECEIVED_AT_MS);
  expect(rejected).toEqual([]);
  expect(batch.length).toBe(3);
  expect([...batch.timesNs]).toEqual([1_790_000_000_123_456_789n, RECEIVED_NS, 1_790_000_002_000_000_000n]);
  expect([...batch.observedNs].slice(0, 2)).toEqual([1_790_000_001_000_000_001n, RECEIVED_NS + 5n]);
  expect([...batch.severities]).toEqual([14, 0, 0]);
  expect(batch.severityTexts).toEqual(["WARN", "", ""]);
  expect(batch.bodies).toEqual(["Zahlung abgelehnt: zu wenig Guthaben — 余额不足", '{"ok":true,"order":7}', ""]);
  expect(batch.traceIds).toEqual([TRACE_ID, "", ""]);
  expect(batch.spanIds).toEqual([SPAN_ID, "", ""]);
  expect(attributesOf(batch, 0)).toMatchObject({
    "user.id:string": "u-1",
    "attempt:int": "2",
    "ratio:double": "0.25",
    "retried:bool": "true",
    "tags:json": '["a","b"]',
    "nested:json": '{"deep":{"yes":false},"list":[1,2.5,null]}',
    "raw:bytes": "AQL/",
  });
  expect(attributesOf(batch, 2)).toEqual({ "event.name:string": "order.placed" });
  expect(batch.streams).toHaveLength(1);
  const [stream] = batch.streams;
  expect(stream?.labels).toEqual([
    ["k8s_pod_name", "checkout-1"],
    ["service_name", "checkout"],
  ]);
  expect(stream?.resource).toContainEqual({ name: "process.pid", type: "int", value: "4711" });
  expect(stream?.resource).toContainEqual({ name: "process.command_args", type: "json", value: '["node","main.js"]' });
  expect(stream?.scope).toMatchObject({ name: "shop", version: "1.2.3" });
});

describe("time", () => {
  test.each<[string, JsonRecord, bigint, bigint]>([
    ["that of the event", { timeUnixNano: "1", observedTimeUnixNano: "2" }, 1n, 2n],
    ["that of the event, observed at once", { timeUnixNano: "2", observedTimeUnixNano: "2" }, 2n, 2n],
    ["the observed one if there is no other", { observedTimeUnixNano: "2" }, 2n, 0n],
    ["that of the request if there is none", {}, RECEIVED_NS, 0n],
    ["the event's, never observed", { timeUnixNano: "1" }, 1n, 0n],
    ["up to 2262", { timeUnixNano: "9223372036854775807" }, 9_223_372_036_854_775_807n, 0n],
    [
      "with an observed time that can't be kept",
      { timeUnixNano: "4102444800000000000", observedTimeUnixNano: "9223372036854775808" },
      4_102_444_800_000_000_000n,
      0n,
    ],
  ])("is %s", (_name, record, timeNs, observedNs) => {
    const { batch } = decodeRecords(record);
    expect([batch.timesNs[0], batch.observedNs[0]]).toEqual([timeNs, observedNs]);
  });

  test("after 2262 refuses the record and leaves nothing of it behind", () => {
    const { batch, rejected } = decodeRecords(
      { timeUnixNano: "1", body: { stringValue: "first" }, attributes: [string("a", "1")] },
      { timeUnixNano: "9223372036854775808", attributes: [string("a", "2"), string("b", "2")], traceId: TRACE_ID },
      { timeUnixNano: "3", body: { stringValue: "third" } },
    );
    expect(rejected).toEqual([{ reason: "invalid", count: 1, message: expect.stringContaining("2262") }]);
    expect(batch.bodies).toEqual(["first", "third"]);
    expect(batch.traceIds).toEqual(["", ""]);
    expect(batch.attributes).toEqual([{ name: "a", type: "string", values: ["1", undefined] }]);
  });
});

describe("body", () => {
  test.each<[object, string]>([
    [{ stringValue: "plain" }, "plain"],
    [{ stringValue: "" }, ""],
    [{}, ""],
    [{ intValue: "-9223372036854775808" }, "-9223372036854775808"],
    [{ doubleValue: 1e21 }, "1e+21"],
    [{ doubleValue: "NaN" }, "NaN"],
    [{ boolValue: false }, "false"],
    [{ bytesValue: "AQL/" }, "AQL/"],
    [
      { arrayValue: { values: [{ intValue: "9223372036854775807" }, {}, { doubleValue: "-Infinity" }] } },
      '[9223372036854775807,null,"-Infinity"]',
    ],
    [
      { kvlistValue: { values: [string('say "hi"\n', "x"), { key: "b", value: { bytesValue: "AQ==" } }] } },
      '{"b":"AQ==","say \\"hi\\"\\n":"x"}',
    ],
    [
      { kvlistValue: { values: [string("b", "1"), string("a b", "2"), string("a", "3"), string("b", "4")] } },
      '{"a":"3","a b":"2","b":"4"}',
    ],
  ])("%j becomes %j", (body, expected) => {
    expect(decodeRecords({ body }).batch.bodies).toEqual([expected]);
  });
});

describe("ids", () => {
  test.each([
    ["too short", "0af7651916cd43dd", "b7ad6b71"],
    ["too long", `${TRACE_ID}00`, `${SPAN_ID}00`],
    ["all zero", "0".repeat(32), "0".repeat(16)],
    ["not hex", "x".repeat(32), "y".repeat(16)],
  ])("%s mean that there is none", (_name, traceId, spanId) => {
    const { batch, rejected } = decodeRecords({ traceId, spanId });
    expect(rejected).toEqual([]);
    expect([batch.traceIds[0], batch.spanIds[0]]).toEqual(["", ""]);
  });

  test("are lower-case hex, row by row", () => {
    const other = "f".repeat(32);
    const { batch } = decodeRecords({ traceId: TRACE_ID.toUpperCase() }, { traceId: TRACE_ID }, { traceId: other });
    expect(batch.traceIds).toEqual([TRACE_ID, TRACE_ID, other]);
  });
});

describe("attributes", () => {
  test("of one name and two types make two columns", () => {
    const { batch } = decodeRecords(
      { attributes: [string("status", "ok")] },
      { attributes: [{ key: "status", value: { intValue: 200 } }] },
    );
    expect(batch.attributes).toEqual([
      { name: "status", type: "string", values: ["ok", undefined] },
      { name: "status", type: "int", values: [undefined, "200"] },
    ]);
  });

  test("that come twice in a record count the last time, also under another type", () => {
    const { batch } = decodeRecords({
      attributes: [string("a", "1"), string("b", "x"), string("a", "2"), { key: "b", value: { boolValue: true } }],
    });
    expect(attributesOf(batch, 0)).toEqual({ "a:string": "2", "b:bool": "true" });
  });

  test("hold what has no column: event name, flags, dropped attributes", () => {
    const { batch } = decodeRecords(
      { eventName: "login", flags: 1, droppedAttributesCount: 3 },
      { eventName: "login", attributes: [string("event.name", "mine")], flags: 0 },
    );
    expect(attributesOf(batch, 0)).toEqual({
      "event.name:string": "login",
      "flags:int": "1",
      "dropped_attributes_count:int": "3",
    });
    expect(attributesOf(batch, 1)).toEqual({ "event.name:string": "mine" });
  });

  test("of very many names refuse the records that bring too many, naming the way out", () => {
    const rows = 250_000;
    // So many columns of so many rows there may be.
    const columns = Math.floor(2 ** 26 / rows);
    const records = Array.from({ length: rows }, (_, i) =>
      i % 250 === 0 ? nestedMessage(Buffer.from(`name-${i}`), [10, 50, 18]) : Buffer.of(18, 0),
    );
    const bytes = nestedMessage(Buffer.concat(records), [18, 10]);
    const { batch, rejected } = decodeOtlpLogs(bytes, 0);
    expect(batch.attributes).toHaveLength(columns);
    expect(batch.length).toBe(rows - (1_000 - columns));
    expect(rejected).toEqual([
      { reason: "limit", count: 1_000 - columns, message: expect.stringContaining("smaller batches") },
    ]);
  });
});

describe("streams", () => {
  test("are one object for equal resource and scope, however often they come", () => {
    const resourceLogs = ["a", "b", "a"].map((name) => ({
      resource: { attributes: [string("service.name", name)] },
      scopeLogs: [{ scope: { name: "s" }, logRecords: [{ body: { stringValue: name } }] }],
    }));
    const bytes = otlpJsonToProtobuf("logs", Buffer.from(JSON.stringify({ resourceLogs })));
    const { batch } = decodeOtlpLogs(bytes, 0);
    expect(batch.streams).toHaveLength(2);
    expect([...batch.streamRefs]).toEqual([0, 1, 0]);
  });

  test("know a scope's schema URL, which stands behind the records", () => {
    const scopeLogs = [
      { logRecords: [{}], schemaUrl: "https://a" },
      { logRecords: [{}], schemaUrl: "https://b" },
    ];
    const bytes = otlpJsonToProtobuf("logs", Buffer.from(JSON.stringify({ resourceLogs: [{ scopeLogs }] })));
    const { batch } = decodeOtlpLogs(bytes, 0);
    expect(batch.streams.map(({ scope }) => scope.schemaUrl)).toEqual(["https://a", "https://b"]);
  });

  test("take a resource that stands behind its records", () => {
    const keyValue = protobuf.Writer.create().uint32(10).string("service.name");
    keyValue.uint32(18).bytes(protobuf.Writer.create().uint32(10).string("late").finish());
    const resource = protobuf.Writer.create().uint32(10).bytes(keyValue.finish()).finish();
    const scopeLogs = protobuf.Writer.create().uint32(18).bytes(new Uint8Array()).finish();
    const resourceLogs = protobuf.Writer.create().uint32(18).bytes(scopeLogs).uint32(10).bytes(resource).finish();
    const { batch } = decodeOtlpLogs(protobuf.Writer.create().uint32(10).bytes(resourceLogs).finish(), 0);
    expect(batch.streams[0]?.labels).toEqual([["service_name", "late"]]);
    expect(batch.length).toBe(1);
  });

  test("that are empty leave nothing", () => {
    expect(decodeRecords().batch).toMatchObject({ length: 0, streams: [], attributes: [] });
    expect(decodeOtlpLogs(new Uint8Array(), 0).batch.length).toBe(0);
  });
});

test("any arrays and maps come back as the JSON that they are", () => {
  type Value = { readonly any: object; readonly plain: unknown };
  const { value } = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string({ unit: "grapheme" }).map((stringValue) => ({ any: { stringValue }, plain: stringValue })),
      fc.maxSafeInteger().map((int) => ({ any: { intValue: int }, plain: int })),
      fc
        .double({ noNaN: true, noDefaultInfinity: true })
        .map((doubleValue) => ({ any: { doubleValue }, plain: doubleValue + 0 })),
      fc.constant({ any: {}, plain: null }),
      fc.array(tie("value"), { maxLength: 4 }).map((items) => ({
        any: { arrayValue: { values: items.map(({ any }) => any) } },
        plain: items.map(({ plain }) => plain),
      })),
      fc.dictionary(fc.string(), tie("value"), { maxKeys: 4 }).map((fields) => ({
        any: { kvlistValue: { values: Object.entries(fields).map(([key, { any }]) => ({ key, value: any })) } },
        plain: Object.fromEntries(Object.entries(fields).map(([key, { plain }]) => [key, plain])),
      })),
    ),
  }));
  fc.assert(
    fc.property(fc.array(value, { maxLength: 3 }), (items) => {
      const { batch } = decodeRecords({ body: { arrayValue: { values: items.map(({ any }) => any) } } });
      expect(JSON.parse(batch.bodies[0] as string)).toEqual(items.map(({ plain }) => plain));
    }),
    { numRuns: 200 },
  );
});

test("any attributes come back as they were", () => {
  const value = fc.oneof(
    fc
      .string({ unit: "grapheme" })
      .map((stringValue) => ({ json: { stringValue }, type: "string", text: stringValue })),
    fc
      .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
      .map((int) => ({ json: { intValue: String(int) }, type: "int", text: String(int) })),
    fc.double({ noNaN: true }).map((double) => ({
      json: { doubleValue: Number.isFinite(double) ? double : String(double) },
      type: "double",
      text: String(double),
    })),
    fc.boolean().map((boolValue) => ({ json: { boolValue }, type: "bool", text: String(boolValue) })),
  );
  const record = fc.dictionary(fc.string({ maxLength: 8 }), value, { maxKeys: 6 });
  fc.assert(
    fc.property(fc.array(record, { maxLength: 8 }), (records) => {
      const { batch } = decodeRecords(
        ...records.map((fields) => ({
          attributes: Object.entries(fields).map(([key, { json }]) => ({ key, value: json })),
        })),
      );
      expect(batch.length).toBe(records.length);
      records.forEach((fields, row) => {
        const expected = Object.entries(fields).map(([key, { type, text }]) => [`${key}:${type}`, text]);
        expect(attributesOf(batch, row)).toEqual(Object.fromEntries(expected));
      });
    }),
    { numRuns: 100 },
  );
});

test("resource attributes keep their order, the last one of a name wins", () => {
  const attributes = [string("b", "1"), string("a", "2"), string("b", "3")];
  const { batch } = decodeOtlpLogs(request([{}], { attributes }), 0);
  const expected: Attributes = [
    { name: "b", type: "string", value: "3" },
    { name: "a", type: "string", value: "2" },
  ];
  expect(batch.streams[0]?.resource).toEqual(expected);
});
