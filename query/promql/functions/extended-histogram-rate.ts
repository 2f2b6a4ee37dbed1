import { CUSTOM_BUCKETS_SCHEMA, type NativeHistogram } from "@sightline/model/histogram.ts";
import { NOTES } from "../annotations.ts";
import type { RangeResult, RangeWindow } from "../eval/range-function.ts";
import { metricName } from "../eval/result-labels.ts";
import { detectReset } from "../histogram/detect-reset.ts";
import { divideHistogram, scaleHistogram } from "../histogram/scale-histogram.ts";
import { addNoting } from "./histogram-rate.ts";
import { endIndexes } from "./range-ends.ts";
import type { RateKind } from "./rate-kind.ts";

/** {@link extendedRate} for native histograms (extendedHistogramRate in Prometheus' promql/functions.go). */
export function extendedHistogramRate(window: RangeWindow, kind: RateKind): RangeResult {
  const { histogramTimesMs: timesMs, histograms, startMs, endMs, call } = window;
  const smoothed = call.extend === "smoothed";
  const ends = endIndexes(timesMs, window.histogramFrom, window.histogramTo, startMs, endMs, smoothed);
  if (!ends || !isUniform(window, ends.first, ends.last, kind.isCounter)) return undefined;
  const { first, last } = ends;
  const left =
    smoothed && (timesMs[first] as number) < startMs
      ? interpolated(window, first, startMs, kind.isCounter)
      : histograms[first];
  const right =
    smoothed && last > window.histogramFrom && (timesMs[last] as number) > endMs
      ? interpolated(window, last - 1, endMs, kind.isCounter)
      : histograms[last];
  if (!left || !right) return undefined;
  if (!kind.isCounter && !(left.counterResetHint === 3 && right.counterResetHint === 3)) {
    call.annotations.warn(call.argRange, NOTES.notGauge(metricName(window.series.labels)));
  }
  let change = addNoting(window, right, left, -1);
  if (change && kind.isCounter) change = addResets(window, change, first, last, left, right);
  if (!change) return undefined;
  const gauge: NativeHistogram = { ...change, counterResetHint: 3 };
  return kind.isRate ? divideHistogram(gauge, call.rangeSeconds) : gauge;
}

function isUniform(
  { histograms, series, call }: RangeWindow,
  first: number,
  last: number,
  isCounter: boolean,
): boolean {
  const custom = histograms[first]?.schema === CUSTOM_BUCKETS_SCHEMA;
  for (let i = first; i <= last; i++) {
    const histogram = histograms[i] as NativeHistogram;
    if ((histogram.schema === CUSTOM_BUCKETS_SCHEMA) !== custom) {
      call.annotations.warn(call.argRange, NOTES.mixedSchemas(metricName(series.labels)));
      return false;
    }
    if (isCounter && histogram.counterResetHint === 3) {
      call.annotations.warn(call.argRange, NOTES.notCounter(metricName(series.labels)));
    }
  }
  return true;
}

/** The histogram at `timeMs` between sample `index` and the next; a counter that was reset began at nothing. */
export function interpolated(
  window: RangeWindow,
  index: number,
  timeMs: number,
  isCounter: boolean,
): NativeHistogram | undefined {
  const { histogramTimesMs: timesMs, histograms } = window;
  const from = histograms[index] as NativeHistogram;
  const to = histograms[index + 1] as NativeHistogram;
  const fromMs = timesMs[index] as number;
  const toMs = timesMs[index + 1] as number;
  if (timeMs === fromMs) return from;
  if (timeMs === toMs) return to;
  const fraction = (timeMs - fromMs) / (toMs - fromMs);
  if (isCounter && detectReset(to, from)) return scaleHistogram(to, fraction);
  const change = addNoting(window, to, from, -1);
  return change && addNoting(window, scaleHistogram(change, fraction), from);
}

function addResets(
  window: RangeWindow,
  change: NativeHistogram,
  first: number,
  last: number,
  left: NativeHistogram,
  right: NativeHistogram,
): NativeHistogram | undefined {
  const { histogramTimesMs: timesMs, histograms, startMs, call } = window;
  let previous = left;
  let from = first + 1;
  const next = histograms[first + 1];
  if (
    call.extend === "smoothed" &&
    (timesMs[first] as number) < startMs &&
    next &&
    detectReset(next, histograms[first]!)
  ) {
    // The interpolation at the left end has dealt with this reset.
    previous = next;
    from++;
  }
  if (from > last) return change;
  let correction: NativeHistogram | undefined;
  for (let i = from; i <= last; i++) {
    const current = i === last ? right : (histograms[i] as NativeHistogram);
    if (detectReset(current, previous)) {
      correction = correction ? addNoting(window, correction, previous) : previous;
      if (!correction) return undefined;
    }
    previous = current;
  }
  return correction ? addNoting(window, change, correction) : change;
}
