import { CUSTOM_BUCKETS_SCHEMA, type NativeHistogram } from "@sightline/model/histogram.ts";
import { allBuckets, type Bucket } from "../promql/histogram/all-buckets.ts";
import { floatText } from "./float-text.ts";

/** First element of a bucket in Prometheus' JSON: which of its bounds belong to it. */
const UPPER_INCLUSIVE = 0;
const LOWER_INCLUSIVE = 1;
const BOTH_INCLUSIVE = 3;

/** A native histogram as util/jsonutil.MarshalHistogram writes it: buckets ascending, empty ones left out. */
export function histogramJson(histogram: NativeHistogram): string {
  const custom = histogram.schema === CUSTOM_BUCKETS_SCHEMA;
  const buckets = allBuckets(histogram)
    .filter(({ count }) => count !== 0)
    .map((bucket) => bucketJson(bucket, custom));
  const list = buckets.length === 0 ? "" : `,"buckets":[${buckets.join(",")}]`;
  return `{"count":"${floatText(histogram.count)}","sum":"${floatText(histogram.sum)}"${list}}`;
}

function bucketJson(bucket: Bucket, custom: boolean): string {
  const boundaries = custom ? customBoundaries(bucket) : exponentialBoundaries(bucket);
  return `[${boundaries},"${floatText(bucket.lower)}","${floatText(bucket.upper)}","${floatText(bucket.count)}"]`;
}

function customBoundaries({ lower }: Bucket): number {
  return lower === Number.NEGATIVE_INFINITY ? BOTH_INCLUSIVE : UPPER_INCLUSIVE;
}

/** A bound away from zero belongs to its bucket; the zero bucket has both. */
function exponentialBoundaries({ lower, upper }: Bucket): number {
  if (lower === -upper) return BOTH_INCLUSIVE;
  return lower < 0 ? LOWER_INCLUSIVE : UPPER_INCLUSIVE;
}
