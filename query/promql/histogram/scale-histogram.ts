import { EMPTY_BUCKETS, type NativeHistogram } from "@sightline/model/histogram.ts";
import { compactBuckets } from "./spans.ts";

/** All counts and the sum times `factor`. A negative factor makes a gauge. */
export function scaleHistogram(histogram: NativeHistogram, factor: number): NativeHistogram {
  return mapCounts(histogram, (count) => count * factor, factor < 0);
}

/** All counts and the sum divided by `divisor`; by zero, no buckets are left. A negative divisor makes a gauge. */
export function divideHistogram(histogram: NativeHistogram, divisor: number): NativeHistogram {
  const divided = mapCounts(histogram, (count) => count / divisor, divisor < 0);
  return divisor === 0 ? { ...divided, ...NO_BUCKETS } : divided;
}

const NO_BUCKETS = {
  positiveSpans: [],
  positiveBuckets: EMPTY_BUCKETS,
  negativeSpans: [],
  negativeBuckets: EMPTY_BUCKETS,
} as const;

function mapCounts(histogram: NativeHistogram, map: (count: number) => number, toGauge: boolean): NativeHistogram {
  return {
    ...histogram,
    zeroCount: map(histogram.zeroCount),
    count: map(histogram.count),
    sum: map(histogram.sum),
    positiveBuckets: histogram.positiveBuckets.map(map),
    negativeBuckets: histogram.negativeBuckets.map(map),
    counterResetHint: toGauge ? 3 : histogram.counterResetHint,
  };
}

/** Without empty buckets (Prometheus' Compact(0)). */
export function compactHistogram(histogram: NativeHistogram): NativeHistogram {
  const positive = compactBuckets(histogram.positiveSpans, histogram.positiveBuckets);
  const negative = compactBuckets(histogram.negativeSpans, histogram.negativeBuckets);
  return {
    ...histogram,
    positiveSpans: positive.spans,
    positiveBuckets: positive.buckets,
    negativeSpans: negative.spans,
    negativeBuckets: negative.buckets,
  };
}
