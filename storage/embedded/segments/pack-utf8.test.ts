import { Utf8Texts } from "@sightline/model/utf8-texts.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { packUtf8 } from "./pack-utf8.ts";
import { packColumn } from "./packed-column.ts";

function textsOf(texts: readonly string[]): Utf8Texts {
  let end = 0;
  const ends = Uint32Array.from(texts, (text) => (end += Buffer.byteLength(text)));
  return new Utf8Texts(Buffer.from(texts.join("")), ends);
}

const part = fc
  .array(fc.string({ maxLength: 20, unit: "grapheme" }), { minLength: 1, maxLength: 12 })
  .chain((texts) =>
    fc.tuple(fc.constant(texts), fc.uniqueArray(fc.nat(texts.length - 1), { minLength: 1, maxLength: texts.length })),
  );

test("rows of several parts, neighbours or not, are packed as their strings are", () => {
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
      const pieces = parts.map(([, rows], number) => ({ part: number, from: rows.length >> 1, to: rows.length }));
      const strings = parts.flatMap(([texts, rows]) =>
        rows.slice(rows.length >> 1).map((row) => texts[row]?.toWellFormed() as string),
      );
      const packed = packUtf8(pieces, (number) => {
        const [texts, rows] = parts[number] as (typeof parts)[number];
        return { texts: textsOf(texts), rows: Uint32Array.from(rows) };
      });
      expect(packed).toEqual(packColumn("VARCHAR", strings));
    }),
  );
});

test("nothing is packed when a part has no bytes", () => {
  expect(packUtf8([{ part: 0, from: 0, to: 1 }], () => undefined)).toBeUndefined();
});
