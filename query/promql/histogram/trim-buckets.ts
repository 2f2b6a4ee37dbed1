import { CUSTOM_BUCKETS_SCHEMA, type NativeHistogram } from "@sightline/model/histogram.ts";
import { type Bucket, fractionBelow, negativeBuckets, positiveBuckets, zeroBucket } from "./all-buckets.ts";
import { compactHistogram } from "./scale-histogram.ts";

/** What is left of a bucket, and the value its observations are taken to have. */
type Kept = { readonly count: number; readonly midpoint: number };
/** `upper` removes what is above the bound, `lower` what is below. */
export type TrimSide = "upper" | "lower";

/**
 * The observations of a histogram on one side of `bound`, with count and sum estimated from the buckets when any were
 * cut (TrimBuckets in Prometheus' model/histogram/float_histogram.go).
 */
export function trimBuckets(histogram: NativeHistogram, bound: number, side: TrimSide): NativeHistogram {
  const linear = histogram.schema === CUSTOM_BUCKETS_SCHEMA;
  let count = 0;
  let sum = 0;
  let trimmed = false;
  const keep = (bucket: Bucket, positive: boolean): number => {
    if (bucket.count === 0) return 0;
    const kept = keepOfBucket(bucket, bound, side, positive, linear);
    count += kept.count;
    sum += kept.midpoint * kept.count;
    if (kept.count !== bucket.count) trimmed = true;
    return kept.count;
  };
  const positive = positiveBuckets(histogram);
  const negative = negativeBuckets(histogram);
  const positiveCounts = Float64Array.from(positive, (bucket) => keep(bucket, true));
  const negativeCounts = Float64Array.from(negative, (bucket) => keep(bucket, false));
  let { zeroCount } = histogram;
  if (zeroCount > 0) {
    const hasNegative = negative.some((bucket) => bucket.count !== 0);
    const hasPositive = positive.some((bucket) => bucket.count !== 0);
    const kept = keepOfZero(zeroBucket(histogram), bound, side, hasNegative, hasPositive);
    if (kept.count !== zeroCount) trimmed = true;
    zeroCount = kept.count;
    sum += kept.midpoint * kept.count;
    count += kept.count;
  }
  if (!trimmed) return histogram;
  return compactHistogram({
    ...histogram,
    count,
    sum,
    zeroCount,
    positiveBuckets: positiveCounts,
    negativeBuckets: negativeCounts,
  });
}

function keepOfBucket(bucket: Bucket, bound: number, side: TrimSide, positive: boolean, linear: boolean): Kept {
  const { lower, upper, count } = bucket;
  const isWhole = side === "upper" ? upper <= bound : lower >= bound;
  if (isWhole) return { count, midpoint: midpoint(lower, upper, positive, linear) };
  // NaN is above no bound and below none, so nothing is left.
  const isCut = side === "upper" ? lower < bound : upper > bound;
  if (!isCut) return { count: 0, midpoint: 0 };
  if (lower === Number.NEGATIVE_INFINITY || upper === Number.POSITIVE_INFINITY)
    return keepOfInfinite(bucket, bound, side);
  const below = count * fractionBelow(bucket, bound, linear);
  return side === "upper"
    ? { count: below, midpoint: midpoint(lower, bound, positive, linear) }
    : { count: count - below, midpoint: midpoint(bound, upper, positive, linear) };
}

/** Nothing is known of how observations are spread over an infinite bucket: it goes as a whole, if at all. */
function keepOfInfinite({ lower, upper, count }: Bucket, bound: number, side: TrimSide): Kept {
  if (lower === Number.NEGATIVE_INFINITY) {
    const finitePositive = upper > 0 && upper !== Number.POSITIVE_INFINITY;
    if (side === "upper") {
      // With a positive bound above, the bucket is taken to begin at zero.
      if (bound > 0 && finitePositive) return { count: (count * bound) / upper, midpoint: bound / 2 };
      return upper <= 0 ? { count, midpoint: bound } : { count: 0, midpoint: 0 };
    }
    if (bound <= lower) return { count, midpoint: 0 };
    if (bound >= 0 && upper > bound && finitePositive) {
      return { count: count * (1 - bound / upper), midpoint: (bound + upper) / 2 };
    }
    return { count: 0, midpoint: 0 };
  }
  return side === "lower" && bound >= lower ? { count, midpoint: bound } : { count: 0, midpoint: 0 };
}

function keepOfZero(bucket: Bucket, bound: number, side: TrimSide, hasNegative: boolean, hasPositive: boolean): Kept {
  const lower = hasPositive && !hasNegative ? 0 : bucket.lower;
  const upper = hasNegative && !hasPositive ? 0 : bucket.upper;
  const whole = { count: bucket.count, midpoint: (lower + upper) / 2 };
  const none = { count: 0, midpoint: 0 };
  if (bound <= lower) return side === "upper" ? none : whole;
  if (bound >= upper) return side === "upper" ? whole : none;
  return side === "upper"
    ? { count: bucket.count * ((bound - lower) / (upper - lower)), midpoint: (lower + bound) / 2 }
    : { count: bucket.count * ((upper - bound) / (upper - lower)), midpoint: (bound + upper) / 2 };
}

/** The value that stands for observations between two bounds: arithmetic or geometric mean. */
function midpoint(lower: number, upper: number, positive: boolean, linear: boolean): number {
  if (!Number.isFinite(lower)) {
    if (!Number.isFinite(upper)) return 0;
    return upper > 0 ? upper / 2 : upper;
  }
  if (!Number.isFinite(upper)) return lower;
  if (linear) return (lower + upper) / 2;
  const mean = Math.sqrt(Math.abs(lower * upper));
  return positive ? mean : -mean;
}
