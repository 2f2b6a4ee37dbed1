import type { ForcedMonotonicity } from "../annotations.ts";

/** A bucket of a classic histogram: how many observations were at most `upper`. */
export type ClassicBucket = { readonly upper: number; count: number };

/** Differences below this are rounding errors of whoever added the buckets up. */
const SMALL_DELTA = 1e-12;
const SMALLEST_NORMAL = 2.2250738585072014e-308;

/**
 * `histogram_quantile` of a classic histogram, linear within a bucket (BucketQuantile in Prometheus'
 * promql/quantile.go). `buckets` must not be empty; it is sorted and put right.
 */
export function classicQuantile(
  quantile: number,
  buckets: ClassicBucket[],
): { value: number; forced?: ForcedMonotonicity } {
  if (Number.isNaN(quantile)) return { value: Number.NaN };
  if (quantile < 0) return { value: Number.NEGATIVE_INFINITY };
  if (quantile > 1) return { value: Number.POSITIVE_INFINITY };
  const merged = sortedBuckets(buckets);
  if (!merged) return { value: Number.NaN };
  const forced = forceMonotonic(merged);
  const value = interpolate(quantile, merged);
  return forced ? { value, forced } : { value };
}

function interpolate(quantile: number, buckets: readonly ClassicBucket[]): number {
  const last = buckets.length - 1;
  const observations = buckets[last]?.count ?? 0;
  if (last < 1 || observations === 0) return Number.NaN;
  const rank = quantile * observations;
  let at = 0;
  while (at < last && !((buckets[at] as ClassicBucket).count >= rank)) at++;
  const bucket = buckets[at] as ClassicBucket;
  if (at === last) return (buckets[last - 1] as ClassicBucket).upper;
  if (at === 0 && bucket.upper <= 0) return bucket.upper;
  const below = buckets[at - 1];
  const lower = below?.upper ?? 0;
  const before = below?.count ?? 0;
  return lower + (bucket.upper - lower) * ((rank - before) / (bucket.count - before));
}

/** Ascending, equal bounds added up; undefined when there is no bucket for everything. */
function sortedBuckets(buckets: ClassicBucket[]): ClassicBucket[] | undefined {
  buckets.sort((a, b) => (a.upper < b.upper ? -1 : a.upper > b.upper ? 1 : 0));
  if (buckets.at(-1)?.upper !== Number.POSITIVE_INFINITY) return undefined;
  const merged: ClassicBucket[] = [];
  for (const bucket of buckets) {
    const last = merged.at(-1);
    if (last && last.upper === bucket.upper) last.count += bucket.count;
    else merged.push({ ...bucket });
  }
  return merged;
}

/** Counts may not fall with rising bounds. Tiny differences are evened out silently, larger ones are told. */
function forceMonotonic(buckets: ClassicBucket[]): ForcedMonotonicity | undefined {
  let forced: { minBucket: number; maxBucket: number; maxDifference: number } | undefined;
  let previous = (buckets[0] as ClassicBucket).count;
  for (const bucket of buckets.slice(1)) {
    const { count, upper } = bucket;
    if (count === previous) continue;
    if (almostEqual(previous, count)) {
      bucket.count = previous;
    } else if (count < previous) {
      bucket.count = previous;
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

function almostEqual(a: number, b: number): boolean {
  if (Number.isNaN(a) && Number.isNaN(b)) return true;
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return difference < SMALL_DELTA * SMALLEST_NORMAL;
  return difference / Math.min(sum, Number.MAX_VALUE) < SMALL_DELTA;
}

/** `histogram_fraction` of a classic histogram: the share of observations between two bounds. */
export function classicFraction(lower: number, upper: number, buckets: ClassicBucket[]): number {
  const merged = sortedBuckets(buckets);
  if (!merged) return Number.NaN;
  const count = (merged.at(-1) as ClassicBucket).count;
  if (count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  return (rankOf(upper, merged, count) - rankOf(lower, merged, count)) / count;
}

/** How many observations are below `value`. */
function rankOf(value: number, buckets: readonly ClassicBucket[], all: number): number {
  let bound = (buckets[0] as ClassicBucket).upper <= 0 ? Number.NEGATIVE_INFINITY : 0;
  let rank = 0;
  for (const { upper, count } of buckets) {
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
