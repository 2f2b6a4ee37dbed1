import { EMPTY_BUCKETS, isStaleHistogram, type NativeHistogram } from "@sightline/model/histogram.ts";
import type { SeriesSlice } from "@sightline/model/metric-store.ts";
import { detectReset } from "./detect-reset.ts";

/**
 * A series whose histograms have count and sum only. As counter resets could no longer be found without the buckets,
 * they are found here (HistogramStatsIterator in Prometheus' promql).
 */
export function statsOf(slice: SeriesSlice): SeriesSlice {
  const { histograms } = slice;
  if (!histograms) return slice;
  let previous: NativeHistogram | undefined;
  const values = histograms.values.map((histogram) => {
    if (isStaleHistogram(histogram)) return histogram;
    const stats = strip(histogram, previous);
    previous = histogram;
    return stats;
  });
  return { ...slice, histograms: { ...histograms, values } };
}

function strip(histogram: NativeHistogram, previous: NativeHistogram | undefined): NativeHistogram {
  const { schema, count, sum, counterResetHint } = histogram;
  const isKnown = counterResetHint !== 0 || !previous;
  return {
    schema,
    count,
    sum,
    counterResetHint: isKnown ? counterResetHint : detectReset(histogram, previous) ? 1 : 2,
    zeroThreshold: 0,
    zeroCount: 0,
    positiveSpans: [],
    positiveBuckets: EMPTY_BUCKETS,
    negativeSpans: [],
    negativeBuckets: EMPTY_BUCKETS,
    customValues: EMPTY_BUCKETS,
  };
}
