import { CUSTOM_BUCKETS_SCHEMA, type NativeHistogram } from "@sightline/model/histogram.ts";
import { upperBound } from "./bucket-bounds.ts";
import { HistogramAccumulator } from "./histogram-accumulator.ts";

/**
 * Was the counter reset between `previous` and `histogram`? The hint decides if there is one; otherwise any count that
 * fell, and any change of layout that can't happen without a reset (DetectReset in Prometheus' float_histogram.go).
 */
export function detectReset(histogram: NativeHistogram, previous: NativeHistogram): boolean {
  if (histogram.counterResetHint === 1) return true;
  if (histogram.counterResetHint === 2) return false;
  if (histogram.count < previous.count) return true;
  if (histogram.schema === CUSTOM_BUCKETS_SCHEMA) {
    return previous.schema !== CUSTOM_BUCKETS_SCHEMA || customCountsFell(histogram, previous);
  }
  if (histogram.schema > previous.schema || histogram.zeroThreshold < previous.zeroThreshold) return true;
  const before = new HistogramAccumulator(previous);
  if (before.zeroThreshold !== histogram.zeroThreshold) before.widenZero(histogram.zeroThreshold);
  if (before.zeroThreshold !== histogram.zeroThreshold || histogram.zeroCount < before.zeroCount) return true;
  before.reduceTo(histogram.schema);
  const now = new HistogramAccumulator(histogram);
  return exponentialCountsFell(now, before, "positive") || exponentialCountsFell(now, before, "negative");
}

function exponentialCountsFell(
  now: HistogramAccumulator,
  before: HistogramAccumulator,
  side: "positive" | "negative",
): boolean {
  const counts = now.counts(side);
  for (const [index, { sum }] of before.counts(side)) {
    if (upperBound(index, now.schema, now.customValues) <= now.zeroThreshold) continue;
    if (sum > (counts.get(index)?.sum ?? 0)) return true;
  }
  return false;
}

function customCountsFell(histogram: NativeHistogram, previous: NativeHistogram): boolean {
  const shared = histogram.customValues.filter((bound) => previous.customValues.includes(bound));
  const now = countsWithin(histogram, shared);
  const before = countsWithin(previous, shared);
  return before.some((count, i) => (now[i] as number) < count);
}

function countsWithin(histogram: NativeHistogram, bounds: Float64Array): number[] {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  for (const [index, { sum }] of new HistogramAccumulator(histogram).counts("positive")) {
    const bound = upperBound(index, CUSTOM_BUCKETS_SCHEMA, histogram.customValues);
    const at = bounds.findIndex((candidate) => candidate >= bound);
    counts[at === -1 ? bounds.length : at]! += sum;
  }
  return counts;
}
