import type { RangeResult, RangeWindow } from "../eval/range-function.ts";
import { extendedHistogramRate } from "./extended-histogram-rate.ts";
import { histogramCount } from "./over-time.ts";
import { endIndexes, interpolate } from "./range-ends.ts";
import type { RateKind } from "./rate-kind.ts";

/**
 * `rate`, `increase` and `delta` of an `anchored` or `smoothed` range: the difference of the values at its two ends,
 * which are the samples before them, or, smoothed, interpolated between their neighbours. Nothing is extrapolated.
 */
export function extendedRate(window: RangeWindow, kind: RateKind): RangeResult {
  if (histogramCount(window) > 0) return extendedHistogramRate(window, kind);
  const { timesMs, values, startMs, endMs, call } = window;
  const smoothed = call.extend === "smoothed";
  const ends = endIndexes(timesMs, window.from, window.to, startMs, endMs, smoothed);
  if (!ends) return undefined;
  let { first, last } = ends;
  const left =
    smoothed && (timesMs[first] as number) < startMs
      ? interpolate(timesMs, values, first, startMs, kind.isCounter)
      : (values[first] as number);
  const right =
    smoothed && last > window.from && (timesMs[last] as number) > endMs
      ? interpolate(timesMs, values, last - 1, endMs, kind.isCounter)
      : (values[last] as number);
  let change = right - left;
  if (kind.isCounter) {
    // Interpolation has dealt with resets at the ends already.
    if ((timesMs[first] as number) <= startMs) first++;
    if ((timesMs[last] as number) >= endMs) last--;
    change += resetCorrection(values, first, last, left, right);
  }
  return kind.isRate ? change / call.rangeSeconds : change;
}

function resetCorrection(values: Float64Array, first: number, last: number, left: number, right: number): number {
  let correction = 0;
  let previous = left;
  for (let i = first; i <= last; i++) {
    const value = values[i] as number;
    if (value < previous) correction += previous;
    previous = value;
  }
  return right < previous ? correction + previous : correction;
}
