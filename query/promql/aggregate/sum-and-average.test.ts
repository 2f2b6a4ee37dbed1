import fc from "fast-check";
import { expect, test } from "vitest";
import { FLOAT, StepSeries } from "../eval/step-series.ts";
import type { AggregateCall } from "./aggregator.ts";
import { AverageAggregator, SumAggregator } from "./sum-and-average.ts";

const STEPS = 6;
const call = { grid: { startMs: 0, stepMs: 1_000, steps: STEPS } } as unknown as AggregateCall;
const value = fc.oneof(
  fc.double(),
  fc.constantFrom(0, -0, 1e308, -1e308, 1e100, 1, -1e100, Number.NaN, Number.POSITIVE_INFINITY),
);
/** With floats in one stretch of steps and nothing elsewhere. */
const member = fc.tuple(fc.array(value, { minLength: STEPS, maxLength: STEPS }), fc.nat(STEPS), fc.nat(STEPS));
type Member = [values: number[], one: number, other: number];

type Aggregator = typeof SumAggregator | typeof AverageAggregator;

function resultOf(Aggregator: Aggregator, members: readonly Member[], saysWhere: boolean): StepSeries {
  const result = new Aggregator([], call);
  for (const [values, one, other] of members) {
    const [from, to] = [Math.min(one, other), Math.max(one, other)];
    const series = new StepSeries([], true, Float64Array.from(values), new Uint8Array(STEPS).fill(FLOAT, from, to));
    if (saysWhere) [series.solidFrom, series.solidTo] = [from, to];
    result.add(series);
  }
  return result.finish()[0] as StepSeries;
}

test.each([
  ["a sum", SumAggregator],
  ["an average", AverageAggregator],
])("%s is the same to the last bit whether or not its members say where they have floats", (_, Aggregator) => {
  fc.assert(
    fc.property(fc.array(member, { maxLength: 4 }), (members) => {
      const [quick, slow] = [true, false].map((saysWhere) => resultOf(Aggregator, members, saysWhere)) as [
        StepSeries,
        StepSeries,
      ];
      expect(quick.kinds).toEqual(slow.kinds);
      for (let step = 0; step < STEPS; step++) {
        if (slow.kinds[step] === FLOAT) expect(quick.values[step]).toBe(slow.values[step]);
      }
    }),
  );
});

test("the sum of -0 alone is 0", () => {
  expect(resultOf(SumAggregator, [[[-0, -0, 1, 1, 1, 1], 0, STEPS]], true).values[0]).toBe(0);
});
