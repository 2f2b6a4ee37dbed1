import type { BucketSpan, NativeHistogram } from "@sightline/model/histogram.ts";
import { formatGeneral } from "@sightline/query/promql/format/format-float.ts";

const HINTS = ["", "reset", "not_reset", "gauge"] as const;

/**
 * `{{schema:1 count:3 sum:4 buckets:[1 2]}}`, as tests write histograms (HistogramTestExpression of Prometheus' promqltest). Equal
 * for histograms that count the same, however their buckets are kept.
 */
export function histogramExpression(histogram: NativeHistogram): string {
  const { schema, count, sum, zeroCount, zeroThreshold, customValues, counterResetHint } = histogram;
  const parts: string[] = [];
  const add = (key: string, value: number) => {
    if (value !== 0) parts.push(`${key}:${formatGeneral(value)}`);
  };
  add("schema", schema);
  add("count", count);
  add("sum", sum);
  add("z_bucket", zeroCount);
  add("z_bucket_w", zeroThreshold);
  if (customValues.length > 0) parts.push(`custom_values:${list(customValues)}`);
  if (counterResetHint !== 0) parts.push(`counter_reset_hint:${HINTS[counterResetHint]}`);
  for (const [prefix, spans, buckets] of [
    ["", histogram.positiveSpans, histogram.positiveBuckets],
    ["n_", histogram.negativeSpans, histogram.negativeBuckets],
  ] as const) {
    const { first, counts } = contiguous(spans, buckets);
    if (counts.length === 0) continue;
    add(`${prefix}offset`, first);
    parts.push(`${prefix}buckets:${list(counts)}`);
  }
  return `{{${parts.join(" ")}}}`;
}

/** From the first bucket that counts to the last one, with those between. */
function contiguous(spans: readonly BucketSpan[], buckets: Float64Array) {
  const counts: number[] = [];
  let first = 0;
  let index = 0;
  let at = 0;
  for (const { offset, length } of spans) {
    index += offset;
    for (let i = 0; i < length; i++, index++, at++) {
      const count = buckets[at] as number;
      if (count === 0) continue;
      if (counts.length === 0) first = index;
      while (first + counts.length < index) counts.push(0);
      counts.push(count);
    }
  }
  return { first, counts };
}

function list(values: Iterable<number>): string {
  return `[${Array.from(values, formatGeneral).join(" ")}]`;
}
