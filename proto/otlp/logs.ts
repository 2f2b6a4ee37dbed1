import { LazyLogBatch } from "@sightline/model/lazy-log-batch.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type { Rejection } from "@sightline/model/ports.ts";
import { Rejections } from "@sightline/model/rejections.ts";
import { Utf8Texts } from "@sightline/model/utf8-texts.ts";
import { BYTES, DEFAULT_MAX_DEPTH, FIXED32, FIXED64, VARINT, WireReader } from "../wire/reader.ts";
import { AttributeColumns } from "./attribute-columns.ts";
import { AnyValueReader, bufferOver } from "./attributes.ts";
import { BodyColumn } from "./body-column.ts";
import { countItems, EnvelopeWalker, type ItemVisitor } from "./envelope.ts";
import { IdReader } from "./ids.ts";
import { lokiStreamLabels } from "./loki-stream.ts";
import type { RequestBounds } from "./object-budget.ts";
import { runSteps } from "./run-steps.ts";
import { TextCache } from "./text-cache.ts";
import { LAST_TIME_MESSAGE, TimeColumn } from "./time-column.ts";

/** Field tags of opentelemetry.proto.logs.v1.LogRecord. */
const TIME_UNIX_NANO = (1 << 3) | FIXED64;
const SEVERITY_NUMBER = (2 << 3) | VARINT;
const SEVERITY_TEXT = (3 << 3) | BYTES;
const BODY = (5 << 3) | BYTES;
const ATTRIBUTES = (6 << 3) | BYTES;
const DROPPED_ATTRIBUTES_COUNT = (7 << 3) | VARINT;
const FLAGS = (8 << 3) | FIXED32;
const TRACE_ID = (9 << 3) | BYTES;
const SPAN_ID = (10 << 3) | BYTES;
const OBSERVED_TIME_UNIX_NANO = (11 << 3) | FIXED64;
const EVENT_NAME = (12 << 3) | BYTES;

const MAX_SEVERITY = 24;
const NAMES = { resources: "resource_logs", scopes: "scope_logs", items: "log_records" };

/** Shared by all requests: what senders say often, they say in every request. */
const TEXTS = new TextCache();

/**
 * Decodes an ExportLogsServiceRequest. Throws `InvalidInputError` when it is not protobuf of that shape or has messages
 * nested deeper than `maxDepth`, `TooLargeError` when it holds more than one request may (object-budget.ts).
 *
 * - Time is that of the event, else the observed one, else `receivedAtMs`; a time after 2262 refuses the record. The
 *   observed time is kept beside that of the event, up to 2262.
 * - A body that is no string is kept in the text form of model/attributes.ts.
 * - Ids of a wrong length or all zero mean "none". Invalid UTF-8 becomes U+FFFD.
 * - `event_name`, and `flags` and `dropped_attributes_count` where not 0, are kept as the attributes `event.name`,
 *   `flags` and `dropped_attributes_count`.
 */
export function decodeOtlpLogs(
  bytes: Uint8Array,
  receivedAtMs: number,
  bounds: RequestBounds = {},
): { batch: LogBatch; rejected: readonly Rejection[] } {
  return runSteps(decodeOtlpLogsInSteps(bytes, receivedAtMs, bounds));
}

/** As {@link decodeOtlpLogs}, a little at each step: for large requests, between whose steps other work has its turn. */
export function* decodeOtlpLogsInSteps(
  bytes: Uint8Array,
  receivedAtMs: number,
  { maxDepth = DEFAULT_MAX_DEPTH, maxObjects }: RequestBounds = {},
): Generator<void, { batch: LogBatch; rejected: readonly Rejection[] }> {
  const reader = new WireReader(bytes, "ExportLogsServiceRequest", { maxDepth });
  const rows = yield* countItems(reader, NAMES, maxObjects);
  reader.reset(bytes);
  const buffer = bufferOver(bytes);
  const values = new AnyValueReader(buffer, TEXTS, "sorted", maxObjects);
  const walker = new EnvelopeWalker(NAMES, buffer, TEXTS, values);
  const records = new LogRecords(rows, buffer, values, receivedAtMs);
  yield* walker.walk(reader, records);
  const streams = walker.sources.map(
    ({ resource, scope }): LogStream => ({ labels: lokiStreamLabels(resource), resource, scope }),
  );
  return yield* records.finish(streams);
}

/** The columns of a batch while it is being read. */
class LogRecords implements ItemVisitor {
  readonly #buffer: Buffer;
  readonly #receivedNs: bigint;
  readonly #traceIdReader: IdReader;
  readonly #spanIdReader: IdReader;
  readonly #rejections = new Rejections();
  readonly #streamRefs: Uint32Array<ArrayBuffer>;
  readonly #times: TimeColumn;
  readonly #observed: TimeColumn;
  readonly #severities: Uint8Array<ArrayBuffer>;
  readonly #severityTexts: string[];
  readonly #bodies: BodyColumn;
  readonly #traceIds: string[];
  readonly #spanIds: string[];
  readonly #attributes: AttributeColumns;
  #row = 0;

