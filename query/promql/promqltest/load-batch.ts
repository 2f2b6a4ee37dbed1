import type { NativeHistogram } from "@sightline/model/histogram.ts";
import { type Labels, labelsKey, labelValue, METRIC_NAME } from "@sightline/model/labels.ts";
import { type HistogramSample, type MetricBatch, SeriesKey } from "@sightline/model/metric-batch.ts";
import { wordsOf, writeStale } from "@sightline/model/stale.ts";
import { withLabel } from "../eval/result-labels.ts";
import { parseGoFloat } from "../format/parse-go-float.ts";
import { detectReset } from "../histogram/detect-reset.ts";
import { customBucketHistogram } from "./parse-series.ts";
import type { LoadCommand, Value } from "./script.ts";

/** What a `load` command writes, as one batch. Of a series that is written down twice, the last one counts. */
export function loadBatch(whole: LoadCommand): MetricBatch {
  const lines = new Map(whole.series.map((line) => [labelsKey(line.labels), line]));
  const command = {
    ...whole,
    series: [...lines.values()].map((line) => ({ ...line, values: withHints(line.values) })),
  };
  const series = command.series.map(({ labels }) => new SeriesKey(labels));
  const isFloat = (kind: string) => kind === "float" || kind === "stale";
  const length = command.series.reduce((sum, { values }) => sum + values.filter(({ kind }) => isFloat(kind)).length, 0);
  const batch = {
    refs: new Uint32Array(length),
    timesMs: new Float64Array(length),
    values: new Float64Array(length),
    startsMs: new Float64Array(length),
  };
  const words = wordsOf(batch.values);
  const histograms: HistogramSample[] = [];
  let row = 0;
  for (const [ref, { values, starts }] of command.series.entries()) {
    for (const [i, value] of values.entries()) {
      if (value.kind === "none") continue;
      const timeMs = i * command.gapMs;
      const start = starts?.[i];
      const startMs = start === undefined ? 0 : timeMs + start;
      if (value.kind === "histogram") {
        histograms.push({ ref, timeMs, startMs, histogram: value.histogram });
        continue;
      }
      batch.refs[row] = ref;
      batch.timesMs[row] = timeMs;
      batch.startsMs[row] = startMs;
      if (value.kind === "stale") writeStale(words, row);
      else batch.values[row] = value.value;
      row++;
    }
  }
  if (command.withCustomBuckets) addCustomBuckets(command, series, histograms);
  const { startsMs, ...rest } = batch;
  const hasStarts = startsMs.some((startMs) => startMs !== 0);
  return { length, series, ...rest, ...(hasStarts && { startsMs }), histograms, exemplars: [], metadata: [] };
}

type Classic = { readonly buckets: Map<number, number>; count: number | undefined; sum: number };

/** `x_bucket`, `x_count` and `x_sum` together also as native histogram `x`. */
function addCustomBuckets(command: LoadCommand, series: SeriesKey[], histograms: HistogramSample[]): void {
  const byMetric = new Map<string, { labels: Labels; byStep: Map<number, Classic> }>();
  for (const line of command.series) {
    const part = classicPart(line.labels);
    if (!part) continue;
    const key = labelsKey(part.labels);
    const metric = byMetric.get(key) ?? { labels: part.labels, byStep: new Map<number, Classic>() };
    byMetric.set(key, metric);
    for (const [step, value] of line.values.entries()) {
      if (value.kind !== "float") continue;
      const classic = metric.byStep.get(step) ?? { buckets: new Map<number, number>(), count: undefined, sum: 0 };
      metric.byStep.set(step, classic);
      part.put(classic, value.value);
    }
  }
  for (const { labels, byStep } of byMetric.values()) {
    const ref = series.push(new SeriesKey(labels)) - 1;
    for (const [step, classic] of [...byStep].sort(([a], [b]) => a - b)) {
      histograms.push({ ref, timeMs: step * command.gapMs, startMs: 0, histogram: convert(classic) });
    }
  }
}

type ClassicPart = { readonly labels: Labels; put(classic: Classic, value: number): void };

/** What a series is of a classic histogram, whose labels come without suffix and `le`; undefined when it is of none. */
function classicPart(labels: Labels): ClassicPart | undefined {
  const [, base = "", suffix] = /^(.*)_(bucket|count|sum)$/.exec(labelValue(labels, METRIC_NAME)) ?? [];
  const own = withLabel(withLabel(labels, METRIC_NAME, base), "le", "");
  if (suffix === "sum") {
    return {
      labels: own,
      put: (classic, value) => {
        classic.sum = value;
      },
    };
  }
  if (suffix === "count") {
    return {
      labels: own,
      put: (classic, value) => {
        classic.count = value;
      },
    };
  }
  const upper = parseGoFloat(labelValue(labels, "le"));
  if (suffix !== "bucket" || upper === undefined || Number.isNaN(upper)) return undefined;
  return {
    labels: own,
    put: ({ buckets }, value) => {
      if (!buckets.has(upper)) buckets.set(upper, value);
    },
  };
}

function convert({ buckets, count, sum }: Classic) {
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  const total = count ?? sorted.at(-1)?.[1] ?? 0;
  if (sorted.at(-1)?.[0] !== Number.POSITIVE_INFINITY) sorted.push([Number.POSITIVE_INFINITY, total]);
  return customBucketHistogram(sorted, total, sum);
}

const GAUGE = 3;

/**
 * Prometheus' storage looks for counter resets when it takes histograms in and hands them out with the hint "not
 * reset", except the first after a reset or a change of layout. Scripts are written for that.
 */
function withHints(values: readonly Value[]): Value[] {
  let previous: NativeHistogram | undefined;
  return values.map((value) => {
    if (value.kind === "stale") previous = undefined;
    if (value.kind !== "histogram" || value.histogram.counterResetHint === GAUGE) return value;
    const histogram = { ...value.histogram, counterResetHint: continues(value.histogram, previous) ? 2 : 0 } as const;
    previous = value.histogram;
    return { ...value, histogram };
  });
}

/** No reset between the two: Prometheus' storage says so of the second. */
export function continues(histogram: NativeHistogram, previous: NativeHistogram | undefined): boolean {
  if (!previous || histogram.counterResetHint === 1 || previous.schema !== histogram.schema) return false;
  if (previous.zeroThreshold !== histogram.zeroThreshold) return false;
  if (String(previous.customValues) !== String(histogram.customValues)) return false;
  return !detectReset({ ...histogram, counterResetHint: 0 }, previous);
}
