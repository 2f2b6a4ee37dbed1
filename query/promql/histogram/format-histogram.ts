import type { NativeHistogram } from "@sightline/model/histogram.ts";
import { formatGeneral } from "../format/format-float.ts";
import { type Bucket, negativeBuckets, positiveBuckets, zeroBucket } from "./all-buckets.ts";

/** `{count:4, sum:3, [-0.001,0.001]:1, (1,2]:3}` as Prometheus prints a histogram. */
export function formatHistogram(histogram: NativeHistogram): string {
  const parts = [`count:${formatGeneral(histogram.count)}`, `sum:${formatGeneral(histogram.sum)}`];
  for (const bucket of negativeBuckets(histogram).reverse())
    if (bucket.count !== 0) parts.push(format("[", bucket, ")"));
  if (histogram.zeroCount !== 0) parts.push(format("[", zeroBucket(histogram), "]"));
  for (const bucket of positiveBuckets(histogram)) {
    // The lowest custom bucket has no end.
    const open = bucket.lower === Number.NEGATIVE_INFINITY ? "[" : "(";
    if (bucket.count !== 0) parts.push(format(open, bucket, "]"));
  }
  return `{${parts.join(", ")}}`;
}

function format(open: string, { lower, upper, count }: Bucket, close: string): string {
  return `${open}${formatGeneral(lower)},${formatGeneral(upper)}${close}:${formatGeneral(count)}`;
}
