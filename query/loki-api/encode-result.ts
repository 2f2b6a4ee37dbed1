import type { Labels } from "@sightline/model/labels.ts";
import { labelsJson, mergedLabelsJson } from "../http/labels-json.ts";
import { timeText } from "../http/time-text.ts";
import type { LogEntry, LogqlResult, LogqlValue } from "../logql/result.ts";
import { formatFloat } from "../promql/format/format-float.ts";
import { type EncodingFlags, flagsJson, wantsCategories } from "./encoding-flags.ts";
import { statsJson } from "./stats-json.ts";

/**
 * The body of a successful query, piece by piece, as Loki's pkg/util/marshal writes it. With that flag a stream is
 * named by its own labels and each entry carries the others apart; without, they are all labels of the stream.
 */
export function* encodeLogqlResult(result: LogqlResult, flags: EncodingFlags = new Set()): Generator<string> {
  const { value } = result;
  // Grafana reads this as a stream: it must know the flags before the result.
  yield `{"status":"success","data":{"resultType":"${value.type}"${flagsJson(flags)},"result":`;
  yield* encodeValue(value, wantsCategories(flags));
  yield `,"stats":${statsJson(result)}}}\n`;
}

function* encodeValue(value: LogqlValue, categorize: boolean): Generator<string> {
  switch (value.type) {
    case "streams":
      yield* encodeStreams(value.entries, categorize);
      return;
    case "scalar":
    case "string":
      yield pointJson(value.timeMs, Number(value.value));
      return;
    case "vector":
      yield "[";
      for (const [i, { labels, timeMs, value: sample }] of value.samples.entries()) {
        yield `${i === 0 ? "" : ","}{"metric":${labelsJson(labels)},"value":${pointJson(timeMs, sample)}}`;
      }
      yield "]";
      return;
    case "matrix":
      yield "[";
      for (const [i, { labels, timesMs, values }] of value.series.entries()) {
        yield `${i === 0 ? "" : ","}{"metric":${labelsJson(labels)},"values":[`;
        for (let j = 0; j < timesMs.length; j++) {
          yield (j === 0 ? "" : ",") + pointJson(timesMs[j] as number, values[j] as number);
        }
        yield "]}";
      }
      yield "]";
  }
}

function pointJson(timeMs: number, value: number): string {
  return `[${timeText(timeMs)},"${formatFloat(value)}"]`;
}

/** The value of `streams`, piece by piece. */
export function encodeStreams(entries: readonly LogEntry[], categorize: boolean): Generator<string> {
  return encodeGroups(byStream(entries, categorize), categorize);
}

/**
 * The same with the entries in the order they have, as a tail shows them: a stream is there again when entries of others
 * are in between.
 */
export function encodeStreamsInOrder(entries: readonly LogEntry[], categorize: boolean): Generator<string> {
  return encodeGroups(runsOfStreams(entries, categorize), categorize);
}

function* encodeGroups(groups: readonly [string, LogEntry[]][], categorize: boolean): Generator<string> {
  yield "[";
  let separator = "";
  for (const [labels, lines] of groups) {
    yield `${separator}{"stream":${labels},"values":[`;
    for (const [i, entry] of lines.entries()) {
      yield `${i === 0 ? "" : ","}["${entry.timeNs}",${JSON.stringify(entry.line)}${categorize ? categories(entry) : ""}]`;
    }
    yield "]}";
    separator = ",";
  }
  yield "]";
}

/** Loki leaves an empty category out, and always writes the object. */
function categories({ metadata, parsed }: LogEntry): string {
  const fields: string[] = [];
  if (metadata.length > 0) fields.push(`"structuredMetadata":${labelsJson(metadata)}`);
  if (parsed.length > 0) fields.push(`"parsed":${labelsJson(parsed)}`);
  return `,{${fields.join(",")}}`;
}

/** The labels of streams as JSON, and their entries in the order they had; streams in the order of their labels. */
function byStream(entries: readonly LogEntry[], categorize: boolean): [string, LogEntry[]][] {
  const streams = new Map<string, LogEntry[]>();
  const labelsOf = streamNames(categorize);
  for (const entry of entries) {
    const labels = labelsOf(entry);
    const stream = streams.get(labels);
    if (stream) stream.push(entry);
    else streams.set(labels, [entry]);
  }
  return [...streams].sort(([a], [b]) => (a < b ? -1 : 1));
}

function runsOfStreams(entries: readonly LogEntry[], categorize: boolean): [string, LogEntry[]][] {
  const runs: [string, LogEntry[]][] = [];
  const labelsOf = streamNames(categorize);
  for (const entry of entries) {
    const labels = labelsOf(entry);
    const last = runs.at(-1);
    if (last?.[0] === labels) last[1].push(entry);
    else runs.push([labels, [entry]]);
  }
  return runs;
}

/** What names the stream of an entry: its labels as JSON. */
function streamNames(categorize: boolean): (entry: LogEntry) => string {
  const ofStream = new Map<Labels, string>();
  return ({ stream, metadata, parsed }) => {
    if (!categorize) return mergedLabelsJson(stream, metadata, parsed);
    const labels = ofStream.get(stream) ?? labelsJson(stream);
    ofStream.set(stream, labels);
    return labels;
  };
}
