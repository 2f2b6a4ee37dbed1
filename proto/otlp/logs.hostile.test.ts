import { ProtobufLogsSerializer } from "@opentelemetry/otlp-transformer";
import { InvalidInputError, TooLargeError } from "@sightline/model/errors.ts";
import { rounds } from "@sightline/model/testing/rounds.ts";
import fc from "fast-check";
import protobuf from "protobufjs";
import { describe, expect, test } from "vitest";
import { decodeOtlpLogs } from "./logs.ts";
import { nestedMessage } from "./nested-message.ts";
import { sdkLogs } from "./sdk-fixtures.ts";

test("invalid UTF-8 is kept with U+FFFD in its place", () => {
  const body = protobuf.Writer.create()
    .uint32(10)
    .bytes(Uint8Array.of(0x61, 0xff, 0x62))
    .finish();
  const logRecord = protobuf.Writer.create().uint32(42).bytes(body).finish();
  const scopeLogs = protobuf.Writer.create().uint32(18).bytes(logRecord).finish();
  const resourceLogs = protobuf.Writer.create().uint32(18).bytes(scopeLogs).finish();
  const { batch } = decodeOtlpLogs(protobuf.Writer.create().uint32(10).bytes(resourceLogs).finish(), 0);
  expect(batch.bodies).toEqual(["a\ufffdb"]);
});

test("unknown fields are stepped over", () => {
  const logRecord = protobuf.Writer.create()
    .uint32((900 << 3) | 2)
    .string("new")
    .uint32(16)
    .uint32(9)
    .finish();
  const scopeLogs = protobuf.Writer.create()
    .uint32(18)
    .bytes(logRecord)
    .uint32((77 << 3) | 5)
    .fixed32(1)
    .finish();
  const resourceLogs = protobuf.Writer.create().uint32(18).bytes(scopeLogs).finish();
  const { batch } = decodeOtlpLogs(protobuf.Writer.create().uint32(10).bytes(resourceLogs).finish(), 0);
  expect([...batch.severities]).toEqual([9]);
});

test("10,000 nested arrays are refused without a stack overflow", () => {
  const arrays = Array.from({ length: 10_000 }, () => [10, 42]).flat();
  const bytes = nestedMessage(new Uint8Array(), [...arrays, 42, 18, 18, 10]);
  expect(() => decodeOtlpLogs(bytes, 0)).toThrow(InvalidInputError);
  expect(() => decodeOtlpLogs(bytes, 0)).toThrow(/nested deeper/);
});

describe("a request that is small on the wire and huge in memory is refused:", () => {
  const repeat = (bytes: readonly number[], count: number) =>
    Buffer.alloc(bytes.length * count, Uint8Array.from(bytes));

  test.each<[string, Uint8Array]>([
    ["empty records", nestedMessage(repeat([18, 0], 1_000_001), [18, 10])],
    ["empty scopes", nestedMessage(repeat([18, 0], 1_000_001), [10])],
    ["empty resources", repeat([10, 0], 1_000_001)],
    ["empty elements of an array", nestedMessage(repeat([10, 0], 4_000_001), [42, 42, 18, 18, 10])],
    ["empty attributes of a resource", nestedMessage(repeat([10, 0], 4_000_001), [10, 10])],
  ])("%s", (_name, bytes) => {
    expect(() => decodeOtlpLogs(bytes, 0)).toThrow(TooLargeError);
    expect(() => decodeOtlpLogs(bytes, 0)).toThrow("send smaller batches");
  });
});

test("text in arrays that would grow beyond bounds as JSON is refused", () => {
  const message = nestedMessage(Buffer.alloc(65 * 1024 * 1024, 1), [10, 10, 42, 42, 18, 18, 10]);
  expect(() => decodeOtlpLogs(message, 0)).toThrow(TooLargeError);
});

test("cut or damaged requests are decoded or refused as invalid, nothing else", async () => {
  const original = ProtobufLogsSerializer.serializeRequest([...(await sdkLogs())]) as Uint8Array;
  for (let length = 1; length < original.length; length++) {
    expect(() => decodeOtlpLogs(original.subarray(0, length), 0)).toThrow(InvalidInputError);
  }
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      (changes) => {
        const bytes = Uint8Array.from(original);
        for (const [at, byte] of changes) bytes[at] = byte;
        try {
          expect(decodeOtlpLogs(bytes, 0).batch.length).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidInputError);
        }
      },
    ),
    { numRuns: rounds(500) },
  );
});
