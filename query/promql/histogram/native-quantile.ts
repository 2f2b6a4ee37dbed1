import { CUSTOM_BUCKETS_SCHEMA, type NativeHistogram } from "@sightline/model/histogram.ts";
import { NOTES } from "../annotations.ts";
import { exp2, log2 } from "../go-math.ts";
import { allBuckets, type Bucket, fractionBelow } from "./all-buckets.ts";

/** Takes the text of an info annotation. */
type Note = (message: string) => void;

/**
 * `histogram_quantile` of a native histogram: exponential within exponential buckets, linear within custom ones and
 * the zero bucket (HistogramQuantile in Prometheus' promql/quantile.go).
 */
export function nativeQuantile(quantile: number, histogram: NativeHistogram, metric: string, note: Note): number {
  if (quantile < 0) return Number.NEGATIVE_INFINITY;
  if (quantile > 1) return Number.POSITIVE_INFINITY;
  if (histogram.count === 0 || Number.isNaN(quantile)) return Number.NaN;
  const custom = histogram.schema === CUSTOM_BUCKETS_SCHEMA;
  const hasNans = Number.isNaN(histogram.sum);
  // NaN observations are in no bucket, so ranks count from below; else from the nearer end, which loses less precision.
  const forward = hasNans || quantile < 0.5;
  const buckets = allBuckets(histogram);
  if (!forward) buckets.reverse();
  const rank = (forward ? quantile : 1 - quantile) * histogram.count;
  const found = findRank(buckets, rank);
  const { bucket } = found;
  if (custom && bucket.upper === Number.POSITIVE_INFINITY && bucket.lower !== Number.NEGATIVE_INFINITY)
    return bucket.lower;
  if (custom && bucket.lower === Number.NEGATIVE_INFINITY && bucket.upper <= 0) return bucket.upper;
  narrow(bucket, histogram);
  const count = Math.min(found.count, histogram.count);
  if (count < rank) {
    if (!hasNans) return bucket.upper;
    note(NOTES.quantileNanResult(metric));
    return Number.NaN;
  }
  if (hasNans) {
    const rest = buckets.slice(found.index + 1).reduce((sum, { count: more }) => sum + more, count);
    if (rest < histogram.count) note(NOTES.quantileNanSkew(metric));
  }
  const rankInBucket = forward ? rank - (count - bucket.count) : count - rank;
  return valueAt(bucket, rankInBucket / bucket.count, custom);
}

/** A bucket around zero, or without a lower bound, ends at zero when nothing is on the other side. */
function narrow(bucket: Bucket, histogram: NativeHistogram): void {
  if (histogram.schema === CUSTOM_BUCKETS_SCHEMA) {
    if (bucket.lower === Number.NEGATIVE_INFINITY) bucket.lower = 0;
  } else if (bucket.lower < 0 && bucket.upper > 0) {
    Object.assign(bucket, oneSided(bucket, histogram));
  }
}

function findRank(buckets: readonly Bucket[], rank: number): { bucket: Bucket; count: number; index: number } {
  let count = 0;
  let bucket: Bucket = { lower: 0, upper: 0, count: 0 };
  let index = 0;
  for (; index < buckets.length; index++) {
    bucket = buckets[index] as Bucket;
    if (bucket.count === 0) continue;
    count += bucket.count;
    if (count >= rank) break;
  }
  return { bucket, count, index };
}

function valueAt({ lower, upper }: Bucket, fraction: number, custom: boolean): number {
  if (custom || (lower <= 0 && upper >= 0)) return lower + (upper - lower) * fraction;
  const logLower = log2(Math.abs(lower));
  const logUpper = log2(Math.abs(upper));
  return lower > 0
    ? exp2(logLower + (logUpper - logLower) * fraction)
    : -exp2(logUpper + (logLower - logUpper) * (1 - fraction));
}

/** `histogram_fraction` of a native histogram: the share of observations between two bounds. */
export function nativeFraction(
  lower: number,
  upper: number,
  histogram: NativeHistogram,
  metric: string,
  note: Note,
): number {
  if (histogram.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  const buckets = allBuckets(histogram);
  const inBuckets = buckets.reduce((sum, { count }) => sum + count, 0);
  let observations = histogram.count;
  if (Number.isNaN(histogram.sum)) {
    observations = inBuckets;
    if (inBuckets < histogram.count) note(NOTES.fractionNans(metric));
  }
  const between = rankOf(upper, buckets, histogram, observations) - rankOf(lower, buckets, histogram, observations);
  return between / histogram.count;
}

/** How many observations are below `value`. */
function rankOf(value: number, buckets: readonly Bucket[], histogram: NativeHistogram, all: number): number {
  const custom = histogram.schema === CUSTOM_BUCKETS_SCHEMA;
  let rank = 0;
  for (const original of buckets) {
    const isZero = original.lower <= 0 && original.upper >= 0;
    const bucket = isZero ? oneSided(original, histogram) : original;
    if (bucket.lower >= value) return Math.min(rank, all);
    if (bucket.upper > value) {
      const linear = custom || isZero;
      if (linear && bucket.lower === Number.NEGATIVE_INFINITY) return Math.min(bucket.count, all);
      return Math.min(rank + bucket.count * fractionBelow(bucket, value, linear), all);
    }
    rank += bucket.count;
  }
  return all;
}

/** A histogram of positive values only has nothing below zero in its zero bucket, and the other way round. */
function oneSided(bucket: Bucket, { positiveBuckets, negativeBuckets }: NativeHistogram): Bucket {
  if (negativeBuckets.length === 0 && positiveBuckets.length > 0) return { ...bucket, lower: 0 };
  if (positiveBuckets.length === 0 && negativeBuckets.length > 0) return { ...bucket, upper: 0 };
  return bucket;
}
