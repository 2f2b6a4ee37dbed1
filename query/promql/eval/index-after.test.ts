import fc from "fast-check";
import { expect, test } from "vitest";
import { indexAfter } from "./index-after.ts";

test("whatever stride is guessed, the first time after a moment is found", () => {
  const sorted = fc.array(fc.nat(50), { maxLength: 40 }).map((times) => Float64Array.from(times).sort());
  fc.assert(
    fc.property(sorted, fc.nat(45), fc.nat(45), fc.nat(60), (timesMs, from, stride, timeMs) => {
      fc.pre(from <= timesMs.length);
      const found = timesMs.findIndex((time, index) => index >= from && time > timeMs);
      expect(indexAfter(timesMs, from, stride, timeMs)).toBe(found < 0 ? timesMs.length : found);
    }),
  );
});
