import type { NativeHistogram } from "@sightline/model/histogram.ts";
import { NOTES } from "../annotations.ts";
import { NeumaierSum } from "../eval/neumaier.ts";
import type { RangeResult, RangeWindow } from "../eval/range-function.ts";
import type { RangeInput } from "../eval/range-input.ts";
import { metricName } from "../eval/result-labels.ts";
import { HistogramAccumulator, IncompatibleSchemasError } from "../histogram/histogram-accumulator.ts";
import { scaleHistogram } from "../histogram/scale-histogram.ts";
import { histogramCount } from "./over-time.ts";
import type { RateKind } from "./rate-kind.ts";

const GAUGE = 3;

/** Each sample of the series counts only what happened since the one before it. */
export function isDelta({ info }: RangeInput): boolean {
  return info.temporality === "delta";
}

/**
 * `rate` and `increase` of a series of delta temporality: what happened in a range is the sum of the samples in it.
 * That is the difference of the running totals at the ends of the range, too, which is what `anchored` asks for. A
 * `smoothed` range cuts the samples that reach across its ends.
 */
export function deltaRate(window: RangeWindow, kind: RateKind): RangeResult {
  const divisor = kind.isRate ? window.call.rangeSeconds : 1;
  if (histogramCount(window) > 0) {
    const sum = sumOfHistograms(window);
    return sum && scaleHistogram(sum, 1 / divisor);
  }
  const { timesMs, values, from, to, series } = window;
  const sum = new NeumaierSum();
  let any = false;
  for (let i = from; i < to; i++) {
    const share = shareInRange(window, timesMs, series.startsMs, from, i);
    if (share === 0) continue;
    sum.add((values[i] as number) * share);
    any = true;
  }
  return any ? sum.total() / divisor : undefined;
}

function sumOfHistograms(window: RangeWindow): NativeHistogram | undefined {
  const { histogramTimesMs, histograms, histogramFrom, histogramTo, series, call } = window;
  let sum: HistogramAccumulator | undefined;
  try {
    for (let i = histogramFrom; i < histogramTo; i++) {
      const share = shareInRange(window, histogramTimesMs, series.histogramStartsMs, histogramFrom, i);
      if (share === 0) continue;
      const histogram = histograms[i] as NativeHistogram;
      const part = share === 1 ? histogram : scaleHistogram(histogram, share);
      if (sum) sum.add(part);
      else sum = new HistogramAccumulator(part);
    }
  } catch (error) {
    if (!(error instanceof IncompatibleSchemasError)) throw error;
    call.annotations.warn(call.argRange, NOTES.mixedSchemas(metricName(series.labels)));
    return undefined;
  }
  return sum && { ...sum.toHistogram(), counterResetHint: GAUGE };
}

/** `irate`: the newest sample over the time since its start or, where that is not known, since the sample before it. */
export function deltaInstantRate(window: RangeWindow): RangeResult {
  const { timesMs, values, from, to, histogramTimesMs, histograms, histogramFrom, histogramTo, series } = window;
  if (to > from) {
    const seconds = newestInterval(timesMs, series.startsMs, from, to);
    return seconds === undefined ? undefined : (values[to - 1] as number) / seconds;
  }
  const seconds = newestInterval(histogramTimesMs, series.histogramStartsMs, histogramFrom, histogramTo);
  return seconds === undefined
    ? undefined
    : scaleHistogram(histograms[histogramTo - 1] as NativeHistogram, 1 / seconds);
}

function newestInterval(
  timesMs: Float64Array,
  startsMs: Float64Array | undefined,
  from: number,
  to: number,
): number | undefined {
  if (to === from) return undefined;
  const timeMs = timesMs[to - 1] as number;
  const sinceMs = startsMs?.[to - 1] || (to - from > 1 ? (timesMs[to - 2] as number) : timeMs);
  return sinceMs < timeMs ? (timeMs - sinceMs) / 1000 : undefined;
}

/** How much of a sample, from 0 to 1, happened in the range: it tells of the time since the sample before it. */
function shareInRange(
  { startMs, endMs, call }: RangeWindow,
  timesMs: Float64Array,
  startsMs: ArrayLike<number> | undefined,
  from: number,
  index: number,
): number {
  const timeMs = timesMs[index] as number;
  const beganMs =
    call.extend === "smoothed"
      ? Math.max(startsMs?.[index] ?? 0, index > from ? (timesMs[index - 1] as number) : 0)
      : 0;
  // All of it at once where nobody knows since when.
  if (beganMs === 0 || beganMs >= timeMs) return timeMs > startMs && timeMs <= endMs ? 1 : 0;
  return Math.max(0, Math.min(timeMs, endMs) - Math.max(beganMs, startMs)) / (timeMs - beganMs);
}
