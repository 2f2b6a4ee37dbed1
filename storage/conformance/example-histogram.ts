import { EMPTY_BUCKETS, type NativeHistogram } from "@sightline/model/histogram.ts";

/** A histogram with gaps, both signs and a zero bucket; bigger for bigger `n`. */
export function sampleHistogram(n: number): NativeHistogram {
  return {
    schema: 3,
    zeroThreshold: 1e-128,
    zeroCount: n,
    count: 10 * n + 0.5,
    sum: -1.25 * n,
    positiveSpans: [
      { offset: -2, length: 2 },
      { offset: 3, length: 1 },
    ],
    positiveBuckets: Float64Array.of(n, 2 * n, 3.5),
    negativeSpans: [{ offset: 0, length: 1 }],
    negativeBuckets: Float64Array.of(n),
    customValues: EMPTY_BUCKETS,
    counterResetHint: n === 1 ? 0 : 2,
  };
}
