import { quantileOf } from "../aggregate/quantile-of.ts";
import { NOTES } from "../annotations.ts";
import { compensated } from "../eval/neumaier.ts";
import type { RangeFunction, RangeResult, RangeWindow } from "../eval/range-function.ts";
import { metricName } from "../eval/result-labels.ts";
import { averageHistograms, sumHistograms } from "./histograms-over-time.ts";

/** `*_over_time`: one value for the samples of a range, in the arithmetic of Prometheus' promql/functions.go. */
export const OVER_TIME_FUNCTIONS: ReadonlyMap<string, RangeFunction> = new Map<string, RangeFunction>([
  ["sum_over_time", { minFloats: 1, floats: sum, any: (window) => eitherKind(window, sum, sumHistograms) }],
  ["avg_over_time", { minFloats: 1, floats: average, any: (window) => eitherKind(window, average, averageHistograms) }],
  ["min_over_time", onlyFloats(minimum)],
  ["max_over_time", onlyFloats(maximum)],
  ["stdvar_over_time", onlyFloats(variance)],
  ["stddev_over_time", onlyFloats((window) => Math.sqrt(variance(window)))],
  ["mad_over_time", onlyFloats(medianAbsoluteDeviation)],
  ["quantile_over_time", onlyFloats(quantileOverTime)],
  ["ts_of_min_over_time", onlyFloats(timeOfMinimum)],
  ["ts_of_max_over_time", onlyFloats(timeOfMaximum)],
  ["count_over_time", { minFloats: 1, floats: countFloats, any: (w) => countFloats(w) + histogramCount(w) }],
  ["present_over_time", { minFloats: 1, floats: () => 1, any: () => 1 }],
  ["absent_over_time", { minFloats: 1, floats: () => 1, any: () => 1 }],
  ["last_over_time", { minFloats: 1, keepsName: true, floats: last, any: lastOfAny }],
  ["first_over_time", { minFloats: 1, keepsName: true, floats: first, any: firstOfAny }],
  ["ts_of_first_over_time", { minFloats: 1, floats: timeOfFirst, any: timeOfFirst }],
  ["ts_of_last_over_time", { minFloats: 1, floats: timeOfLast, any: timeOfLast }],
]);

/** A function that leaves histograms out, saying so where a range has both. */
export function onlyFloats(floats: (window: RangeWindow) => number, minFloats = 1): RangeFunction {
  return {
    minFloats,
    floats,
    any: (window) => {
      const count = window.to - window.from;
      if (count > 0 && histogramCount(window) > 0) {
        const { annotations, firstArgRange } = window.call;
        annotations.info(firstArgRange, NOTES.ignoredInMixedRange(metricName(window.series.labels)));
      }
      return count < minFloats ? undefined : floats(window);
    },
  };
}

export function histogramCount(window: RangeWindow): number {
  return window.histogramTo - window.histogramFrom;
}

/** A range that mixes floats and histograms has no result. */
function eitherKind(
  window: RangeWindow,
  floats: (window: RangeWindow) => number,
  histograms: (window: RangeWindow) => RangeResult,
): RangeResult {
  if (histogramCount(window) === 0) return floats(window);
  if (window.to === window.from) return histograms(window);
  const { annotations, firstArgRange } = window.call;
  annotations.warn(firstArgRange, NOTES.mixedFloatsHistograms(metricName(window.series.labels)));
  return undefined;
}

/** What is lost in sums that overflow does not count: they stay infinite, or become NaN. */
function sum({ values, from, to }: RangeWindow): number {
  let total = 0;
  let compensation = 0;
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    const next = total + value;
    compensation += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return isInfinite(total) ? total : total + compensation;
}

/**
 * The plain mean, if the sum does not overflow. As in {@link sum}, what {@link compensated} does for finite sums is written
 * out: most of what averages over long ranges take is this loop.
 */
