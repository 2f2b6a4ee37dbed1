import { type Labels, labelsFrom, labelsKey } from "@sightline/model/labels.ts";
import { labelsJson } from "../http/labels-json.ts";
import { timeText } from "../http/time-text.ts";
import type { LogEntry, LogqlResult, LogqlValue } from "../logql/result.ts";
import { formatFloat } from "../promql/format/format-float.ts";
import { statsJson } from "./stats-json.ts";

/**
 * The body of a successful query, piece by piece, as Loki's pkg/util/marshal writes it. With `categorize` a stream is
 * named by its own labels and each entry carries the others apart; without, they are all labels of the stream.
 */
export function* encodeLogqlResult(result: LogqlResult, categorize: boolean): Generator<string> {
  const { value } = result;
  // Grafana reads this as a stream: it must know the flags before the result.
  const flags = categorize ? ',"encodingFlags":["categorize-labels"]' : "";
  yield `{"status":"success","data":{"resultType":"${value.type}"${flags},"result":`;
  yield* encodeValue(value, categorize);
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

type Stream = { readonly labels: Labels; readonly entries: LogEntry[] };

function* encodeStreams(entries: readonly LogEntry[], categorize: boolean): Generator<string> {
  yield "[";
  let separator = "";
  for (const { labels, entries: lines } of byStream(entries, categorize)) {
    yield `${separator}{"stream":${labelsJson(labels)},"values":[`;
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

/** Streams in the order of their labels, as Loki has them; entries keep their order. */
function byStream(entries: readonly LogEntry[], categorize: boolean): Stream[] {
  const streams = new Map<string, Stream>();
  for (const entry of entries) {
    const labels = categorize ? entry.stream : labelsFrom([...entry.stream, ...entry.metadata, ...entry.parsed]);
    const key = labelsKey(labels);
    const stream = streams.get(key);
    if (stream) stream.entries.push(entry);
    else streams.set(key, { labels, entries: [entry] });
  }
  return [...streams].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, stream]) => stream);
}
