import { labelsJson } from "../http/labels-json.ts";
import type { JsonPiece } from "../http/send-chunks.ts";
import { timeText } from "../http/time-text.ts";
import { timeAt } from "../promql/eval/grid.ts";
import type { SampleStats } from "../promql/eval/sample-stats.ts";
import { formatFloat } from "../promql/format/format-float.ts";
import type { MatrixSeries, PromValue, QueryResult, QueryStats, VectorSample } from "../promql/result.ts";
import { floatText } from "./float-text.ts";
import { histogramJson } from "./histogram-json.ts";
import { encodePoints } from "./point-encoder.ts";

/** Of warnings and of infos each (api.go in Prometheus' web/api/v1). */
const MAX_NOTES = 10;

/** The body of a successful `query` or `query_range`, piece by piece. */
export function* encodeQueryResult(
  result: QueryResult,
  extraWarnings: readonly string[],
  stats: "none" | "totals" | "by-step",
): Generator<JsonPiece> {
  yield `{"status":"success","data":{"resultType":"${result.value.type}","result":`;
  yield* encodeValue(result.value);
  if (stats !== "none") yield `,"stats":${statsJson(result.stats, stats === "by-step")}`;
  const warnings = [...capped("warning", result.warnings), ...extraWarnings];
  yield `}${notes("warnings", warnings)}${notes("infos", capped("info", result.infos))}}`;
}

function capped(severity: "warning" | "info", texts: readonly string[]): readonly string[] {
  const omitted = texts.length - MAX_NOTES;
  if (omitted <= 0) return texts;
  return [...texts.slice(0, MAX_NOTES), `${omitted} more ${severity} annotations omitted`];
}

function notes(field: string, texts: readonly string[]): string {
  return texts.length === 0 ? "" : `,"${field}":${JSON.stringify(texts)}`;
}

function* encodeValue(value: PromValue): Generator<JsonPiece> {
  switch (value.type) {
    case "scalar":
      yield `[${timeText(value.timeMs)},"${formatFloat(value.value)}"]`;
      return;
    case "string":
      yield `[${timeText(value.timeMs)},${JSON.stringify(value.value)}]`;
      return;
    case "vector":
      yield* encodeVector(value.samples);
      return;
    case "matrix":
      yield* encodeMatrix(value.series);
  }
}

function* encodeVector(samples: readonly VectorSample[]): Generator<JsonPiece> {
  let separator = "[";
  for (const { labels, timeMs, value, histogram } of samples) {
    const time = timeText(timeMs);
    yield histogram
      ? `${separator}{"metric":${labelsJson(labels)},"histogram":[${time},${histogramJson(histogram)}]}`
      : `${separator}{"metric":${labelsJson(labels)},"value":[${time},"${floatText(value)}"]}`;
    separator = ",";
  }
  yield samples.length === 0 ? "[]" : "]";
}

function* encodeMatrix(series: readonly MatrixSeries[]): Generator<JsonPiece> {
  let separator = "[";
  for (const { labels, timesMs, values, histograms } of series) {
    yield `${separator}{"metric":${labelsJson(labels)}`;
    if (timesMs.length > 0) {
      yield ',"values":[';
      yield* encodePoints(timesMs, values);
      yield "]";
    }
    if (histograms) yield* encodeHistograms(histograms);
    yield "}";
    separator = ",";
  }
  yield series.length === 0 ? "[]" : "]";
}

function* encodeHistograms({ timesMs, values }: NonNullable<MatrixSeries["histograms"]>): Generator<JsonPiece> {
  if (values.length === 0) return;
  let separator = ',"histograms":[';
  for (let i = 0; i < values.length; i++) {
    const histogram = values[i];
    if (histogram) yield `${separator}[${timeText(timesMs[i] as number)},${histogramJson(histogram)}]`;
    separator = ",";
  }
  yield "]";
}

/** The fields of Prometheus' util/stats.NewQueryStats, in seconds. */
function statsJson(stats: QueryStats, isByStep: boolean): string {
  const seconds = (ms: number) => ms / 1_000;
  return JSON.stringify({
    timings: {
      evalTotalTime: seconds(stats.evalMs),
      resultSortTime: 0,
      queryPreparationTime: seconds(stats.selectMs),
      innerEvalTime: seconds(Math.max(0, stats.evalMs - stats.selectMs)),
      execQueueTime: 0,
      execTotalTime: seconds(stats.parseMs + stats.evalMs),
    },
    samples: {
      ...(isByStep && stats.samples && { totalQueryableSamplesPerStep: byStep(stats.samples, stats.samples.totals) }),
      totalQueryableSamples: stats.samples?.total ?? stats.samplesTotal,
      ...(isByStep && stats.samples && { samplesReadPerStep: byStep(stats.samples, stats.samples.reads) }),
      samplesRead: stats.samples?.read ?? stats.samplesTotal,
      peakSamples: stats.samplesPeak,
    },
  });
}

function byStep({ grid }: SampleStats, counts: Float64Array): [seconds: number, count: number][] {
  return Array.from(counts, (count, step) => [timeAt(grid, step) / 1_000, count]);
}
