import { CUSTOM_BUCKETS_SCHEMA } from "@sightline/model/histogram.ts";

/**
 * The upper bound of bucket `index` (getBound in Prometheus' model/histogram/generic.go). The last bucket of finite
 * values ends at the largest double, the one after it holds infinite observations.
 */
export function upperBound(index: number, schema: number, customValues: Float64Array): number {
  if (schema === CUSTOM_BUCKETS_SCHEMA) {
    if (index < 0) return Number.NEGATIVE_INFINITY;
    return index >= customValues.length ? Number.POSITIVE_INFINITY : (customValues[index] as number);
  }
  const exponent = schema < 0 ? index * 2 ** -schema : index / 2 ** schema;
  return exponent === 1024 ? Number.MAX_VALUE : 2 ** exponent;
}

/** The index that bucket `index` has after merging down to a schema of lower resolution. */
export function reducedIndex(index: number, schema: number, targetSchema: number): number {
  return ((index - 1) >> (schema - targetSchema)) + 1;
}
