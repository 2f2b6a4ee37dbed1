import type { RangeOperation } from "../ast.ts";

/**
 * The samples of one window: `values[from]` to `values[to - 1]`, at `times` in ns from some moment. There is at least one.
 * `end` is the time of the step, `seconds` the length of the range.
 */
export type Window = {
  readonly values: Float64Array;
  readonly times: Float64Array;
  from: number;
  to: number;
  end: number;
  readonly seconds: number;
};
export type WindowFunction = (window: Window) => number;

const NS_PER_SECOND = 1e9;

function sum({ values, from, to }: Window): number {
  let total = 0;
  for (let i = from; i < to; i++) total += values[i] as number;
  return total;
}

function average({ values, from, to }: Window): number {
  let mean = 0;
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    const count = i - from + 1;
    // An infinite mean stays what it is, unless it meets an infinity of the other sign, or NaN.
    const isKept = Math.abs(mean) === Number.POSITIVE_INFINITY && (Number.isFinite(value) || value === mean);
    if (!isKept) mean += value / count - mean / count;
  }
  return mean;
}

function maximum({ values, from, to }: Window): number {
  let max = values[from] as number;
  for (let i = from; i < to; i++) if ((values[i] as number) > max || Number.isNaN(max)) max = values[i] as number;
  return max;
}

function minimum({ values, from, to }: Window): number {
  let min = values[from] as number;
  for (let i = from; i < to; i++) if ((values[i] as number) < min || Number.isNaN(min)) min = values[i] as number;
  return min;
}

/** Welford's algorithm. */
function variance({ values, from, to }: Window): number {
  let mean = 0;
  let squares = 0;
  for (let i = from; i < to; i++) {
    const delta = (values[i] as number) - mean;
    mean += delta / (i - from + 1);
    squares += delta * ((values[i] as number) - mean);
  }
  return squares / (to - from);
}

function quantile(q: number): WindowFunction {
  return ({ values, from, to }) => {
    if (q < 0) return Number.NEGATIVE_INFINITY;
    if (q > 1) return Number.POSITIVE_INFINITY;
    const ordered = values.slice(from, to).sort();
    // Loki has NaN before all others, typed arrays behind.
    const nans = ordered.length - (ordered.findLastIndex((value) => !Number.isNaN(value)) + 1);
    const at = (i: number) => (i < nans ? Number.NaN : (ordered[i - nans] as number));
    const rank = q * (ordered.length - 1);
    const lower = Math.max(0, Math.floor(rank));
    const weight = rank - Math.floor(rank);
    return at(lower) * (1 - weight) + at(Math.min(ordered.length - 1, lower + 1)) * weight;
  };
}

/** Prometheus' extrapolated rate of a counter, with the bounds of the range as they are (Loki's extrapolatedRate). */
function counterRate({ values, times, from, to, end, seconds }: Window): number {
  const count = to - from;
  if (count < 2) return 0;
  const first = values[from] as number;
  let increase = (values[to - 1] as number) - first;
  let last = 0;
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    if (value < last) increase += last;
    last = value;
  }
  const sampled = ((times[to - 1] as number) - (times[from] as number)) / NS_PER_SECOND;
  const average = sampled / (count - 1);
  const threshold = average * 1.1;
  let toStart = ((times[from] as number) - (end - seconds * NS_PER_SECOND)) / NS_PER_SECOND;
  let toEnd = (end - (times[to - 1] as number)) / NS_PER_SECOND;
  if (toStart >= threshold) toStart = average / 2;
  // A counter is never below zero: it can't have been extrapolated to before it was zero.
  const toZero = increase > 0 && first >= 0 ? sampled * (first / increase) : toStart;
  toStart = Math.min(toStart, toZero);
  if (toEnd >= threshold) toEnd = average / 2;
  return (increase * ((sampled + toStart + toEnd) / sampled)) / seconds;
}

const FUNCTIONS: ReadonlyMap<RangeOperation, WindowFunction> = new Map<RangeOperation, WindowFunction>([
  ["rate", (window) => sum(window) / window.seconds],
  ["rate_counter", counterRate],
  ["sum_over_time", sum],
  ["avg_over_time", average],
  ["max_over_time", maximum],
  ["min_over_time", minimum],
  ["stdvar_over_time", variance],
  ["stddev_over_time", (window) => Math.sqrt(variance(window))],
  ["first_over_time", ({ values, from }) => values[from] as number],
  ["last_over_time", ({ values, to }) => values[to - 1] as number],
]);

/** Of unwrapped values, with the arithmetic of Loki's pkg/logql/range_vector.go in its order. */
export function windowFunction(op: RangeOperation, parameter: number | undefined): WindowFunction {
  return FUNCTIONS.get(op) ?? quantile(parameter ?? Number.NaN);
}
