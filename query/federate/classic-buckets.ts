import type { NativeHistogram } from "@sightline/model/histogram.ts";

export type ClassicBucket = { readonly upperBound: number; readonly cumulativeCount: number };

/** The buckets of a histogram of custom bounds as those of a classic one; the one up to infinity is left out. */
export function classicBuckets({ customValues, positiveSpans, positiveBuckets }: NativeHistogram): ClassicBucket[] {
  const counts = new Float64Array(customValues.length + 1);
  let index = 0;
  let read = 0;
  for (const { offset, length } of positiveSpans) {
    index += offset;
    for (let i = 0; i < length; i++, index++) counts[index] = positiveBuckets[read++] as number;
  }
  let cumulativeCount = 0;
  return Array.from(customValues, (upperBound, i) => {
    cumulativeCount += counts[i] as number;
    return { upperBound, cumulativeCount };
  });
}
