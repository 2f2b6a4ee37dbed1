import { type BucketSpan, CUSTOM_BUCKETS_SCHEMA, type NativeHistogram } from "@sightline/model/histogram.ts";
import { bucketBound } from "./bucket-bound.ts";
import { floatText } from "./float-text.ts";

/** First element of a bucket in Prometheus' JSON: which of its bounds belong to it. */
const UPPER_INCLUSIVE = 0;
const LOWER_INCLUSIVE = 1;
const BOTH_INCLUSIVE = 3;

/** A native histogram as util/jsonutil.MarshalHistogram writes it: buckets ascending, empty ones left out. */
export function histogramJson(histogram: NativeHistogram): string {
  const { count, sum, zeroCount, zeroThreshold } = histogram;
  const buckets = [...negativeBuckets(histogram)];
  if (zeroCount > 0) buckets.push(bucketJson(BOTH_INCLUSIVE, -zeroThreshold, zeroThreshold, zeroCount));
  buckets.push(...positiveBuckets(histogram));
  const list = buckets.length === 0 ? "" : `,"buckets":[${buckets.join(",")}]`;
  return `{"count":"${floatText(count)}","sum":"${floatText(sum)}"${list}}`;
}

function bucketJson(boundaries: number, lower: number, upper: number, count: number): string {
  return `[${boundaries},"${floatText(lower)}","${floatText(upper)}","${floatText(count)}"]`;
}

/** The zero bucket takes what lies within its threshold, so a bucket that overlaps it is shown without that part. */
function outsideZero(bound: number, zeroThreshold: number): number {
  return bound > 0 && bound < zeroThreshold ? zeroThreshold : bound;
}

function positiveBuckets(histogram: NativeHistogram): string[] {
  const { schema, customValues, positiveSpans, positiveBuckets: counts, zeroThreshold } = histogram;
  const custom = schema === CUSTOM_BUCKETS_SCHEMA;
  const buckets: string[] = [];
  forEachBucket(positiveSpans, (index, position) => {
    const count = counts[position] ?? 0;
    if (count === 0) return;
    const lower = outsideZero(bucketBound(index - 1, schema, customValues), zeroThreshold);
    const upper = bucketBound(index, schema, customValues);
    buckets.push(bucketJson(custom && index === 0 ? BOTH_INCLUSIVE : UPPER_INCLUSIVE, lower, upper, count));
  });
  return buckets;
}

function negativeBuckets(histogram: NativeHistogram): string[] {
  const { schema, customValues, negativeSpans, negativeBuckets: counts, zeroThreshold } = histogram;
  const buckets: string[] = [];
  forEachBucket(negativeSpans, (index, position) => {
    const count = counts[position] ?? 0;
    if (count === 0) return;
    const lower = -bucketBound(index, schema, customValues);
    const upper = -outsideZero(bucketBound(index - 1, schema, customValues), zeroThreshold);
    buckets.push(bucketJson(LOWER_INCLUSIVE, lower, upper, count));
  });
  return buckets.reverse();
}

function forEachBucket(spans: readonly BucketSpan[], visit: (index: number, position: number) => void): void {
  let index = 0;
  let position = 0;
  for (const { offset, length } of spans) {
    index += offset;
    for (let i = 0; i < length; i++) visit(index++, position++);
  }
}
