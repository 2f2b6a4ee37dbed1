import type { NativeHistogram } from "@sightline/model/histogram.ts";
import type { Labels } from "@sightline/model/labels.ts";
import type { SampleStats } from "./eval/sample-stats.ts";

/** One element of an instant vector: a float, or a native histogram (then `value` is 0 and means nothing). */
export type VectorSample = {
  readonly labels: Labels;
  readonly timeMs: number;
  readonly value: number;
  readonly histogram?: NativeHistogram;
};

/** One series of a range result. Floats and histograms each ascend in time; a timestamp is in one of them only. */
export type MatrixSeries = {
  readonly labels: Labels;
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  readonly histograms?: { readonly timesMs: Float64Array; readonly values: readonly NativeHistogram[] };
};

/** What a query gives. Vectors are in the order to be shown; matrices are sorted by labels. */
export type PromValue =
  | { readonly type: "scalar"; readonly timeMs: number; readonly value: number }
  | { readonly type: "string"; readonly timeMs: number; readonly value: string }
  | { readonly type: "vector"; readonly samples: readonly VectorSample[] }
  | { readonly type: "matrix"; readonly series: readonly MatrixSeries[] };

/** Samples as Prometheus counts them: a histogram sample weighs more than a float. Times in milliseconds. */
export type QueryStats = {
  /** Samples read from storage, once per step that looked at them. */
  readonly samplesTotal: number;
  /** By steps of the query, when asked for. */
  readonly samples?: SampleStats | undefined;
  /** The most samples held at one time: what `query.max_samples` limits. */
  readonly samplesPeak: number;
  /** Steps that came from the results cache; absent when it was not asked. */
  readonly cachedSteps?: number;
  readonly parseMs: number;
  /** Time spent waiting for storage. */
  readonly selectMs: number;
  /** Everything after parsing, waiting for storage included. */
  readonly evalMs: number;
};

export type QueryResult = {
  readonly value: PromValue;
  /** Worded and ordered as Prometheus' API gives them, positions (`1:6`) included. */
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  readonly stats: QueryStats;
};
