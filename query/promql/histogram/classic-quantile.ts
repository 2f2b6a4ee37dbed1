import { almostEqual } from "../almost-equal.ts";
import type { ForcedMonotonicity } from "../annotations.ts";

/**
 * The buckets of a classic histogram at one moment: `counts[i]` observations were at most `uppers[i]`, for the first
 * `length` of them, which ascend.
 */
export type ClassicBuckets = { readonly uppers: Float64Array; readonly counts: Float64Array; length: number };

/** Differences below this are rounding errors of whoever added the buckets up. */
const SMALL_DELTA = 1e-12;

/**
 * `histogram_quantile` of a classic histogram, linear within a bucket (BucketQuantile in Prometheus'
 * promql/quantile.go). Puts `buckets` right and says so to `onForced` when their counts were no counts.
 */
export function classicQuantile(
  quantile: number,
  buckets: ClassicBuckets,
  onForced: (forced: ForcedMonotonicity) => void,
): number {
  if (Number.isNaN(quantile)) return Number.NaN;
  if (quantile < 0) return Number.NEGATIVE_INFINITY;
  if (quantile > 1) return Number.POSITIVE_INFINITY;
  if (!joinEqualBounds(buckets)) return Number.NaN;
  const forced = forceMonotonic(buckets);
  if (forced) onForced(forced);
  return interpolate(quantile, buckets);
}

function interpolate(quantile: number, { uppers, counts, length }: ClassicBuckets): number {
  const last = length - 1;
  const observations = counts[last] as number;
  if (last < 1 || observations === 0) return Number.NaN;
  const rank = quantile * observations;
  let at = 0;
  while (at < last && !((counts[at] as number) >= rank)) at++;
  const upper = uppers[at] as number;
  if (at === last) return uppers[last - 1] as number;
  if (at === 0 && upper <= 0) return upper;
  const lower = at === 0 ? 0 : (uppers[at - 1] as number);
  const before = at === 0 ? 0 : (counts[at - 1] as number);
  return lower + (upper - lower) * ((rank - before) / ((counts[at] as number) - before));
}

/** Counts of equal bounds are added up. False when there is no bucket for everything. */
function joinEqualBounds(buckets: ClassicBuckets): boolean {
  const { uppers, counts, length } = buckets;
  if (uppers[length - 1] !== Number.POSITIVE_INFINITY) return false;
  let joined = 1;
  while (joined < length && uppers[joined] !== uppers[joined - 1]) joined++;
  for (let i = joined; i < length; i++) {
    if (uppers[i] === uppers[joined - 1]) {
      counts[joined - 1] = (counts[joined - 1] as number) + (counts[i] as number);
    } else {
      uppers[joined] = uppers[i] as number;
      counts[joined++] = counts[i] as number;
    }
  }
  buckets.length = joined;
  return true;
}

/** Counts may not fall with rising bounds. Tiny differences are evened out silently, larger ones are told. */
function forceMonotonic({ uppers, counts, length }: ClassicBuckets): ForcedMonotonicity | undefined {
  let forced: { minBucket: number; maxBucket: number; maxDifference: number } | undefined;
  let previous = counts[0] as number;
  for (let i = 1; i < length; i++) {
    const count = counts[i] as number;
    if (count === previous) continue;
    if (almostEqual(previous, count, SMALL_DELTA)) {
      counts[i] = previous;
    } else if (count < previous) {
      const upper = uppers[i] as number;
      counts[i] = previous;
      forced ??= { minBucket: upper, maxBucket: upper, maxDifference: 0 };
      forced.minBucket = Math.min(forced.minBucket, upper);
      forced.maxBucket = Math.max(forced.maxBucket, upper);
      forced.maxDifference = Math.max(forced.maxDifference, previous - count);
    } else {
      previous = count;
    }
  }
  return forced;
}

/** `histogram_fraction` of a classic histogram: the share of observations between two bounds. */
export function classicFraction(lower: number, upper: number, buckets: ClassicBuckets): number {
  if (!joinEqualBounds(buckets)) return Number.NaN;
  const count = buckets.counts[buckets.length - 1] as number;
  if (count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  return (rankOf(upper, buckets, count) - rankOf(lower, buckets, count)) / count;
}

/** How many observations are below `value`. */
function rankOf(value: number, { uppers, counts, length }: ClassicBuckets, all: number): number {
  let bound = (uppers[0] as number) <= 0 ? Number.NEGATIVE_INFINITY : 0;
  let rank = 0;
  for (let i = 0; i < length; i++) {
    const upper = uppers[i] as number;
    const count = counts[i] as number;
    if (bound >= value) return Math.min(rank, all);
    if (upper > value) {
      const found =
        bound === Number.NEGATIVE_INFINITY ? count : rank + ((count - rank) * (value - bound)) / (upper - bound);
      return Math.min(found, all);
    }
    rank = count;
    bound = upper;
  }
  return all;
}
