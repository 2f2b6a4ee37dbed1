import { CUSTOM_BUCKETS_SCHEMA } from "@sightline/model/histogram.ts";

/** Factors from a bound to the next one of schema 1…8, to the digits that Prometheus' table of bounds was made with. */
const FACTORS = [
  Math.SQRT2 - Number.EPSILON,
  1.189207115002721,
  1.0905077326652577,
  1.0442737824274138,
  1.0218971486541166,
  1.0108892860517005,
  1.0054299011128027,
  1.0027112750502025,
];

/**
 * Bounds in [1, 2) by schema. Each schema has those of the one before and, behind each, the product with its factor: as
 * in Prometheus' exponentialBounds, whose last bits differ from those of exact powers of two.
 */
const FRACTIONS = [Float64Array.of(1)];
for (const factor of FACTORS) {
  const coarser = FRACTIONS.at(-1) as Float64Array;
  const finer = (_: unknown, i: number) => (coarser[i >> 1] as number) * (i % 2 === 0 ? 1 : factor);
  FRACTIONS.push(Float64Array.from({ length: 2 * coarser.length }, finer));
}

/**
 * The upper bound of bucket `index` (getBound in Prometheus' model/histogram/generic.go). The last bucket of finite
 * values ends at the largest double, the one after it holds infinite observations.
 */
export function upperBound(index: number, schema: number, customValues: Float64Array): number {
  if (schema === CUSTOM_BUCKETS_SCHEMA) {
    if (index < 0) return Number.NEGATIVE_INFINITY;
    return index >= customValues.length ? Number.POSITIVE_INFINITY : (customValues[index] as number);
  }
  const exponent = schema < 0 ? index * 2 ** -schema : index >> schema;
  const fraction = schema > 0 ? ((FRACTIONS[schema] as Float64Array)[index & (2 ** schema - 1)] as number) : 1;
  return fraction === 1 && exponent === 1024 ? Number.MAX_VALUE : fraction * 2 ** exponent;
}

/** The index that bucket `index` has after merging down to a schema of lower resolution. */
export function reducedIndex(index: number, schema: number, targetSchema: number): number {
  return ((index - 1) >> (schema - targetSchema)) + 1;
}
