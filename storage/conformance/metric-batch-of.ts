import type { NativeHistogram } from "@sightline/model/histogram.ts";
import { type Label, type Labels, labelsFrom } from "@sightline/model/labels.ts";
import {
  type ExemplarSample,
  type MetricBatch,
  type MetricMetadata,
  NO_INFO,
  type SeriesInfo,
  SeriesKey,
} from "@sightline/model/metric-batch.ts";
import { wordsOf, writeStale } from "@sightline/model/stale.ts";

/** A series as tests write it down. `STALE` stands for the staleness marker; histogram samples are recognised by type. */
export type SeriesRows = {
  readonly labels: Readonly<Record<string, string>> | Iterable<Label>;
  readonly info?: SeriesInfo;
  readonly samples: readonly (readonly [timeMs: number, value: number | Stale | NativeHistogram, startMs?: number])[];
  readonly exemplars?: readonly Omit<ExemplarSample, "ref">[];
};
export type Stale = "STALE";
export const STALE: Stale = "STALE";

/** A batch of exactly these rows, in this order. Every call makes new {@link SeriesKey}s unless `keys` remembers them. */
export function metricBatchOf(
  rows: readonly SeriesRows[],
  options: { readonly keys?: Map<string, SeriesKey>; readonly metadata?: readonly MetricMetadata[] } = {},
): MetricBatch {
  const length = rows.reduce(
    (sum, row) => sum + row.samples.filter(([, value]) => typeof value !== "object").length,
    0,
  );
  const batch = {
    length,
    series: rows.map((row) => keyOf(labelsFrom(row.labels), row.info ?? NO_INFO, options.keys)),
    refs: new Uint32Array(length),
    timesMs: new Float64Array(length),
    values: new Float64Array(length),
    startsMs: new Float64Array(length),
    histograms: [] as { ref: number; timeMs: number; startMs: number; histogram: NativeHistogram }[],
    exemplars: rows.flatMap((row, ref) => (row.exemplars ?? []).map((exemplar) => ({ ...exemplar, ref }))),
    metadata: options.metadata ?? [],
  };
  const words = wordsOf(batch.values);
  let i = 0;
  rows.forEach((row, ref) => {
    for (const [timeMs, value, startMs = 0] of row.samples) {
      if (typeof value === "object") {
        batch.histograms.push({ ref, timeMs, startMs, histogram: value });
        continue;
      }
      batch.refs[i] = ref;
      batch.timesMs[i] = timeMs;
      batch.startsMs[i] = startMs;
      if (value === STALE) writeStale(words, i);
      else batch.values[i] = value;
      i++;
    }
  });
  const { startsMs, ...rest } = batch;
  return startsMs.some((start) => start !== 0) ? batch : rest;
}

function keyOf(labels: Labels, info: SeriesInfo, keys: Map<string, SeriesKey> | undefined): SeriesKey {
  const text = JSON.stringify([labels, info]);
  const known = keys?.get(text);
  if (known) return known;
  const key = new SeriesKey(labels, info);
  keys?.set(text, key);
  return key;
}
