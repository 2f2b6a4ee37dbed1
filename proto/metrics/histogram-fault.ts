import { type BucketSpan, CUSTOM_BUCKETS_SCHEMA, type NativeHistogram } from "@sightline/model/histogram.ts";
import { type Fault, invalid } from "./rejection-log.ts";

export const MIN_SCHEMA = -4;
export const MAX_SCHEMA = 8;
/** Beyond this a bucket's bounds are 0 or infinity in any schema. */
const MAX_BUCKET_INDEX = 2 ** 31;

/**
 * What is wrong with a native histogram, by the rules of Prometheus (Validate in model/histogram); undefined when nothing
 * is. With `integer` counts the buckets must add up to the count, unless the sum is NaN: such observations are in none.
 */
export function histogramFault(histogram: NativeHistogram, integer: boolean): Fault | undefined {
  const problem = histogram.schema === CUSTOM_BUCKETS_SCHEMA ? customProblem(histogram) : exponentialProblem(histogram);
  if (problem) return invalid("histogram", `invalid native histogram: ${problem}`);
  let total = histogram.zeroCount;
  for (const buckets of [histogram.positiveBuckets, histogram.negativeBuckets]) {
    for (const count of buckets) {
      if (count < 0) return invalid("histogram", `invalid native histogram: a bucket has the negative count ${count}`);
      total += count;
    }
  }
  if (histogram.count < 0 || histogram.zeroCount < 0) {
    return invalid("histogram", "invalid native histogram: negative count");
  }
  const mismatch = Number.isNaN(histogram.sum) ? total > histogram.count : total !== histogram.count;
  // Above 2^53 the counts are rounded and need not add up.
  if (integer && mismatch && total <= Number.MAX_SAFE_INTEGER) {
    return invalid(
      "histogram-count",
      `invalid native histogram: its buckets hold ${total} observations, but its count is ${histogram.count}`,
    );
  }
  return undefined;
}

function exponentialProblem(histogram: NativeHistogram): string | undefined {
  const { schema, positiveSpans, positiveBuckets, negativeSpans, negativeBuckets, customValues } = histogram;
  if (schema < MIN_SCHEMA || schema > MAX_SCHEMA) {
    return `schema ${schema}: use ${MIN_SCHEMA} to ${MAX_SCHEMA}, or ${CUSTOM_BUCKETS_SCHEMA} for custom buckets`;
  }
  if (customValues.length > 0) return `custom values do not go with schema ${schema}`;
  return spansProblem(positiveSpans, positiveBuckets.length) ?? spansProblem(negativeSpans, negativeBuckets.length);
}

function customProblem(histogram: NativeHistogram): string | undefined {
  const { positiveSpans, positiveBuckets, customValues } = histogram;
  for (let i = 0; i < customValues.length; i++) {
    const bound = customValues[i] as number;
    if (Number.isNaN(bound) || bound === Number.POSITIVE_INFINITY) return `custom value ${bound} is not a bound`;
    if (i > 0 && bound <= (customValues[i - 1] as number)) return "custom values do not ascend";
  }
  if (histogram.zeroCount !== 0 || histogram.zeroThreshold !== 0) return "custom buckets have no zero bucket";
  if (histogram.negativeSpans.length > 0 || histogram.negativeBuckets.length > 0) {
    return "custom buckets have no negative side";
  }
  if ((positiveSpans[0]?.offset ?? 0) < 0) return "the first span begins before the first custom bucket";
  const end = positiveSpans.reduce((sum, span) => sum + span.offset + span.length, 0);
  if (end > customValues.length + 1) {
    return `${customValues.length} custom values do not cover spans that reach bucket ${end}`;
  }
  return spansProblem(positiveSpans, positiveBuckets.length);
}

function spansProblem(spans: readonly BucketSpan[], buckets: number): string | undefined {
  let length = 0;
  let index = 0;
  for (let i = 0; i < spans.length; i++) {
    const span = spans[i] as BucketSpan;
    if (i > 0 && span.offset < 0) return `span ${i + 1} has the negative offset ${span.offset}`;
    length += span.length;
    index += span.offset + span.length;
  }
  if (length !== buckets) return `its spans need ${length} buckets, it has ${buckets}`;
  return index > MAX_BUCKET_INDEX ? `bucket ${index} does not exist` : undefined;
}
