import type { NativeHistogram } from "@sightline/model/histogram.ts";
import { NOTES } from "../annotations.ts";
import type { RangeFunction, RangeResult, RangeWindow } from "../eval/range-function.ts";
import type { RangeInput } from "../eval/range-input.ts";
import { metricName } from "../eval/result-labels.ts";
import { scaleHistogram } from "../histogram/scale-histogram.ts";
import { deltaRate, isDelta } from "./delta-rate.ts";
import { extendedRate } from "./extended-rate.ts";
import { extrapolationFactor, factorOf, toEnd } from "./extrapolation.ts";
import { firstAfter } from "./first-after.ts";
import { addNoting, histogramChange } from "./histogram-rate.ts";
import { histogramCount } from "./over-time.ts";
import { rateKernel } from "./rate-kernel.ts";
import type { RateKind } from "./rate-kind.ts";
import { isStartTimeReset, overlapsStartTime } from "./start-time.ts";

export const RATE_FUNCTIONS: ReadonlyMap<string, RangeFunction> = new Map([
  ["rate", extrapolated({ isCounter: true, isRate: true })],
  ["increase", extrapolated({ isCounter: true, isRate: false })],
  ["delta", extrapolated({ isCounter: false, isRate: false })],
]);

/**
 * The change over a range, extrapolated to its ends unless the series seems to start or end inside of it
 * (extrapolatedRate in Prometheus' promql/functions.go, operation by operation).
 * A series of delta temporality needs none of that.
 */
function extrapolated(kind: RateKind): RangeFunction {
  const { isCounter } = kind;
  return {
    minFloats: 2,
    needsResets: isCounter,
    floats: (window) => floatRate(window, kind),
    overWindows: (windows, call) => rateKernel(windows, call, kind),
    any: (window) => rateOfAny(window, kind),
    // Start times tell of resets and of the zero point of a counter; deltas are summed, not subtracted.
    always: (input) => isCounter && (isDelta(input) || hasStartTimes(input)),
  };
}

function hasStartTimes({ startsMs, histogramStartsMs }: RangeInput): boolean {
  return startsMs !== undefined || histogramStartsMs !== undefined;
}

function floatRate(window: RangeWindow, kind: RateKind): number {
  const { timesMs, values, from, to, call } = window;
  const first = values[from] as number;
  let change = (values[to - 1] as number) - first;
  const { resets } = window.series;
  if (kind.isCounter && resets.length > 0) {
    for (let i = firstAfter(resets, from); i < resets.length && (resets[i] as number) < to; i++) {
      change += values[(resets[i] as number) - 1] as number;
    }
  }
  const firstMs = timesMs[from] as number;
  const lastMs = timesMs[to - 1] as number;
  const zero = kind.isCounter && change > 0 && first >= 0 ? first / change : Number.POSITIVE_INFINITY;
  return change * extrapolationFactor(window, call, kind, firstMs, lastMs, to - from - 1, zero);
}

function rateOfAny(window: RangeWindow, kind: RateKind): RangeResult {
  const floats = window.to - window.from;
  const histograms = histogramCount(window);
  if (floats > 0 && histograms > 0) {
    const { annotations, argRange } = window.call;
    annotations.warn(argRange, NOTES.mixedFloatsHistograms(metricName(window.series.labels)));
    return undefined;
  }
  if (kind.isCounter && isDelta(window.series)) return deltaRate(window, kind);
  if (window.call.extend) return extendedRate(window, kind);
  return histograms > 0 ? rateOfHistograms(window, kind) : rateWithStartTimes(window, kind);
}

function rateWithStartTimes(window: RangeWindow, kind: RateKind): RangeResult {
  const { timesMs, values, from, to, series, call } = window;
  const { startsMs } = series;
  let change = (values[to - 1] as number) - (values[from] as number);
  let overlaps = false;
  for (let i = from + 1; i < to; i++) {
    const startMs = startsMs?.[i] ?? 0;
    const previousStartMs = startsMs?.[i - 1] ?? 0;
    const previousMs = timesMs[i - 1] as number;
    if (!overlaps && startsMs && overlapsStartTime(previousStartMs, previousMs, startMs)) {
      call.annotations.startTimeOverlap(metricName(series.labels), call.argRange);
      overlaps = true;
    }
    const fell = (values[i] as number) < (values[i - 1] as number);
    if (fell || isStartTimeReset(previousStartMs, previousMs, startMs, timesMs[i] as number)) {
      change += values[i - 1] as number;
    }
  }
  const firstMs = timesMs[from] as number;
  const lastMs = timesMs[to - 1] as number;
  const first = values[from] as number;
  const born = bornInside(window, startsMs?.[from] ?? 0, firstMs);
  if (born !== undefined) {
    return (change + first) * bornFactor(window, kind, born, firstMs, lastMs, to - from - 1);
  }
  if (to - from < 2) return undefined;
  const zero = change > 0 && first >= 0 ? first / change : Number.POSITIVE_INFINITY;
  return change * extrapolationFactor(window, call, kind, firstMs, lastMs, to - from - 1, zero);
}

/** A counter whose start lies in the range was zero then, which is better than any extrapolation. */
function bornInside(window: RangeWindow, startMs: number, firstMs: number): number | undefined {
  return startMs !== 0 && startMs > window.startMs && startMs < firstMs ? startMs : undefined;
}

function bornFactor(
  window: RangeWindow,
  kind: RateKind,
  bornMs: number,
  firstMs: number,
  lastMs: number,
  intervals: number,
): number {
  const average = intervals > 0 ? (lastMs - firstMs) / 1000 / intervals : 0;
  return factorOf(window.call, kind, (lastMs - bornMs) / 1000, 0, toEnd(window, lastMs, average));
}

function rateOfHistograms(window: RangeWindow, kind: RateKind): RangeResult {
  const { histogramTimesMs: timesMs, histograms, histogramFrom: from, histogramTo: to, series } = window;
  const firstMs = timesMs[from] as number;
  const lastMs = timesMs[to - 1] as number;
  const first = histograms[from] as NativeHistogram;
  let change: NativeHistogram | undefined;
  if (to - from > 1) {
    change = histogramChange(window, kind.isCounter);
    if (!change) return undefined;
  }
  const born = kind.isCounter ? bornInside(window, series.histogramStartsMs?.[from] ?? 0, firstMs) : undefined;
  if (born !== undefined) {
    const total = change ? addNoting(window, change, first) : first;
    return total && scaleHistogram(total, bornFactor(window, kind, born, firstMs, lastMs, to - from - 1));
  }
  if (!change) return undefined;
  const hasZero = kind.isCounter && change.count > 0 && first.count >= 0;
  const zero = hasZero ? first.count / change.count : Number.POSITIVE_INFINITY;
  return scaleHistogram(change, extrapolationFactor(window, window.call, kind, firstMs, lastMs, to - from - 1, zero));
}
