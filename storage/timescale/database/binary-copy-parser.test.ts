import fc from "fast-check";
import { expect, test } from "vitest";
import { BinaryCopyParser, readInt8 } from "./binary-copy-parser.ts";

const SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");

function encode(rows: readonly (readonly (number | undefined)[])[]): Buffer {
  const parts = [SIGNATURE];
  for (const row of rows) {
    parts.push(Buffer.of(0, row.length));
    for (const value of row) {
      const field = Buffer.alloc(value === undefined ? 4 : 12);
      field.writeInt32BE(value === undefined ? -1 : 8);
      if (value !== undefined) field.writeBigInt64BE(BigInt(value), 4);
      parts.push(field);
    }
  }
  return Buffer.concat([...parts, Buffer.of(0xff, 0xff)]);
}

function collect(fields: number) {
  const rows: (number | undefined)[][] = [];
  const row = (bytes: Buffer, offsets: Int32Array, lengths: Int32Array) => {
    rows.push(Array.from(offsets, (at, i) => (lengths[i] === -1 ? undefined : readInt8(bytes, at))));
  };
  return { rows, parser: new BinaryCopyParser(fields, { row }) };
}

test("rows come out whole however the stream is cut", () => {
  const field = fc.option(fc.maxSafeInteger(), { nil: undefined });
  const rows = fc.array(fc.tuple(field, field, field), { maxLength: 20 });
  fc.assert(
    fc.property(rows, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (all, cuts) => {
      const bytes = encode(all);
      const { rows, parser } = collect(3);
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = cuts[i % cuts.length] as number;
        parser.push(bytes.subarray(at, at + size));
        at += size;
      }
      expect(rows).toEqual(all);
    }),
  );
});

test("what is no binary COPY, or has other fields, is an error", () => {
  expect(() => collect(1).parser.push(Buffer.alloc(40))).toThrow("not a binary COPY");
  expect(() => collect(2).parser.push(encode([[1]]))).toThrow("1 fields, not 2");
});