function average(window: RangeWindow): number {
  const { values, from, to, series } = window;
  if (series.counts) return sum(window) / countFloats(window);
  let total = values[from] as number;
  let compensation = 0;
  for (let i = from + 1; i < to; i++) {
    const value = values[i] as number;
    const next = total + value;
    compensation += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  // Whatever is added to a sum that overflowed, it does not become finite again.
  if (!Number.isFinite(total)) return overflowingAverage(window);
  const count = to - from;
  return total / count + compensation / count;
}

/** The plain mean of what comes before the sum overflows, from there on the incremental one. */
function overflowingAverage({ values, from, to }: RangeWindow): number {
  let mean = values[from] as number;
  let compensation = 0;
  let i = from + 1;
  for (; i < to; i++) {
    const value = values[i] as number;
    const next = mean + value;
    if (isInfinite(next)) break;
    compensation = compensated(compensation, mean, value, next);
    mean = next;
  }
  mean /= i - from;
  compensation /= i - from;
  for (; i < to; i++) {
    const count = i - from + 1;
    const share = (count - 1) / count;
    const before = share * mean;
    const added = (values[i] as number) / count;
    mean = before + added;
    compensation = compensated(share * compensation, before, added, mean);
  }
  return mean + compensation;
}

function minimum({ values, from, to }: RangeWindow): number {
  let least = values[from] as number;
  for (let i = from + 1; i < to; i++) {
    const value = values[i] as number;
    if (value < least || Number.isNaN(least)) least = value;
  }
  return least;
}

function maximum({ values, from, to }: RangeWindow): number {
  let most = values[from] as number;
  for (let i = from + 1; i < to; i++) {
    const value = values[i] as number;
    if (value > most || Number.isNaN(most)) most = value;
  }
  return most;
}

function timeOfMinimum({ timesMs, values, from, to }: RangeWindow): number {
  let at = from;
  for (let i = from; i < to; i++) {
    const least = values[at] as number;
    if ((values[i] as number) <= least || Number.isNaN(least)) at = i;
  }
  return (timesMs[at] as number) / 1000;
}

function timeOfMaximum({ timesMs, values, from, to }: RangeWindow): number {
  let at = from;
  for (let i = from; i < to; i++) {
    const most = values[at] as number;
    if ((values[i] as number) >= most || Number.isNaN(most)) at = i;
  }
  return (timesMs[at] as number) / 1000;
}

/** Welford's method with both running values compensated. */
function variance({ values, from, to }: RangeWindow): number {
  let mean = 0;
  let meanCompensation = 0;
  let squares = 0;
  let squaresCompensation = 0;
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    const delta = value - (mean + meanCompensation);
    const step = delta / (i - from + 1);
    const nextMean = mean + step;
    meanCompensation = compensated(meanCompensation, mean, step, nextMean);
    mean = nextMean;
    const square = delta * (value - (mean + meanCompensation));
    const nextSquares = squares + square;
    squaresCompensation = compensated(squaresCompensation, squares, square, nextSquares);
    squares = nextSquares;
  }
  return (squares + squaresCompensation) / (to - from);
}

function medianAbsoluteDeviation({ values, from, to }: RangeWindow): number {
  const window = values.slice(from, to);
  for (const value of window) if (Number.isNaN(value)) return Number.NaN;
  const median = quantileOf(0.5, window);
  for (let i = 0; i < window.length; i++) window[i] = Math.abs((window[i] as number) - median);
  return quantileOf(0.5, window);
}

function quantileOverTime(window: RangeWindow): number {
  const quantile = (window.call.params.get(0) as Float64Array)[window.step] as number;
  if (!(quantile >= 0 && quantile <= 1)) {
    window.call.annotations.warn(window.call.firstArgRange, NOTES.invalidQuantile(quantile));
  }
  return quantileOf(quantile, window.values.slice(window.from, window.to));
}

function countFloats({ from, to, series: { counts } }: RangeWindow): number {
  if (!counts) return to - from;
  let count = 0;
  for (let i = from; i < to; i++) count += counts[i] as number;
  return count;
}

function last({ values, to }: RangeWindow): number {
  return values[to - 1] as number;
}

function first({ values, from }: RangeWindow): number {
  return values[from] as number;
}

function lastOfAny(window: RangeWindow): RangeResult {
  if (histogramCount(window) === 0) return last(window);
  const { timesMs, histogramTimesMs, from, to, histogramTo } = window;
  const newerFloat = to > from && (timesMs[to - 1] as number) > (histogramTimesMs[histogramTo - 1] as number);
  return newerFloat ? last(window) : window.histograms[histogramTo - 1];
}

function firstOfAny(window: RangeWindow): RangeResult {
  if (histogramCount(window) === 0) return first(window);
  const { timesMs, histogramTimesMs, from, to, histogramFrom } = window;
  const olderFloat = to > from && (timesMs[from] as number) < (histogramTimesMs[histogramFrom] as number);
  return olderFloat ? first(window) : window.histograms[histogramFrom];
}

function timeOfFirst(window: RangeWindow): number {
  const floatMs = window.to > window.from ? (window.timesMs[window.from] as number) : Number.POSITIVE_INFINITY;
  const histogramMs =
    histogramCount(window) > 0 ? (window.histogramTimesMs[window.histogramFrom] as number) : Number.POSITIVE_INFINITY;
  return Math.min(floatMs, histogramMs) / 1000;
}

function timeOfLast(window: RangeWindow): number {
  const floatMs = window.to > window.from ? (window.timesMs[window.to - 1] as number) : 0;
  const histogramMs = histogramCount(window) > 0 ? (window.histogramTimesMs[window.histogramTo - 1] as number) : 0;
  return Math.max(floatMs, histogramMs) / 1000;
}

function isInfinite(value: number): boolean {
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;
}
