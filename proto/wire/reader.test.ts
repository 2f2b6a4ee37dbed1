import { InvalidInputError } from "@sightline/model/errors.ts";
import fc from "fast-check";
import { Writer } from "protobufjs/minimal.js";
import { describe, expect, test } from "vitest";
import { WireReader } from "./reader.ts";

const read = (bytes: readonly number[] | Uint8Array, maxDepth?: number) =>
  new WireReader(Uint8Array.from(bytes), "Test", maxDepth === undefined ? {} : { maxDepth });

describe("64-bit values", () => {
  test("round-trip as bigint", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const bytes: number[] = [];
        let rest = BigInt.asUintN(64, value);
        do {
          const more = rest > 0x7fn;
          bytes.push(Number(rest & 0x7fn) | (more ? 0x80 : 0));
          rest >>= 7n;
        } while (rest > 0n);
        expect(read(bytes).int64()).toBe(value);
        expect(read(bytes).uint64()).toBe(BigInt.asUintN(64, value));
        expect(read(bytes).int64AsNumber()).toBe(Number(value));
      }),
    );
  });

  test("zigzag round-trips for every safe integer", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const bytes = Writer.create().sint64(value).finish();
        expect(read(bytes).sint64AsNumber()).toBe(value === 0 ? 0 : value);
      }),
    );
  });

  test("fixed64 and doubles round-trip", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (double, integer) => {
        const bytes = new DataView(new ArrayBuffer(16));
        bytes.setFloat64(0, double, true);
        bytes.setBigUint64(8, integer, true);
        const reader = read(new Uint8Array(bytes.buffer));
        expect(reader.double()).toBe(double);
        expect(reader.fixed64()).toBe(integer);
      }),
    );
  });
});

test("uint32 cuts off the bits above 32, as protobuf does", () => {
  expect(read([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]).int32()).toBe(-1);
});

test.each([
  ["a varint that ends early", [0x80], (r: WireReader) => r.uint32(), /truncated varint/],
  ["a varint of eleven bytes", Array(11).fill(0x80), (r: WireReader) => r.uint64(), /longer than 64 bits/],
  ["a tenth byte above 1", [...Array(9).fill(0xff), 2], (r: WireReader) => r.uint64(), /longer than 64 bits/],
  ["a length past the end", [0x05, 1, 2], (r: WireReader) => r.skipBytes(), /length 5 runs past the end/],
  ["field number 0", [0x02], (r: WireReader) => r.nextTag(), /illegal field number/],
  ["a truncated double", [1, 2, 3], (r: WireReader) => r.double(), /8 bytes expected/],
  ["wire type 7", [], (r: WireReader) => r.skip(15), /wire type 7/],
  ["invalid UTF-8", [0x02, 0xc3, 0x28], (r: WireReader) => r.string(), /not valid UTF-8/],
  ["an overlong encoding", [0x02, 0xc0, 0x80], (r: WireReader) => r.string(), /not valid UTF-8/],
  ["a surrogate", [0x03, 0xed, 0xa0, 0x80], (r: WireReader) => r.string(), /not valid UTF-8/],
  ["a group without end", [0x08, 0x01], (r: WireReader) => r.skip(0x0b), /group without an end/],
  ["a group that ends as another", [0x14], (r: WireReader) => r.skip(0x0b), /another field number/],
])("%s is refused", (_name, bytes, act, message) => {
  const reader = read(bytes);
  expect(() => act(reader)).toThrow(InvalidInputError);
  expect(() => act(read(bytes))).toThrow(message);
});

test("a refusal names the fields it was inside of and the byte", () => {
  const reader = read([0x0a, 0x03, 0x12, 0x01, 0x80]);
  expect(() => {
    reader.nextTag();
    reader.enter("resource_logs");
    reader.nextTag();
    reader.enter("resource");
    reader.nextTag();
  }).toThrow("malformed protobuf in Test.resource_logs.resource field 2: truncated varint at byte 4");
});

test("nesting deeper than the limit is refused, in messages and in skipped groups", () => {
  const reader = read([0x02, 0x01, 0x00], 1);
  reader.enter("a");
  expect(() => reader.enter("b")).toThrow(/nested deeper than 1 levels/);
  expect(() => read(Array(500).fill(0x0b)).skip(0x0b)).toThrow(/nested deeper than 100 levels/);
});

test("leave continues behind a message that was not read to its end", () => {
  const reader = read([0x0a, 0x02, 0x08, 0x01, 0x10, 0x07]);
  reader.nextTag();
  reader.leave(reader.enter("inner"));
  expect(reader.nextTag()).toBe(0x10);
  expect(reader.uint32()).toBe(7);
  expect(reader.nextTag()).toBe(0);
});

test("unknown fields of every wire type are skipped", () => {
  const bytes = Writer.create().uint32(8).uint64(300).uint32(17).double(1).uint32(26).string("abc").uint32(37).float(1);
  const group = [0x2b, 0x08, 0x01, 0x33, 0x34, 0x2c];
  const reader = read([...bytes.finish(), ...group, 0x38, 0x01]);
  for (let tag = reader.nextTag(); tag >>> 3 !== 7; tag = reader.nextTag()) reader.skip(tag);
  expect(reader.uint32()).toBe(1);
});

test("strings decode as the platform decodes them", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (content) => {
      const reader = read([content.length, ...content]);
      let want: string | undefined;
      try {
        want = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
      } catch {}
      expect(reader.stringOrUndefined()).toBe(want);
    }),
  );
});
