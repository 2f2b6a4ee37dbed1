import fc from "fast-check";
import { expect, test } from "vitest";
import { power } from "./go-power.ts";

// Answers of Prometheus, whose rounding differs from V8's in the last digits.
test.each([
  [1.1, 1000.5, 259048749879140700000000000000000000000000],
  [2, 0.5, Math.SQRT2],
  [2, -1074, 5e-324],
  [2, 1024, Number.POSITIVE_INFINITY],
  [-2, 3, -8],
  [-2, 0.5, Number.NaN],
  [-8, 1 / 3, Number.NaN],
  [1, Number.NaN, 1],
  [Number.NaN, 0, 1],
  [-1, Number.POSITIVE_INFINITY, 1],
  [-1, 1e300, 1],
  [0.5, 1e300, 0],
  [2, -1e300, 0],
  [-0, -3, Number.NEGATIVE_INFINITY],
  [0, -3, Number.POSITIVE_INFINITY],
  [Number.NEGATIVE_INFINITY, 3, Number.NEGATIVE_INFINITY],
  [5e-324, 1, 5e-324],
])("%d to the power of %d is %d", (base, exponent, want) => {
  const got = power(base, exponent);
  expect(got).toBe(want);
});

test("is close to what V8 says", () => {
  const base = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(base, fc.double({ min: -50, max: 50, noNaN: true }), (x, y) => {
      const want = x ** y;
      if (want === 0 || want === Number.POSITIVE_INFINITY) return;
      expect(Math.abs(power(x, y) / want - 1)).toBeLessThan(1e-12);
    }),
  );
});
