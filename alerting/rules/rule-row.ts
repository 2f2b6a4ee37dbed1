import type { NativeHistogram } from "@sightline/model/histogram.ts";
import type { Labels } from "@sightline/model/labels.ts";
import { type HistogramSample, type MetricBatch, SeriesKey } from "@sightline/model/metric-batch.ts";
import { wordsOf, writeStale } from "@sightline/model/stale.ts";

/** A sample that a rule gives; `key` is that of its labels. */
export type RuleRow = {
  readonly key: string;
  readonly labels: Labels;
  readonly value: number;
  readonly histogram?: NativeHistogram | undefined;
};

/** The rows at one time, and for each of `ended` the marker that says so. */
export function batchOf(rows: readonly RuleRow[], ended: readonly Labels[], timeMs: number): MetricBatch {
  const floats = rows.filter(({ histogram }) => !histogram);
  const length = floats.length + ended.length;
  const values = new Float64Array(length);
  const words = wordsOf(values);
  for (const [i, { value }] of floats.entries()) values[i] = value;
  for (const i of ended.keys()) writeStale(words, floats.length + i);
  const series = [...floats.map(({ labels }) => labels), ...ended].map((labels) => new SeriesKey(labels));
  const histograms: HistogramSample[] = [];
  for (const { labels, histogram } of rows) {
    if (!histogram) continue;
    histograms.push({ ref: series.length, timeMs, startMs: 0, histogram });
    series.push(new SeriesKey(labels));
  }
  const refs = Uint32Array.from({ length }, (_, i) => i);
  const timesMs = new Float64Array(length).fill(timeMs);
  return { length, series, refs, timesMs, values, histograms, exemplars: [], metadata: [] };
}
