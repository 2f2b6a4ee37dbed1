import { labelsJson } from "../http/labels-json.ts";
import { TimeTexts, timeText } from "../http/time-texts.ts";
import { formatFloat } from "../promql/format/format-float.ts";
import type { MatrixSeries, PromValue, QueryResult, QueryStats, VectorSample } from "../promql/result.ts";
import { floatText } from "./float-text.ts";
import { histogramJson } from "./histogram-json.ts";

/** Points that one piece of the answer holds at most, so that encoding it stays far below a millisecond. */
const POINTS_PER_PIECE = 500;

/** The body of a successful `query` or `query_range`, piece by piece. Stats are written when `withStats` is set. */
export function* encodeQueryResult(
  result: QueryResult,
  extraWarnings: readonly string[],
  withStats: boolean,
): Generator<string> {
  yield `{"status":"success","data":{"resultType":"${result.value.type}","result":`;
  yield* encodeValue(result.value);
  if (withStats) yield `,"stats":${statsJson(result.stats)}`;
  yield `}${notes("warnings", [...result.warnings, ...extraWarnings])}${notes("infos", result.infos)}}`;
}

function notes(field: string, texts: readonly string[]): string {
  return texts.length === 0 ? "" : `,"${field}":${JSON.stringify(texts)}`;
}

function* encodeValue(value: PromValue): Generator<string> {
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

function* encodeVector(samples: readonly VectorSample[]): Generator<string> {
  const times = new TimeTexts();
  let separator = "[";
  for (const { labels, timeMs, value, histogram } of samples) {
    const time = times.text(timeMs);
    yield histogram
      ? `${separator}{"metric":${labelsJson(labels)},"histogram":[${time},${histogramJson(histogram)}]}`
      : `${separator}{"metric":${labelsJson(labels)},"value":[${time},"${floatText(value)}"]}`;
    separator = ",";
  }
  yield samples.length === 0 ? "[]" : "]";
}

function* encodeMatrix(series: readonly MatrixSeries[]): Generator<string> {
  const times = new TimeTexts();
  let separator = "[";
  for (const one of series) {
    yield `${separator}{"metric":${labelsJson(one.labels)}`;
    yield* encodeFloats(one, times);
    if (one.histograms) yield* encodeHistograms(one.histograms, times);
    yield "}";
    separator = ",";
  }
  yield series.length === 0 ? "[]" : "]";
}

function* encodeFloats({ timesMs, values }: MatrixSeries, times: TimeTexts): Generator<string> {
  const length = timesMs.length;
  if (length === 0) return;
  for (let from = 0; from < length; from += POINTS_PER_PIECE) {
    const to = Math.min(from + POINTS_PER_PIECE, length);
    let piece = from === 0 ? ',"values":[' : ",";
    for (let i = from; i < to; i++) {
      if (i > from) piece += ",";
      piece += `[${times.text(timesMs[i] as number)},"${floatText(values[i] as number)}"]`;
    }
    yield piece;
  }
  yield "]";
}

function* encodeHistograms(
  { timesMs, values }: NonNullable<MatrixSeries["histograms"]>,
  times: TimeTexts,
): Generator<string> {
  if (values.length === 0) return;
  let separator = ',"histograms":[';
  for (let i = 0; i < values.length; i++) {
    const histogram = values[i];
    if (histogram) yield `${separator}[${times.text(timesMs[i] as number)},${histogramJson(histogram)}]`;
    separator = ",";
  }
  yield "]";
}

/** The fields of Prometheus' util/stats.NewQueryStats, in seconds. */
function statsJson(stats: QueryStats): string {
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
    samples: { totalQueryableSamples: stats.samplesTotal, peakSamples: stats.samplesPeak },
  });
}
