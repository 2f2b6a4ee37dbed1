import { CUSTOM_BUCKETS_SCHEMA, type NativeHistogram } from "@sightline/model/histogram.ts";
import { compareLabels, formatLabels, type Labels, labelsKey } from "@sightline/model/labels.ts";
import { almostEqual } from "../almost-equal.ts";
import { formatFloat } from "../format/format-float.ts";
import { formatHistogram } from "../histogram/format-histogram.ts";
import { compactHistogram } from "../histogram/scale-histogram.ts";
import type { MatrixSeries, PromValue, VectorSample } from "../result.ts";
import type { EvalCommand, SeriesLine, Value } from "./script.ts";

/** Relative error that values may have. */
const EPSILON = 0.000001;

/** What is wrong about a result; undefined when it is as expected. */
export function compareResult(command: EvalCommand, result: PromValue): string | undefined {
  switch (result.type) {
    case "scalar":
      if (command.scalar === undefined) return `wanted a vector, got scalar ${formatFloat(result.value)}`;
      return equal(command.scalar, result.value)
        ? undefined
        : `wanted scalar ${formatFloat(command.scalar)}, got ${formatFloat(result.value)}`;
    case "string":
      return command.string === result.value
        ? undefined
        : `wanted string ${JSON.stringify(command.string)}, got ${JSON.stringify(result.value)}`;
    case "vector":
      return compareVector(command, result.samples);
    case "matrix":
      return compareMatrix(command, result.series);
  }
}

/** `positions` of ordered results count all lines after the eval that are no expectations. */
function compareVector(command: EvalCommand, samples: readonly VectorSample[]): string | undefined {
  if (command.scalar !== undefined) return "wanted a scalar, got a vector";
  const wanted = byKey(command.series);
  const seen = new Set<string>();
  for (const [position, sample] of samples.entries()) {
    const name = formatLabels(sample.labels);
    const key = labelsKey(sample.labels);
    const line = wanted.get(key);
    if (!line) return `did not want ${name}, got ${formatSample(sample)}`;
    if (command.ordered && command.series.indexOf(line) !== position) {
      return `wanted ${name} at position ${command.series.indexOf(line) + 1}, got it at ${position + 1}`;
    }
    const value = line.values[0] as Value;
    if (!equalSample(value, sample.histogram ?? sample.value)) {
      return `wanted ${formatValue(value)} for ${name}, got ${formatSample(sample)}`;
    }
    seen.add(key);
  }
  return missing(wanted, seen);
}

function compareMatrix(command: EvalCommand, series: readonly MatrixSeries[]): string | undefined {
  if (command.ordered) return "wanted an ordered result, got a matrix";
  if (command.scalar !== undefined) return "wanted a scalar, got a matrix";
  for (let i = 1; i < series.length; i++) {
    if (compareLabels(series[i - 1]!.labels, series[i]!.labels) > 0)
      return "wanted series sorted by labels, got others";
  }
  const times = command.rangeVector ?? command;
  const wanted = byKey(command.series);
  const seen = new Set<string>();
  for (const actual of series) {
    const key = labelsKey(actual.labels);
    const line = wanted.get(key);
    if (!line) return `did not want ${formatLabels(actual.labels)}, got ${formatSeries(actual)}`;
    const problem = compareSeries(line, actual, times);
    if (problem) return problem;
    seen.add(key);
  }
  return missing(wanted, seen);
}

function compareSeries(
  line: SeriesLine,
  actual: MatrixSeries,
  { startMs, stepMs }: { startMs: number; stepMs: number },
): string | undefined {
  const samples = new Map<number, number | NativeHistogram>();
  for (const [i, timeMs] of actual.timesMs.entries()) samples.set(timeMs, actual.values[i] as number);
  for (const [i, timeMs] of actual.histograms?.timesMs.entries() ?? []) {
    samples.set(timeMs, actual.histograms?.values[i] as NativeHistogram);
  }
  const name = formatLabels(line.labels);
  for (const [i, value] of line.values.entries()) {
    const timeMs = startMs + i * stepMs;
    const sample = samples.get(timeMs);
    samples.delete(timeMs);
    if (value.kind === "none" && sample === undefined) continue;
    if (sample === undefined || value.kind === "none" || !equalSample(value, sample)) {
      return `wanted ${formatValue(value)} at ${timeMs} ms for ${name}, got ${formatSeries(actual)}`;
    }
  }
  return samples.size === 0
    ? undefined
    : `wanted ${line.values.length} points for ${name}, got ${formatSeries(actual)}`;
}

