import { quote } from "@sightline/model/go-quote.ts";
import type { Range } from "./ast.ts";
import { formatGeneral } from "./format/format-float.ts";
import { lineColumn } from "./parse/position.ts";

type Severity = "warning" | "info";
type Note = { readonly severity: Severity; readonly message: string; range: Range };
type Monotonicity = {
  readonly range: Range;
  firstMs: number;
  lastMs: number;
  minBucket: number;
  maxBucket: number;
  maxDifference: number;
  count: number;
};
/** What had to be done about the buckets of a classic histogram. */
export type ForcedMonotonicity = Pick<Monotonicity, "minBucket" | "maxBucket" | "maxDifference">;

/**
 * Warnings and infos of one query, worded as Prometheus' util/annotations. Equal texts are kept once, the position
 * being that of the last.
 */
export class Annotations {
  readonly #notes = new Map<string, Note>();
  readonly #monotonicity = new Map<string, Monotonicity>();
  readonly #overlaps = new Map<string, { range: Range; count: number }>();

  /** How much there is to say. */
  get size(): number {
    return this.#notes.size + this.#monotonicity.size + this.#overlaps.size;
  }

  /** Forgets all but the first `size` plain notes. */
  forgetAfter(size: number): void {
    for (const message of [...this.#notes.keys()].slice(size)) this.#notes.delete(message);
    this.#monotonicity.clear();
    this.#overlaps.clear();
  }

  warn(range: Range, message: string): void {
    this.#note("warning", range, message);
  }

  info(range: Range, message: string): void {
    this.#note("info", range, message);
  }

  #note(severity: Severity, range: Range, message: string): void {
    const known = this.#notes.get(message);
    if (known) known.range = range;
    else this.#notes.set(message, { severity, message, range });
  }

  forcedMonotonicity(metric: string, range: Range, timeMs: number, forced: ForcedMonotonicity): void {
    const message = `${FORCED_MONOTONICITY}${forMetric(metric)}`;
    const known = this.#monotonicity.get(message);
    if (!known) {
      this.#monotonicity.set(message, { range, firstMs: timeMs, lastMs: timeMs, count: 1, ...forced });
      return;
    }
    known.firstMs = Math.min(known.firstMs, timeMs);
    known.lastMs = Math.max(known.lastMs, timeMs);
    known.minBucket = Math.min(known.minBucket, forced.minBucket);
    known.maxBucket = Math.max(known.maxBucket, forced.maxBucket);
    known.maxDifference = Math.max(known.maxDifference, forced.maxDifference);
    known.count++;
  }

  startTimeOverlap(metric: string, range: Range): void {
    const known = this.#overlaps.get(metric);
    if (known) known.count++;
    else this.#overlaps.set(metric, { range, count: 1 });
  }

  /** The texts with their positions in the query. */
  texts(query: string): { warnings: string[]; infos: string[] } {
    const warnings: string[] = [];
    const infos: string[] = [];
    for (const { severity, message, range } of this.#notes.values()) {
      (severity === "warning" ? warnings : infos).push(
        `PromQL ${severity}: ${message} (${lineColumn(query, range.start)})`,
      );
    }
    for (const [metric, { range, count }] of this.#overlaps) {
      const times = count > 1 ? ` (${count} occurrences)` : "";
      const position = lineColumn(query, range.start);
      warnings.push(`PromQL warning: ${START_TIME_OVERLAP} for metric ${quote(metric)}${times} (${position})`);
    }
    for (const [message, forced] of this.#monotonicity) {
      infos.push(`PromQL info: ${message}${describeForced(forced)} (${lineColumn(query, forced.range.start)})`);
    }
    return { warnings, infos };
  }
}

function describeForced({ minBucket, maxBucket, maxDifference, count, firstMs, lastMs }: Monotonicity): string {
  const buckets = `from buckets ${formatGeneral(minBucket)} to ${formatGeneral(maxBucket)}`;
  const difference = formatGeneral(Number(maxDifference.toPrecision(2)));
  const times = `from ${rfc3339(firstMs)} to ${rfc3339(lastMs)}`;
  return `, ${buckets}, with a max diff of ${difference}, over ${count} samples ${times}`;
}

function rfc3339(timeMs: number): string {
  return `${new Date(Math.trunc(timeMs / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

const FORCED_MONOTONICITY =
  "input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";
const START_TIME_OVERLAP = "sample has start time that overlaps with previous sample timestamp";

function forMetric(metric: string): string {
  return metric === "" ? "" : ` for metric name ${quote(metric)}`;
}

/** What was done to histograms when their hints or buckets did not fit together. */
export type HistogramOperation = "addition" | "subtraction" | "aggregation";

/** The texts, without severity and position. `metric` may be "" where the name is not known. */
export const NOTES = {
  invalidRatio: (got: number, cap: number) =>
    `ratio value should be between -1 and 1, got ${formatGeneral(got)}, capping to ${formatGeneral(cap)}`,
  invalidQuantile: (got: number) => `quantile value should be between 0 and 1, got ${formatGeneral(got)}`,
  badBucketLabel: (metric: string, label: string) =>
    `bucket label "le" is missing or has a malformed value of ${quote(label)}${forMetric(metric)}`,
  mixedFloatsHistograms: (metric: string) =>
    `encountered a mix of histograms and floats for metric name ${quote(metric)}`,
  mixedFloatsHistogramsInAggregation: () => "encountered a mix of histograms and floats for aggregation",
  mixedClassicNative: (metric: string) => `vector contains a mix of classic and native histograms${forMetric(metric)}`,
  notCounter: (metric: string) => `this native histogram metric is not a counter: ${quote(metric)}`,
  notGauge: (metric: string) => `this native histogram metric is not a gauge: ${quote(metric)}`,
  mixedSchemas: (metric: string) =>
    `vector contains a mix of histograms with exponential and custom buckets schemas for metric name ${quote(metric)}`,
  incompatibleLayout: (op: string) => `incompatible bucket layout encountered for binary operator ${op}`,
  sortInRange: () => "sort is ineffective for range queries since results are always ordered by labels",
  possibleNonCounter: (metric: string) =>
    `metric might not be a counter, name does not end in _total/_sum/_count/_bucket: ${quote(metric)}`,
  possibleNonCounterLabel: (metric: string, type: string) =>
    `metric might not be a counter, __type__ label is not set to "counter" or "histogram", got ${quote(type)}: ${quote(metric)}`,
  incompatibleTypes: (left: string, op: string, right: string) =>
    `incompatible sample types encountered for binary operator ${quote(op)}: ${left} ${op} ${right}`,
  ignoredInAggregation: (aggregation: string) => `ignored histogram in ${aggregation} aggregation`,
  ignoredInMixedRange: (metric: string) =>
    `ignored histograms in a range containing both floats and histograms for metric name ${quote(metric)}`,
  quantileNanResult: (metric: string) =>
    `input to histogram_quantile has NaN observations, result is NaN${forMetric(metric)}`,
  quantileNanSkew: (metric: string) =>
    `input to histogram_quantile has NaN observations, result is skewed higher${forMetric(metric)}`,
  fractionNans: (metric: string) =>
    `input to histogram_fraction has NaN observations, which are excluded from all fractions${forMetric(metric)}`,
  resetCollision: (operation: HistogramOperation) => `conflicting counter resets during histogram ${operation}`,
  mismatchedCustomBuckets: (operation: HistogramOperation) =>
    `mismatched custom buckets were reconciled during ${operation}`,
} as const;
