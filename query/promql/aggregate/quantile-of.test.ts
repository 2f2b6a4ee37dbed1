import fc from "fast-check";
import { expect, test } from "vitest";
import { quantileOf } from "./quantile-of.ts";

function bySorting(quantile: number, values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => (Number.isNaN(a) ? -1 : Number.isNaN(b) ? 1 : a - b));
  const rank = quantile * (sorted.length - 1);
  const lower = Math.floor(rank);
  const upper = Math.min(sorted.length - 1, lower + 1);
  return (sorted[lower] as number) * (1 - (rank - lower)) + (sorted[upper] as number) * (rank - lower);
}

const value = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.double({ noDefaultInfinity: true }),
  fc.constant(Number.NaN),
);

test("few values and many give what sorting gives", () => {
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 300 }),
      fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.5, 1)),
      (values, quantile) => {
        // Adding 0 makes -0, which sorts like 0 elsewhere, the same.
        const plain = values.map((one) => one + 0);
        expect(quantileOf(quantile, Float64Array.from(plain))).toBe(bySorting(quantile, plain));
      },
    ),
  );
});

test.each([
  [-0.1, Number.NEGATIVE_INFINITY],
  [1.1, Number.POSITIVE_INFINITY],
  [Number.NaN, Number.NaN],
])("a quantile of %d is %d", (quantile, want) => {
  expect(quantileOf(quantile, Float64Array.of(1, 2))).toBe(want);
});

test("an order that is made to be slow is not", () => {
  const values = Float64Array.from({ length: 100_000 }, (_, i) => (i % 2 === 0 ? i : 200_000 - i));
  expect(quantileOf(0.25, values.slice())).toBe(bySorting(0.25, [...values]));
});