function byKey(lines: readonly SeriesLine[]): Map<string, SeriesLine> {
  return new Map(lines.map((line) => [labelsKey(line.labels), line]));
}

function missing(wanted: ReadonlyMap<string, SeriesLine>, seen: ReadonlySet<string>): string | undefined {
  for (const [key, { labels, values }] of wanted) {
    if (!seen.has(key)) return `wanted ${formatSeriesName(labels)} ${values.map(formatValue).join(" ")}, got nothing`;
  }
  return undefined;
}

function formatSeriesName(labels: Labels): string {
  return formatLabels(labels);
}

function equalSample(wanted: Value, actual: number | NativeHistogram): boolean {
  if (wanted.kind === "histogram") {
    return typeof actual !== "number" && equalHistogram(wanted.histogram, actual, wanted.hintGiven);
  }
  if (typeof actual !== "number") return false;
  return equal(wanted.kind === "float" ? wanted.value : Number.NaN, actual);
}

function equalHistogram(wantedLoose: NativeHistogram, actualLoose: NativeHistogram, hintGiven: boolean): boolean {
  const wanted = compactHistogram(wantedLoose);
  const actual = compactHistogram(actualLoose);
  return (
    wanted.schema === actual.schema &&
    equal(wanted.count, actual.count) &&
    equal(wanted.sum, actual.sum) &&
    (wanted.schema !== CUSTOM_BUCKETS_SCHEMA || allEqual(wanted.customValues, actual.customValues)) &&
    wanted.zeroThreshold === actual.zeroThreshold &&
    equal(wanted.zeroCount, actual.zeroCount) &&
    JSON.stringify(wanted.positiveSpans) === JSON.stringify(actual.positiveSpans) &&
    JSON.stringify(wanted.negativeSpans) === JSON.stringify(actual.negativeSpans) &&
    allEqual(wanted.positiveBuckets, actual.positiveBuckets) &&
    allEqual(wanted.negativeBuckets, actual.negativeBuckets) &&
    (!hintGiven || wanted.counterResetHint === actual.counterResetHint)
  );
}

function allEqual(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((value, i) => equal(value, b[i] as number));
}

function formatValue(value: Value): string {
  if (value.kind === "float") return formatFloat(value.value);
  return value.kind === "histogram" ? formatSampleHistogram(value.histogram) : value.kind === "none" ? "_" : "stale";
}

function formatSample(sample: VectorSample): string {
  return sample.histogram ? formatSampleHistogram(sample.histogram) : formatFloat(sample.value);
}

const HINT_NAMES = ["unknown", "reset", "not_reset", "gauge"];

function formatSampleHistogram(histogram: NativeHistogram): string {
  const bounds = histogram.schema === CUSTOM_BUCKETS_SCHEMA ? ` bounds [${histogram.customValues.join(" ")}]` : "";
  const hint = HINT_NAMES[histogram.counterResetHint];
  return `${formatHistogram(histogram)} schema ${histogram.schema} zero ${histogram.zeroThreshold}${bounds} ${hint}`;
}

function formatSeries({ timesMs, values, histograms }: MatrixSeries): string {
  const floats = [...timesMs].map((timeMs, i) => `${formatFloat(values[i] as number)} @${timeMs}`);
  const others = [...(histograms?.timesMs ?? [])].map(
    (timeMs, i) => `${formatSampleHistogram(histograms?.values[i] as NativeHistogram)} @${timeMs}`,
  );
  return `[${[...floats, ...others].join(", ")}]`;
}

function equal(a: number, b: number): boolean {
  return almostEqual(a, b, EPSILON);
}
