import { CUSTOM_BUCKETS_SCHEMA } from "@sightline/model/histogram.ts";

/** 2^(index / 2^schema), the upper bound of a bucket; getBound of Prometheus' model/histogram/generic.go. */
export function bucketBound(index: number, schema: number, customValues: Float64Array): number {
  if (schema === CUSTOM_BUCKETS_SCHEMA) {
    if (index < 0) return Number.NEGATIVE_INFINITY;
    return customValues[index] ?? Number.POSITIVE_INFINITY;
  }
  const exponent = index * 2 ** -schema;
  // The last bucket of regular numbers ends at the largest of them, so that infinities have one of their own.
  if (exponent === 1_024) return Number.MAX_VALUE;
  const whole = Math.floor(exponent);
  let fraction = 1;
  let rest = exponent - whole;
  for (let root = 1; rest > 0; root++) {
    rest *= 2;
    if (rest >= 1) {
      rest -= 1;
      fraction *= ROOTS[root] as number;
    }
  }
  // In two steps, so that the smallest bounds don't become 0 on the way.
  const half = Math.trunc(whole / 2);
  return fraction * 2 ** half * 2 ** (whole - half);
}

/** ROOTS[k] is 2^(1/2^k). */
const ROOTS: readonly number[] = Array.from({ length: 9 }, (_, k) => {
  let root = 2;
  for (let i = 0; i < k; i++) root = Math.sqrt(root);
  return root;
});
