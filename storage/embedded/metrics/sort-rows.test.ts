import fc from "fast-check";
import { expect, test } from "vitest";
import { sortRows } from "./sort-rows.ts";
import { TimeSlice } from "./time-slice.ts";

test("sorts like sort, also beyond one run", () =>
  fc.assert(
    fc.asyncProperty(fc.constantFrom(0, 1, 10, 5000, 9000), fc.integer(), async (count, seed) => {
      const keys = Array.from({ length: count }, (_, i) => Math.imul(i + seed, 0x9e3779b1) % 997);
      const compare = (a: number, b: number) => (keys[a] as number) - (keys[b] as number);
      const want = keys.map((_, i) => i).sort(compare);
      expect(await sortRows(count, compare, new TimeSlice())).toEqual(want);
    }),
    { numRuns: 20 },
  ));
