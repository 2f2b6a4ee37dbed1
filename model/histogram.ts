/**
 * A native histogram, with float counts and absolute (not delta) bucket counts, as Prometheus' FloatHistogram
 * (model/histogram/float_histogram.go). Integer histograms are turned into this form when they are decoded.
 * Immutable once shared.
 */
export interface NativeHistogram {
  /** Exponential resolution -4…8, or {@link CUSTOM_BUCKETS_SCHEMA}. */
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly count: number;
  readonly sum: number;
  readonly positiveSpans: readonly BucketSpan[];
  readonly positiveBuckets: Float64Array;
  readonly negativeSpans: readonly BucketSpan[];
  readonly negativeBuckets: Float64Array;
  /** Upper bounds of custom buckets, ascending, without +Inf; empty for exponential schemas. */
  readonly customValues: Float64Array;
  readonly counterResetHint: CounterResetHint;
}

/** A run of consecutive buckets. `offset` is the gap to the bucket before it (for the first: its index). */
export type BucketSpan = { readonly offset: number; readonly length: number };
/** As in remote write: 0 unknown, 1 yes, 2 no, 3 gauge. */
export type CounterResetHint = 0 | 1 | 2 | 3;
export const CUSTOM_BUCKETS_SCHEMA = -53;

export const EMPTY_BUCKETS = new Float64Array(0);

export function sameSpans(a: readonly BucketSpan[], b: readonly BucketSpan[]): boolean {
  return (
    a === b ||
    (a.length === b.length && a.every(({ offset, length }, i) => offset === b[i]?.offset && length === b[i]?.length))
  );
}

/** Whether they have the same buckets, whatever is counted in them. */
export function sameLayout(a: NativeHistogram, b: NativeHistogram): boolean {
  return (
    a.schema === b.schema &&
    a.zeroThreshold === b.zeroThreshold &&
    a.positiveBuckets.length === b.positiveBuckets.length &&
    a.negativeBuckets.length === b.negativeBuckets.length &&
    sameSpans(a.positiveSpans, b.positiveSpans) &&
    sameSpans(a.negativeSpans, b.negativeSpans) &&
    a.customValues.length === b.customValues.length &&
    a.customValues.every((bound, i) => bound === b.customValues[i])
  );
}

/** Of no observations. */
export const EMPTY_HISTOGRAM: NativeHistogram = Object.freeze({
  schema: 0,
  zeroThreshold: 0,
  zeroCount: 0,
  count: 0,
  sum: 0,
  positiveSpans: [],
  positiveBuckets: EMPTY_BUCKETS,
  negativeSpans: [],
  negativeBuckets: EMPTY_BUCKETS,
  customValues: EMPTY_BUCKETS,
  counterResetHint: 0,
});

/** A histogram sample that marks the end of its series: its sum is the staleness marker (value.StaleNaN). */
export const STALE_HISTOGRAM: NativeHistogram = Object.freeze({ ...EMPTY_HISTOGRAM, sum: Number.NaN });

/** Stale histograms are recognised by identity: codecs restore {@link STALE_HISTOGRAM} itself. */
export function isStaleHistogram(histogram: NativeHistogram): boolean {
  return histogram === STALE_HISTOGRAM;
}
