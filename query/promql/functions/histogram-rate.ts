import { CUSTOM_BUCKETS_SCHEMA, EMPTY_HISTOGRAM, type NativeHistogram } from "@sightline/model/histogram.ts";
import { type HistogramOperation, NOTES } from "../annotations.ts";
import type { RangeResult, RangeWindow } from "../eval/range-function.ts";
import { metricName } from "../eval/result-labels.ts";
import { detectReset } from "../histogram/detect-reset.ts";
import { HistogramAccumulator, IncompatibleSchemasError } from "../histogram/histogram-accumulator.ts";
import { divideHistogram } from "../histogram/scale-histogram.ts";
import { isStartTimeReset, overlapsStartTime } from "./start-time.ts";

const GAUGE = 3;

/** `base + other`, or `base - other`, with its annotations; undefined when they do not go together. */
export function addNoting(
  window: RangeWindow,
  base: NativeHistogram,
  other: NativeHistogram,
  sign: 1 | -1 = 1,
): NativeHistogram | undefined {
  const { annotations, argRange } = window.call;
  const sum = new HistogramAccumulator(base);
  try {
    const operation: HistogramOperation = sign === 1 ? "addition" : "subtraction";
    if (sum.add(other, sign).boundsReconciled) annotations.info(argRange, NOTES.mismatchedCustomBuckets(operation));
  } catch (error) {
    if (!(error instanceof IncompatibleSchemasError)) throw error;
    annotations.warn(argRange, NOTES.mixedSchemas(metricName(window.series.labels)));
    return undefined;
  }
  return sum.toHistogram();
}

/**
 * The change between the first and the last of at least two histograms of a window, resets made up for; undefined when
 * they do not go together (histogramRate in Prometheus' promql/functions.go).
 */
export function histogramChange(window: RangeWindow, isCounter: boolean): NativeHistogram | undefined {
  const { histograms, histogramFrom: from, histogramTo: to, series, call } = window;
  const metric = metricName(series.labels);
  const first = histograms[from] as NativeHistogram;
  const last = histograms[to - 1] as NativeHistogram;
  noteKind(window, isCounter);
  let previous = first;
  if (isCounter && isResetAt(window, from + 1, first)) {
    // The first sample does not matter then, not even when its buckets would not fit.
    const second = histograms[from + 1] as NativeHistogram;
    previous = { ...EMPTY_HISTOGRAM, schema: second.schema, customValues: second.customValues };
  }
  const custom = isCustom(previous);
  const isMixed =
    isCustom(last) !== custom ||
    (isCounter && histograms.slice(from + 1, to - 1).some((histogram) => isCustom(histogram) !== custom));
  if (isMixed) {
    call.annotations.warn(call.argRange, NOTES.mixedSchemas(metric));
    return undefined;
  }
  let change = addNoting(window, reduced(window, last, isCounter, previous), previous, -1);
  if (isCounter) change = change && addResets(window, change, previous);
  return change && { ...change, counterResetHint: GAUGE };
}

function noteKind({ histograms, histogramFrom: from, histogramTo: to, series, call }: RangeWindow, isCounter: boolean) {
  const metric = metricName(series.labels);
  const isGauge = (histogram: NativeHistogram | undefined) => histogram?.counterResetHint === GAUGE;
  if (isCounter) {
    for (let i = from; i < to; i++) {
      if (isGauge(histograms[i])) call.annotations.warn(call.argRange, NOTES.notCounter(metric));
    }
  } else if (!isGauge(histograms[from]) || !isGauge(histograms[to - 1])) {
    call.annotations.warn(call.argRange, NOTES.notGauge(metric));
  }
}

/** The last histogram at the lowest resolution in the window, to which everything comes down in the end. */
function reduced(
  { histograms, histogramFrom, histogramTo }: RangeWindow,
  last: NativeHistogram,
  isCounter: boolean,
  previous: NativeHistogram,
): NativeHistogram {
  let schema = Math.min(last.schema, previous.schema);
  if (isCounter) {
    for (let i = histogramFrom + 1; i < histogramTo - 1; i++) schema = Math.min(schema, histograms[i]!.schema);
  }
  if (schema === last.schema || schema === CUSTOM_BUCKETS_SCHEMA) return last;
  const accumulator = new HistogramAccumulator(last);
  accumulator.reduceTo(schema);
  return accumulator.toHistogram();
}

function addResets(window: RangeWindow, change: NativeHistogram, first: NativeHistogram): NativeHistogram | undefined {
  const { histograms, histogramTimesMs, histogramFrom: from, histogramTo: to, series, call } = window;
  const starts = series.histogramStartsMs;
  let total: NativeHistogram | undefined = change;
  let previous = first;
  let overlaps = false;
  for (let i = from + 1; i < to && total; i++) {
    if (starts && !overlaps && overlapsStartTime(starts[i - 1] ?? 0, histogramTimesMs[i - 1] ?? 0, starts[i] ?? 0)) {
      call.annotations.startTimeOverlap(metricName(series.labels), call.argRange);
      overlaps = true;
    }
    if (isResetAt(window, i, previous)) total = addNoting(window, total, previous);
    previous = histograms[i] as NativeHistogram;
  }
  return total;
}

function isResetAt(
  { histograms, histogramTimesMs, series }: RangeWindow,
  i: number,
  previous: NativeHistogram,
): boolean {
  const starts = series.histogramStartsMs;
  if (starts) {
    const previousMs = histogramTimesMs[i - 1] ?? 0;
    if (isStartTimeReset(starts[i - 1] ?? 0, previousMs, starts[i] ?? 0, histogramTimesMs[i] ?? 0)) return true;
  }
  return detectReset(histograms[i] as NativeHistogram, previous);
}

function isCustom({ schema }: NativeHistogram): boolean {
  return schema === CUSTOM_BUCKETS_SCHEMA;
}

/** `last - before`, or `last` after a reset of a counter, divided by `divisor`. */
export function histogramDifference(
  window: RangeWindow,
  before: NativeHistogram,
  last: NativeHistogram,
  isCounter: boolean,
  startReset: boolean,
  divisor: number,
): RangeResult {
  const isReset = isCounter && (startReset || detectReset(last, before));
  const change = isReset ? last : addNoting(window, last, before, -1);
  return change && divideHistogram({ ...change, counterResetHint: GAUGE }, divisor);
}
