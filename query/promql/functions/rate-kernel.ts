import type { RangeCall, SeriesKernel } from "../eval/range-function.ts";
import { FLOAT } from "../eval/step-series.ts";
import type { StepWindows } from "../eval/step-windows.ts";
import { extrapolationFactor, unboundedToStart } from "./extrapolation.ts";
import { firstAfter } from "./first-after.ts";
import type { RateKind } from "./rate-kind.ts";

/**
 * `rate`, `increase` or `delta` in all windows of a series, to the last bit as if each were computed by itself. What a
 * change is multiplied by depends on times alone, unless a counter is so low that it began in the range.
 */
export function rateKernel(windows: StepWindows, call: RangeCall, kind: RateKind): SeriesKernel {
  const factors = factorsOf(windows, call, kind);
  const plan: RatePlan = { windows, call, kind, factors, isRegular: windows.isSolid && areKnown(factors, windows) };
  if (!kind.isCounter) return (values, _, out) => gaugeChanges(plan, values, out);
  if (!plan.isRegular) return (values, resets, out) => counterChanges(plan, 0, factors.length, values, resets, out);
  return (values, resets, out) => regularChanges(plan, values, resets, out);
}

type RatePlan = {
  readonly windows: StepWindows;
  readonly call: RangeCall;
  readonly kind: RateKind;
  readonly factors: Float64Array;
  /** There is a result and a factor at every step from the first to the last. */
  readonly isRegular: boolean;
};

function areKnown(factors: Float64Array, { firstStep, endStep }: StepWindows): boolean {
  for (let step = firstStep; step < endStep; step++) if (Number.isNaN(factors[step])) return false;
  return true;
}

/** NaN where a counter at least as high as its change might still have begun in the range. */
function factorsOf(windows: StepWindows, call: RangeCall, kind: RateKind): Float64Array {
  const { timesMs, from, to, kinds } = windows;
  const factors = new Float64Array(kinds.length).fill(Number.NaN);
  for (let step = 0; step < kinds.length; step++) {
    if (kinds[step] !== FLOAT) continue;
    const firstMs = timesMs[from[step] as number] as number;
    const last = (to[step] as number) - 1;
    const sampled = ((timesMs[last] as number) - firstMs) / 1000;
    const startMs = windows.endMs(step) - call.rangeMs;
    const toStart = unboundedToStart({ startMs, endMs: 0 }, firstMs, sampled, last - (from[step] as number));
    if (kind.isCounter && !(sampled >= toStart)) continue;
    factors[step] = factorAt(windows, call, kind, step, Number.POSITIVE_INFINITY);
  }
  return factors;
}

function factorAt(windows: StepWindows, call: RangeCall, kind: RateKind, step: number, zero: number): number {
  const { timesMs } = windows;
  const from = windows.from[step] as number;
  const last = (windows.to[step] as number) - 1;
  const endMs = windows.endMs(step);
  const ends = { startMs: endMs - call.rangeMs, endMs };
  return extrapolationFactor(ends, call, kind, timesMs[from] as number, timesMs[last] as number, last - from, zero);
}

/** Of a counter that was so low, compared to its change, that it may have begun in the range. */
function lowFactor({ windows, call, kind }: RatePlan, step: number, first: number, change: number): number {
  const zero = change > 0 && first >= 0 ? first / change : Number.POSITIVE_INFINITY;
  return factorAt(windows, call, kind, step, zero);
}

function gaugeChanges({ windows, factors }: RatePlan, values: Float64Array, out: Float64Array): void {
  const { from, to, kinds } = windows;
  for (let step = 0; step < kinds.length; step++) {
    if (kinds[step] !== FLOAT) continue;
    const change = (values[(to[step] as number) - 1] as number) - (values[from[step] as number] as number);
    out[step] = change * (factors[step] as number);
  }
}

/** As if there were no resets, which is true of most windows; those with one are computed again. */
function regularChanges(plan: RatePlan, values: Float64Array, resets: readonly number[], out: Float64Array): void {
  const { from, to, firstStep, endStep } = plan.windows;
  for (let step = firstStep; step < endStep; step++) {
    step = highChanges(plan, step, values, out);
    if (step < endStep) out[step] = lowChange(plan, step, values);
  }
  let afterPrevious = firstStep;
  for (const reset of resets) {
    const firstWith = firstAbove(to, reset, afterPrevious, endStep);
    afterPrevious = firstAbove(from, reset - 1, firstWith, endStep);
    counterChanges(plan, firstWith, afterPrevious, values, resets, out);
  }
}

/**
 * Of counters that are at least as high as their change, from a step on; gives the first step of one that is not. Without
 * calls, after each of which V8 looks again where the arrays are: it takes a third of the time.
 */
function highChanges(
  { windows, factors }: RatePlan,
  firstStep: number,
  values: Float64Array,
  out: Float64Array,
): number {
  const { from, to, endStep } = windows;
  for (let step = firstStep; step < endStep; step++) {
    const first = values[from[step] as number] as number;
    const change = (values[(to[step] as number) - 1] as number) - first;
    if (!(first >= change)) return step;
    out[step] = change * (factors[step] as number);
  }
  return endStep;
}

function lowChange(plan: RatePlan, step: number, values: Float64Array): number {
  const { from, to } = plan.windows;
  const first = values[from[step] as number] as number;
  const change = (values[(to[step] as number) - 1] as number) - first;
  return change * lowFactor(plan, step, first, change);
}

/** The first step whose index, which ascends with the steps, is above `bound`. */
function firstAbove(indexes: Int32Array, bound: number, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((indexes[middle] as number) <= bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

function counterChanges(
  plan: RatePlan,
  firstStep: number,
  endStep: number,
  values: Float64Array,
  resets: readonly number[],
  out: Float64Array,
): void {
  const { windows, factors } = plan;
  const { from, to, kinds } = windows;
  if (firstStep >= endStep) return;
  let nextReset = firstAfter(resets, from[firstStep] as number);
  for (let step = firstStep; step < endStep; step++) {
    if (kinds[step] !== FLOAT) continue;
    const start = from[step] as number;
    const end = to[step] as number;
    const first = values[start] as number;
    let change = (values[end - 1] as number) - first;
    while (nextReset < resets.length && (resets[nextReset] as number) <= start) nextReset++;
    for (let reset = nextReset; reset < resets.length && (resets[reset] as number) < end; reset++) {
      change += values[(resets[reset] as number) - 1] as number;
    }
    const factor = factors[step] as number;
    if (first >= change && !Number.isNaN(factor)) out[step] = change * factor;
    else out[step] = change * lowFactor(plan, step, first, change);
  }
}
