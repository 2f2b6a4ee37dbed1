import { CUSTOM_BUCKETS_SCHEMA, type NativeHistogram } from "@sightline/model/histogram.ts";
import { eachBucket } from "./spans.ts";

/** The same data: all counts bit by bit and the same buckets, empty ones included; hints do not count. */
export function equalHistograms(a: NativeHistogram, b: NativeHistogram): boolean {
  return (
    a.schema === b.schema &&
    Object.is(a.count, b.count) &&
    Object.is(a.sum, b.sum) &&
    (a.schema !== CUSTOM_BUCKETS_SCHEMA || equalArrays(a.customValues, b.customValues)) &&
    a.zeroThreshold === b.zeroThreshold &&
    Object.is(a.zeroCount, b.zeroCount) &&
    equalArrays(indexes(a, "positive"), indexes(b, "positive")) &&
    equalArrays(a.positiveBuckets, b.positiveBuckets) &&
    equalArrays(indexes(a, "negative"), indexes(b, "negative")) &&
    equalArrays(a.negativeBuckets, b.negativeBuckets)
  );
}

function indexes(histogram: NativeHistogram, side: "positive" | "negative"): number[] {
  const all: number[] = [];
  const positive = side === "positive";
  const spans = positive ? histogram.positiveSpans : histogram.negativeSpans;
  eachBucket(spans, positive ? histogram.positiveBuckets : histogram.negativeBuckets, (index) => all.push(index));
  return all;
}

function equalArrays(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}
