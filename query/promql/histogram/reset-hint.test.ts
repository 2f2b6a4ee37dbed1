import { EMPTY_BUCKETS, type NativeHistogram } from "@sightline/model/histogram.ts";
import { NO_INFO } from "@sightline/model/metric-batch.ts";
import { expect, test } from "vitest";
import { withCheckedHints } from "./reset-hint.ts";

const histogram = (count: number, counterResetHint: 0 | 1 | 2 | 3): NativeHistogram => ({
  schema: 0,
  zeroThreshold: 0,
  zeroCount: 0,
  count,
  sum: count,
  positiveSpans: [{ offset: 0, length: 1 }],
  positiveBuckets: Float64Array.of(count),
  negativeSpans: [],
  negativeBuckets: EMPTY_BUCKETS,
  customValues: EMPTY_BUCKETS,
  counterResetHint,
});

test.each([
  ["a reset that nobody sees", [1, 2], [0, 1], [0, 0]],
  ["no reset, which is true", [1, 2], [0, 2], [0, 2]],
  ["no reset, where there is one", [2, 1], [0, 2], [0, 0]],
  ["of the first", [1], [2], [2]],
  ["gauges", [2, 1], [3, 3], [3, 3]],
] as const)("a sender's hint of %s", (_, counts, hints, wanted) => {
  const values = counts.map((count, i) => histogram(count, hints[i] ?? 0));
  const timesMs = Float64Array.from(counts.keys());
  const none = new Float64Array(0);
  const slice = { labels: [], info: NO_INFO, timesMs: none, values: none, histograms: { timesMs, values } };
  expect(withCheckedHints(slice).histograms?.values.map((value) => value.counterResetHint)).toEqual(wanted);
});
