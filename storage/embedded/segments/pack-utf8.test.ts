import { Utf8Texts } from "@sightline/model/utf8-texts.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { packUtf8 } from "./pack-utf8.ts";
import { packColumn } from "./packed-column.ts";

type Texts = readonly (string | undefined)[];

function textsOf(texts: Texts): Utf8Texts {
  let end = 0;
  const ends = Uint32Array.from(texts, (text) => (end += Buffer.byteLength(text ?? "")));
  const has = texts.includes(undefined) ? Uint8Array.from(texts, (text) => (text === undefined ? 0 : 1)) : undefined;
  return new Utf8Texts(Buffer.from(texts.join("")), ends, has);
}

/** Some rows of a part, which may be beyond its texts; undefined: it has none. */
const part = fc.tuple(
  fc.option(
    fc.array(fc.option(fc.string({ maxLength: 20, unit: "grapheme" }), { nil: undefined }), { maxLength: 12 }),
    {
      nil: undefined,
    },
  ),
  fc.oneof(
    fc.uniqueArray(fc.nat(14), { minLength: 1, maxLength: 15 }),
    fc.nat(14).map((last) => Array.from({ length: last + 1 }, (_, i) => i)),
  ),
);

test("rows of several parts, neighbours or not, are packed as their strings are", () => {
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
      const pieces = parts.map(([, rows], number) => ({ part: number, from: rows.length >> 1, to: rows.length }));
      const strings = parts.flatMap(([texts, rows]) =>
        rows.slice(rows.length >> 1).map((row) => texts?.[row]?.toWellFormed() ?? null),
      );
      const packed = packUtf8(pieces, (number) => {
        const [texts, rows] = parts[number] as (typeof parts)[number];
        return { texts: texts && textsOf(texts), rows: Uint32Array.from(rows) };
      });
      expect(packed).toEqual(packColumn("VARCHAR", strings));
    }),
  );
});

test("nothing is packed when a part has strings", () => {
  expect(packUtf8([{ part: 0, from: 0, to: 1 }], () => undefined)).toBeUndefined();
});
