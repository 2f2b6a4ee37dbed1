import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Label } from "@sightline/model/labels.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { Rejection } from "@sightline/model/ports.ts";
import type { RequestBounds } from "../otlp/object-budget.ts";
import { PushRecords } from "./push-records.ts";
import { parseStreamLabels } from "./stream-labels.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Decodes a push request in JSON: `{"streams":[{"stream":{…},"values":[["ns","line",{…}],…]}]}` (Loki's pkg/loghttp), and
 * the form of the old path, `{"streams":[{"labels":"{…}","entries":[{"ts":"RFC 3339","line":"…"}]}]}`. Throws
 * `InvalidInputError` that names the place, `TooLargeError` when it holds more than one request may.
 */
export function decodeLokiPushJson(
  bytes: Uint8Array,
  receivedAtMs: number,
  bounds: RequestBounds = {},
): { batch: LogBatch; rejected: Rejection[] } {
  const streams = list(object(parse(bytes), "the body").streams, "streams");
  let rows = 0;
  for (const [i, stream] of streams.entries())
    rows += entriesOf(object(stream, `streams[${i}]`), `streams[${i}]`).length;
  const records = new PushRecords(rows, receivedAtMs, bounds);
  for (const [i, value] of streams.entries()) {
    const stream = value as JsonObject;
    const place = `streams[${i}]`;
    records.startStream(labelsOf(stream, place));
    for (const [j, entry] of entriesOf(stream, place).entries()) addEntry(entry, () => `${place}, entry ${j}`, records);
  }
  return records.finish();
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

function labelsOf({ stream, labels }: JsonObject, place: string): readonly Label[] {
  if (typeof labels === "string") return parseStreamLabels(labels);
  return pairs(object(stream ?? {}, `${place}.stream`), () => `${place}.stream`);
}

function addEntry(entry: unknown, place: () => string, records: PushRecords): void {
  if (Array.isArray(entry)) {
    const [time, line, metadata] = entry as unknown[];
    if (typeof time !== "string" || !/^-?\d{1,19}$/.test(time)) {
      throw new InvalidInputError(`${place()}: the timestamp must be a string of nanoseconds`);
    }
    records.add(BigInt(time), text(line, place), metadata === undefined ? [] : metadataOf(metadata, place));
    return;
  }
  const { ts, line, structuredMetadata } = object(entry, place);
  records.add(rfc3339Ns(ts, place), text(line, place), metadataOf(structuredMetadata ?? {}, place));
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
