import { type BucketSpan, EMPTY_BUCKETS } from "@sightline/model/histogram.ts";

/** Calls `visit` with the index and count of every bucket, ascending by index. */
export function eachBucket(
  spans: readonly BucketSpan[],
  buckets: Float64Array,
  visit: (index: number, count: number) => void,
): void {
  let index = 0;
  let at = 0;
  for (const { offset, length } of spans) {
    index += offset;
    for (let i = 0; i < length && at < buckets.length; i++) visit(index++, buckets[at++] as number);
  }
}

export type EncodedBuckets = { readonly spans: readonly BucketSpan[]; readonly buckets: Float64Array };
const NO_BUCKETS: EncodedBuckets = { spans: [], buckets: EMPTY_BUCKETS };

/** Populated buckets as spans without gaps and empty buckets, which is what Prometheus' Compact(0) gives. */
export function encodeBuckets(entries: readonly (readonly [index: number, count: number])[]): EncodedBuckets {
  const populated = entries.filter(([, count]) => count !== 0).sort(([a], [b]) => a - b);
  if (populated.length === 0) return NO_BUCKETS;
  const spans: { offset: number; length: number }[] = [];
  let next = 0;
  for (const [index] of populated) {
    const last = spans.at(-1);
    if (last && index === next) last.length++;
    else spans.push({ offset: index - next, length: 1 });
    next = index + 1;
  }
  return { spans, buckets: Float64Array.from(populated, ([, count]) => count) };
}

/** Without empty buckets and needless spans; the same object when there is nothing to do. */
export function compactBuckets(spans: readonly BucketSpan[], buckets: Float64Array): EncodedBuckets {
  const isCompact =
    buckets.every((count) => count !== 0) && spans.every((s, i) => s.length > 0 && (i === 0 || s.offset > 0));
  if (isCompact) return { spans, buckets };
  const entries: [number, number][] = [];
  eachBucket(spans, buckets, (index, count) => entries.push([index, count]));
  return encodeBuckets(entries);
}
