import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeDecisions, encodeDecisions } from "./decisions.ts";
import { RowSet } from "./row-set.ts";

const uint32 = fc.nat({ max: 0xffffffff });

test("decisions are read back under the settings they were made under, and under no others", () => {
  const decisions = fc.array(fc.tuple(fc.nat({ max: 255 }), fc.uint8Array({ maxLength: 20 })), { minLength: 1 });
  fc.assert(
    fc.property(decisions, uint32, uint32, (entries, fingerprint, other) => {
      const encoded = encodeDecisions(fingerprint, new Map(entries)) as Uint8Array;
      const read = decodeDecisions(fingerprint, encoded);
      expect([...(read ?? [])].map(([stage, bytes]) => [stage, [...bytes]])).toEqual(
        [...new Map(entries)].map(([stage, bytes]) => [stage, [...bytes]]),
      );
      if (other !== fingerprint) expect(decodeDecisions(other, encoded)).toBeUndefined();
    }),
  );
});

test("no decisions are no bytes, and bytes that are none are not taken for some", () => {
  expect(encodeDecisions(1, new Map())).toBeUndefined();
  expect(decodeDecisions(0, new Uint8Array(3))).toBeUndefined();
  expect(decodeDecisions(0, new Uint8Array(7))).toBeUndefined();
  expect(decodeDecisions(0, Uint8Array.of(0, 0, 0, 0, 1, 9, 0, 0, 0))).toBeUndefined();
});

test("a set of rows is the same after it was written down", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat({ max: 200 })), (rows) => {
      const set = new RowSet(201);
      for (const row of [...rows, ...rows]) set.add(row);
      const read = RowSet.from(set.bytes);
      const found = Array.from({ length: 300 }, (_, row) => row).filter((row) => read.has(row));
      expect([set.size, read.size, found]).toEqual([rows.length, rows.length, rows.toSorted((a, b) => a - b)]);
    }),
  );
});
