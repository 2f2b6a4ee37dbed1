import type { NativeHistogram } from "./histogram.ts";
import type { Labels } from "./labels.ts";

/**
 * One series, interned: a decoder hands out the same object for the same labels of the same tenant as long as it
 * can, so that a store finds its own series by `ref` without looking at the labels.
 */
export class SeriesKey {
  readonly labels: Labels;
  readonly info: SeriesInfo;
  /** Belongs to the store that takes the batches: its own series number + 1, 0 when it has not seen this object yet. */
  ref = 0;
  constructor(labels: Labels, info: SeriesInfo = NO_INFO) {
    this.labels = labels;
    this.info = info;
  }
}

export type MetricType =
  | "unknown"
  | "counter"
  | "gauge"
  | "histogram"
  | "gaugehistogram"
  | "summary"
  | "info"
  | "stateset";

/** What is known of a series beside its identity. The newest one written wins. */
export type SeriesInfo = {
  readonly type: MetricType;
  readonly unit: string;
  /** "delta": each sample counts only what happened since its start time. */
  readonly temporality: "cumulative" | "delta" | "";
  /** The name as OpenTelemetry had it (`http.server.request.duration`), "" when it came from elsewhere. */
  readonly otelName: string;
};
export const NO_INFO: SeriesInfo = Object.freeze({ type: "unknown", unit: "", temporality: "", otelName: "" });

/**
 * Samples in columns: row i is (series[refs[i]], timesMs[i], values[i]). Rows of one series need not ascend in time.
 * `series` may be a table that the decoder shares between its batches and appends to: it holds every series that
 * `refs` names, and may hold more. Values may be the staleness marker (stale.ts); all other NaNs are the normal one.
 */
export interface MetricBatch {
  readonly length: number;
  readonly series: readonly SeriesKey[];
  readonly refs: Uint32Array;
  /** Integral milliseconds since the epoch. Arrays may be longer than `length`. */
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  /** Start (created) time of each sample in ms, 0 where unknown; absent when none is known. */
  readonly startsMs?: Float64Array | undefined;
  readonly histograms: readonly HistogramSample[];
  readonly exemplars: readonly ExemplarSample[];
  readonly metadata: readonly MetricMetadata[];
}

export type HistogramSample = {
  readonly ref: number;
  readonly timeMs: number;
  readonly startMs: number;
  readonly histogram: NativeHistogram;
};
export type ExemplarSample = {
  readonly ref: number;
  readonly timeMs: number;
  readonly value: number;
  readonly labels: Labels;
};
/** `metric` is the metric family's name as PromQL spells it. */
export type MetricMetadata = {
  readonly metric: string;
  readonly type: MetricType;
  readonly unit: string;
  readonly help: string;
  /** The family's name as OpenTelemetry had it, where that is known. */
  readonly otelName?: string | undefined;
};
