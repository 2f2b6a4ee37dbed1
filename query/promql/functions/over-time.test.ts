import fc from "fast-check";
import { expect, test } from "vitest";
import { compensated } from "../eval/neumaier.ts";
import type { RangeWindow } from "../eval/range-function.ts";
import { OVER_TIME_FUNCTIONS } from "./over-time.ts";

const SAMPLES = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.double({ noNaN: true, min: -1e6, max: 1e6 }) },
    { weight: 2, arbitrary: fc.constantFrom(1.7e308, -1.7e308, 0, -0) },
    { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY) },
  ),
  { minLength: 1, maxLength: 30 },
);

function result(name: string, values: readonly number[]): unknown {
  const window = { values: Float64Array.from(values), from: 0, to: values.length, series: {} };
  return OVER_TIME_FUNCTIONS.get(name)?.floats(window as RangeWindow);
}

/** As Prometheus has it: looking at every step whether the sum has overflowed. */
function sumStepByStep(values: readonly number[]): number {
  let [sum, lost] = [0, 0];
  for (const value of values) {
    const next = sum + value;
    lost = compensated(lost, sum, value, next);
    sum = next;
  }
  return Math.abs(sum) === Number.POSITIVE_INFINITY ? sum : sum + lost;
}

function averageStepByStep(values: readonly number[]): number {
  let [sum, lost, mean] = [values[0] as number, 0, 0];
  let isIncremental = false;
  for (let i = 1; i < values.length; i++) {
    const value = values[i] as number;
    if (!isIncremental) {
      const next = sum + value;
      if (Math.abs(next) !== Number.POSITIVE_INFINITY) {
        lost = compensated(lost, sum, value, next);
        sum = next;
        continue;
      }
      isIncremental = true;
      mean = sum / i;
      lost /= i;
    }
    const share = i / (i + 1);
    const added = value / (i + 1);
    const next = share * mean + added;
    lost = compensated(share * lost, share * mean, added, next);
    mean = next;
  }
  return isIncremental ? mean + lost : sum / values.length + lost / values.length;
}

test("sums and averages are those of Prometheus to the last bit, whether they overflow or not", () => {
  fc.assert(
    fc.property(SAMPLES, (values) => {
      expect(result("sum_over_time", values)).toBe(sumStepByStep(values));
      expect(result("avg_over_time", values)).toBe(averageStepByStep(values));
    }),
    { numRuns: 2_000 },
  );
});
