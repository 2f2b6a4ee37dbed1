import fc from "fast-check";
import { expect, test } from "vitest";
import { NumericHistogram } from "./numeric-histogram.ts";

test("every number is in a bucket that has it, and there are few", () => {
  const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(0, 0.001));
  fc.assert(
    fc.property(fc.array(number, { minLength: 1 }), (values) => {
      const histogram = new NumericHistogram();
      for (const value of values) histogram.add(value, 1);
      const summary = histogram.summary();
      expect(summary).toMatchObject({ min: Math.min(...values), max: Math.max(...values) });
      const buckets = summary?.buckets ?? [];
      expect(buckets.length).toBeLessThanOrEqual(31);
      expect(buckets.reduce((sum, { count }) => sum + count, 0)).toBe(values.length);
      for (const [i, { from, to }] of buckets.entries()) {
        expect(from).toBeLessThanOrEqual(to);
        expect(from).toBeGreaterThanOrEqual(buckets[i - 1]?.to ?? Number.NEGATIVE_INFINITY);
      }
    }),
  );
});

test("durations", () => {
  const histogram = new NumericHistogram();
  for (const value of [1, 1, 2, 100, 1_000]) histogram.add(value, 1);
  const { mean, buckets = [] } = histogram.summary() ?? {};
  expect(mean).toBe(220.8);
  for (const value of [1, 2, 100, 1_000]) {
    expect(buckets.filter(({ from, to }) => from <= value && value < to)).toHaveLength(1);
  }
});

test("nothing without numbers", () => {
  const histogram = new NumericHistogram();
  histogram.add(Number.NaN, 1);
  expect(histogram.summary()).toBeUndefined();
});
