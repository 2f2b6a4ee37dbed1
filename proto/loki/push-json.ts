import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Label } from "@sightline/model/labels.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { Rejection } from "@sightline/model/ports.ts";
import type { RequestBounds } from "../otlp/object-budget.ts";
import { PushRecords } from "./push-records.ts";
import { PushWriter } from "./push-writer.ts";
import { parseStreamLabels } from "./stream-labels.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** What is told of a push request, stream by stream; labels as they are or as text. */
type PushSink = {
  startStream(labels: readonly Label[] | string): void;
  add(timeNs: bigint, line: string, metadata: readonly Label[]): void;
};

/**
 * Decodes a push request in JSON: `{"streams":[{"stream":{…},"values":[["ns","line",{…}],…]}]}` (Loki's pkg/loghttp), and
 * the form of the old path, `{"streams":[{"labels":"{…}","entries":[{"ts":"RFC 3339","line":"…"}]}]}`. Throws
 * `InvalidInputError` that names the place, `TooLargeError` when it holds more than one request may.
 */
export function decodeLokiPushJson(
  bytes: Uint8Array,
  receivedAtMs: number,
  bounds: RequestBounds = {},
): { batch: LogBatch; rejected: readonly Rejection[] } {
  const streams = streamsOf(bytes);
  const rows = streams.reduce((sum, stream, i) => sum + entriesOf(stream, `streams[${i}]`).length, 0);
  const records = new PushRecords(rows, receivedAtMs, bounds);
  readStreams(streams, {
    startStream: (labels) => records.startStream(typeof labels === "string" ? parseStreamLabels(labels) : labels),
    add: (timeNs, line, metadata) => records.add(timeNs, line, metadata),
  });
  return records.finish();
}

/**
 * Such a request as a logproto.PushRequest, which says the same and can be read a little at a time. Throws
 * `InvalidInputError` that names the place; whether labels that come as text are some, and whether it is too much, is
 * for whoever reads it.
 */
export function lokiPushJsonToProtobuf(bytes: Uint8Array): Uint8Array {
  const writer = new PushWriter(bytes.length);
  readStreams(streamsOf(bytes), writer);
  return writer.finish();
}

function streamsOf(bytes: Uint8Array): readonly JsonObject[] {
  const streams = list(object(parse(bytes), "the body").streams, "streams");
  return streams.map((stream, i) => object(stream, `streams[${i}]`));
}

function readStreams(streams: readonly JsonObject[], sink: PushSink): void {
  for (const [i, stream] of streams.entries()) {
    const place = `streams[${i}]`;
    sink.startStream(labelsOf(stream, place));
    for (const [j, entry] of entriesOf(stream, place).entries()) addEntry(entry, () => `${place}, entry ${j}`, sink);
  }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
  } catch (cause) {
    throw new InvalidInputError(`the body is not JSON: ${(cause as Error).message}`, { cause });
  }
}

function entriesOf(stream: JsonObject, place: string): readonly unknown[] {
  return list(stream.values ?? stream.entries, `${place}.values`);
}

function labelsOf({ stream, labels }: JsonObject, place: string): readonly Label[] | string {
  if (typeof labels === "string") return labels;
  return pairs(object(stream ?? {}, `${place}.stream`), () => `${place}.stream`);
}

function addEntry(entry: unknown, place: () => string, sink: PushSink): void {
  if (Array.isArray(entry)) {
    const [time, line, metadata] = entry as unknown[];
    if (typeof time !== "string" || !/^-?\d{1,19}$/.test(time)) {
      throw new InvalidInputError(`${place()}: the timestamp must be a string of nanoseconds`);
    }
    sink.add(BigInt(time), text(line, place), metadata === undefined ? [] : metadataOf(metadata, place));
    return;
  }
  const { ts, line, structuredMetadata } = object(entry, place);
  sink.add(rfc3339Ns(ts, place), text(line, place), metadataOf(structuredMetadata ?? {}, place));
}

/** The third element of an entry: names and values, or, as an answer to a query has it, these one level down. */
function metadataOf(value: unknown, place: () => string): readonly Label[] {
  const { structuredMetadata, parsed, ...rest } = object(value, place);
  if (typeof structuredMetadata === "object") return pairs(object(structuredMetadata, place), place);
  return pairs(
    {
      ...rest,
      ...(structuredMetadata === undefined ? {} : { structuredMetadata }),
      ...(parsed === undefined || typeof parsed === "object" ? {} : { parsed }),
    },
    place,
  );
}

function pairs(value: JsonObject, place: () => string): Label[] {
  return Object.entries(value).map(([name, item]) => {
    if (typeof item === "string") return [name, item];
    if (typeof item === "number" || typeof item === "boolean") return [name, String(item)];
    throw new InvalidInputError(`${place()}: the value of ${JSON.stringify(name.slice(0, 100))} must be a string`);
  });
}

/** Go's time.RFC3339Nano, whose fraction Date would cut to milliseconds. */
function rfc3339Ns(value: unknown, place: () => string): bigint {
  const match =
    typeof value === "string"
      ? /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/.exec(value)
      : null;
  const ms = match ? Date.parse(`${match[1]}${match[3]}`) : Number.NaN;
  if (Number.isNaN(ms)) throw new InvalidInputError(`${place()}: ts must be a time such as 2026-01-02T15:04:05.123Z`);
  return BigInt(ms) * 1_000_000n + BigInt((match?.[2] ?? "").padEnd(9, "0"));
}

function text(value: unknown, place: () => string): string {
  if (typeof value === "string") return value;
  throw new InvalidInputError(`${place()}: the line must be a string`);
}

function object(value: unknown, place: string | (() => string)): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new InvalidInputError(`${typeof place === "string" ? place : place()} must be an object`);
}

function list(value: unknown, place: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new InvalidInputError(`${place} must be a list`);
}
