import type { NativeHistogram } from "@sightline/model/histogram.ts";
import { log2 } from "../go-math.ts";
import { upperBound } from "./bucket-bounds.ts";
import { eachBucket } from "./spans.ts";

export type Bucket = { lower: number; upper: number; count: number };

/** All buckets from the lowest to the highest, the zero bucket if populated. None reaches into the zero bucket. */
export function allBuckets(histogram: NativeHistogram): Bucket[] {
  const { zeroThreshold } = histogram;
  const buckets: Bucket[] = [];
  for (const bucket of negativeBuckets(histogram).reverse()) {
    if (bucket.upper > -zeroThreshold) bucket.upper = -zeroThreshold;
    buckets.push(bucket);
  }
  if (histogram.zeroCount > 0) buckets.push(zeroBucket(histogram));
  for (const bucket of positiveBuckets(histogram)) {
    if (bucket.lower > 0 && bucket.lower < zeroThreshold) bucket.lower = zeroThreshold;
    if (bucket.upper < 0 && bucket.upper > -zeroThreshold) bucket.upper = -zeroThreshold;
    buckets.push(bucket);
  }
  return buckets;
}

export function zeroBucket({ zeroThreshold, zeroCount }: NativeHistogram): Bucket {
  return { lower: -zeroThreshold, upper: zeroThreshold, count: zeroCount };
}

/** Away from zero. */
export function positiveBuckets({ schema, customValues, ...histogram }: NativeHistogram): Bucket[] {
  const buckets: Bucket[] = [];
  eachBucket(histogram.positiveSpans, histogram.positiveBuckets, (index, count) => {
    const lower = upperBound(index - 1, schema, customValues);
    buckets.push({ lower, upper: upperBound(index, schema, customValues), count });
  });
  return buckets;
}

/** Away from zero. */
export function negativeBuckets({ schema, customValues, ...histogram }: NativeHistogram): Bucket[] {
  const buckets: Bucket[] = [];
  eachBucket(histogram.negativeSpans, histogram.negativeBuckets, (index, count) => {
    const upper = -upperBound(index - 1, schema, customValues);
    buckets.push({ lower: -upperBound(index, schema, customValues), upper, count });
  });
  return buckets;
}

/**
 * The share of a bucket below `value`, which lies inside of it: linear for custom and zero buckets, else on a
 * logarithmic scale.
 */
export function fractionBelow({ lower, upper }: Bucket, value: number, linear: boolean): number {
  if (linear) return (value - lower) / (upper - lower);
  const logLower = log2(Math.abs(lower));
  const logUpper = log2(Math.abs(upper));
  const logValue = log2(Math.abs(value));
  return value > 0 ? (logValue - logLower) / (logUpper - logLower) : 1 - (logValue - logUpper) / (logLower - logUpper);
}