  constructor(rows: number, buffer: Buffer, values: AnyValueReader, receivedAtMs: number) {
    this.#buffer = buffer;
    this.#receivedNs = BigInt(Math.trunc(receivedAtMs)) * 1_000_000n;
    this.#traceIdReader = new IdReader(buffer, 16);
    this.#spanIdReader = new IdReader(buffer, 8);
    this.#streamRefs = new Uint32Array(rows);
    this.#times = new TimeColumn(rows);
    this.#observed = new TimeColumn(rows);
    this.#severities = new Uint8Array(rows);
    this.#severityTexts = new Array<string>(rows).fill("");
    this.#bodies = new BodyColumn(rows, buffer, values);
    this.#traceIds = new Array<string>(rows).fill("");
    this.#spanIds = new Array<string>(rows).fill("");
    this.#attributes = new AttributeColumns(rows, buffer, TEXTS, values);
  }

  readItem(reader: WireReader, sourceRef: number): void {
    const row = this.#row;
    const attributes = this.#attributes;
    attributes.startRow(row);
    let severity = 0;
    let severityText = "";
    let traceId = "";
    let spanId = "";
    let eventName = "";
    let flags = 0;
    let dropped = 0;
    let hasAllAttributes = true;
    this.#bodies.clear(row);
    this.#times.clear(row);
    this.#observed.clear(row);
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      switch (tag) {
        case ATTRIBUTES:
          if (!attributes.read(reader)) hasAllAttributes = false;
          break;
        case TIME_UNIX_NANO:
          this.#times.read(reader, row);
          break;
        case OBSERVED_TIME_UNIX_NANO:
          this.#observed.read(reader, row);
          break;
        case SEVERITY_NUMBER:
          severity = reader.uint32();
          break;
        case SEVERITY_TEXT:
          severityText = this.#text(reader);
          break;
        case BODY: {
          const outer = reader.enter("body");
          this.#bodies.read(reader, row);
          reader.leave(outer);
          break;
        }
        case TRACE_ID: {
          const length = reader.skipBytes();
          traceId = this.#traceIdReader.read(reader.pos - length, reader.pos);
          break;
        }
        case SPAN_ID: {
          const length = reader.skipBytes();
          spanId = this.#spanIdReader.read(reader.pos - length, reader.pos);
          break;
        }
        case EVENT_NAME:
          eventName = this.#text(reader);
          break;
        case FLAGS:
          flags = reader.fixed32();
          break;
        case DROPPED_ATTRIBUTES_COUNT:
          dropped = reader.uint32();
          break;
        default:
          reader.skip(tag);
      }
    }
    if (eventName !== "" && !attributes.has("event.name")) {
      hasAllAttributes = attributes.set("event.name", "string", eventName) && hasAllAttributes;
    }
    if (flags !== 0) hasAllAttributes = attributes.set("flags", "int", String(flags)) && hasAllAttributes;
    if (dropped !== 0) {
      hasAllAttributes = attributes.set("dropped_attributes_count", "int", String(dropped)) && hasAllAttributes;
    }
    if (!hasAllAttributes || !this.#completeTimes(row)) {
      attributes.abandonRow();
      if (hasAllAttributes)
        this.#rejections.add("invalid", () => `time_unix_nano of a log record ${LAST_TIME_MESSAGE}`);
      else this.#rejections.add("limit", () => attributes.limitMessage);
      return;
    }
    this.#streamRefs[row] = sourceRef;
    this.#severities[row] = severity <= MAX_SEVERITY ? severity : 0;
    this.#severityTexts[row] = severityText;
    this.#traceIds[row] = traceId;
    this.#spanIds[row] = spanId;
    this.#row++;
  }

  /** False when the record's time can't be kept. */
  #completeTimes(row: number): boolean {
    const times = this.#times;
    const observed = this.#observed;
    if (times.isAfterLast(row)) return false;
    if (observed.isAfterLast(row)) observed.clear(row);
    if (!times.isZero(row)) return true;
    if (observed.isZero(row)) times.set(row, this.#receivedNs);
    else times.copy(row, observed);
    observed.clear(row);
    return true;
  }

  #text(reader: WireReader): string {
    const length = reader.skipBytes();
    return TEXTS.text(this.#buffer, reader.pos - length, reader.pos);
  }

  *finish(streams: readonly LogStream[]): Generator<void, { batch: LogBatch; rejected: readonly Rejection[] }> {
    const length = this.#row;
    for (const column of [this.#severityTexts, this.#traceIds, this.#spanIds]) column.length = length;
    const fields = {
      length,
      streams,
      streamRefs: this.#streamRefs.subarray(0, length),
      timesNs: this.#times.finish(length),
      observedNs: this.#observed.finish(length),
      severities: this.#severities.subarray(0, length),
      severityTexts: this.#severityTexts,
      traceIds: this.#traceIds,
      spanIds: this.#spanIds,
      attributes: yield* this.#attributes.finish(length),
    };
    const bodies = yield* this.#bodies.finish(length);
    const batch = bodies instanceof Utf8Texts ? new LazyLogBatch(fields, bodies) : { ...fields, bodies };
    return { batch, rejected: this.#rejections.list() };
  }
}
