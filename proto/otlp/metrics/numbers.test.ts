import fc from "fast-check";
import { expect, test } from "vitest";
import { floatText } from "./float-text.ts";
import { millisOfNanos } from "./nano-time.ts";

test("nanoseconds become milliseconds exactly, over all of their 64 bits", () => {
  const nanos = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.tuple(fc.bigInt({ min: 0n, max: 18_446_744_073_708n }), fc.bigInt({ min: -1n, max: 1n })).map(([ms, off]) => {
      const edge = ms * 1_000_000n + off;
      return edge < 0n ? 0n : edge;
    }),
  );
  fc.assert(
    fc.property(nanos, (value) => {
      expect(millisOfNanos(Number(value & 0xffff_ffffn), Number(value >> 32n))).toBe(Number(value / 1_000_000n));
    }),
    { numRuns: 1000 },
  );
});

test.each([
  [0.005, "0.005"],
  [1, "1"],
  [2.5, "2.5"],
  [1e21, "1000000000000000000000"],
  [1.5e22, "15000000000000000000000"],
  [1e-7, "0.0000001"],
  [-1.25e-9, "-0.00000000125"],
  [0, "0"],
  [-0, "-0"],
  [Number.POSITIVE_INFINITY, "+Inf"],
  [Number.NEGATIVE_INFINITY, "-Inf"],
])("%d is printed as %s, as Go does it", (value, text) => expect(floatText(value)).toBe(text));

test("a printed number reads back as itself and has no exponent", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = floatText(value);
      expect(Number(text)).toBe(value);
      expect(text).not.toContain("e");
    }),
  );
});
