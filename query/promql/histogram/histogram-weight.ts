import type { NativeHistogram } from "@sightline/model/histogram.ts";

/** How many float samples a histogram counts as (Prometheus' HPoint.size: its bytes over those of a float sample). */
export function histogramWeight(histogram: NativeHistogram): number {
  const { positiveSpans, negativeSpans, positiveBuckets, negativeBuckets, customValues } = histogram;
  const words = positiveSpans.length + negativeSpans.length + positiveBuckets.length + negativeBuckets.length;
  return Math.trunc((168 + 8 * (words + customValues.length) + 8) / 16);
}
