import type { Rejection } from "@sightline/model/ports.ts";
import { Rejections } from "@sightline/model/rejections.ts";
import type { SpanBatch, SpanDropped, SpanEvent, SpanLink, SpanSource } from "@sightline/model/span-batch.ts";
import { BYTES, DEFAULT_MAX_DEPTH, FIXED32, FIXED64, VARINT, WireReader } from "../wire/reader.ts";
import { AttributeColumns } from "./attribute-columns.ts";
import { AnyValueReader, bufferOver } from "./attributes.ts";
import { countItems, EnvelopeWalker, type ItemVisitor } from "./envelope.ts";
import { IdReader } from "./ids.ts";
import type { RequestBounds } from "./object-budget.ts";
import { runSteps } from "./run-steps.ts";
import { SpanPartReader } from "./span-parts.ts";
import { TextCache } from "./text-cache.ts";
import { LAST_TIME_MESSAGE, TimeColumn } from "./time-column.ts";

/** Field tags of opentelemetry.proto.trace.v1.Span; 16 and above take two bytes. */
const TRACE_ID = (1 << 3) | BYTES;
const SPAN_ID = (2 << 3) | BYTES;
const TRACE_STATE = (3 << 3) | BYTES;
const PARENT_SPAN_ID = (4 << 3) | BYTES;
const NAME = (5 << 3) | BYTES;
const KIND = (6 << 3) | VARINT;
const START_TIME_UNIX_NANO = (7 << 3) | FIXED64;
const END_TIME_UNIX_NANO = (8 << 3) | FIXED64;
const ATTRIBUTES = (9 << 3) | BYTES;
const DROPPED_ATTRIBUTES_COUNT = (10 << 3) | VARINT;
const EVENTS = (11 << 3) | BYTES;
const DROPPED_EVENTS_COUNT = (12 << 3) | VARINT;
const LINKS = (13 << 3) | BYTES;
const DROPPED_LINKS_COUNT = (14 << 3) | VARINT;
const STATUS = (15 << 3) | BYTES;
const FLAGS = (16 << 3) | FIXED32;

const STATUS_MESSAGE = (2 << 3) | BYTES;
const STATUS_CODE = (3 << 3) | VARINT;

const MAX_KIND = 5;
const MAX_STATUS_CODE = 2;
const NOTHING_DROPPED: SpanDropped = { attributes: 0, events: 0, links: 0 };
const NAMES = { resources: "resource_spans", scopes: "scope_spans", items: "spans" };

/** Shared by all requests: what senders say often, they say in every request. */
const TEXTS = new TextCache();

/**
 * Decodes an ExportTraceServiceRequest. Throws `InvalidInputError` when it is not protobuf of that shape or has messages
 * nested deeper than `maxDepth`, `TooLargeError` when it holds more than one request may (object-budget.ts).
 *
 * - A span without a valid trace and span id (16 and 8 bytes, not all zero) is refused: nobody could find it. A parent
 *   id that is not valid means a root span; a link without valid ids is left out.
 * - A span that ends before it starts has the duration 0; one without a start starts when it ends, else at
 *   `receivedAtMs`. Times after 2262 refuse the span.
 * - Invalid UTF-8 becomes U+FFFD.
 */
export function decodeOtlpTraces(
  bytes: Uint8Array,
  receivedAtMs: number,
  bounds: RequestBounds = {},
): { batch: SpanBatch; rejected: readonly Rejection[] } {
  return runSteps(decodeOtlpTracesInSteps(bytes, receivedAtMs, bounds));
}

/** As {@link decodeOtlpTraces}, a little at each step: for large requests, between whose steps other work has its turn. */
export function* decodeOtlpTracesInSteps(
  bytes: Uint8Array,
  receivedAtMs: number,
  { maxDepth = DEFAULT_MAX_DEPTH, maxObjects }: RequestBounds = {},
): Generator<void, { batch: SpanBatch; rejected: readonly Rejection[] }> {
  const reader = new WireReader(bytes, "ExportTraceServiceRequest", { maxDepth });
  const rows = yield* countItems(reader, NAMES, maxObjects);
  reader.reset(bytes);
  const buffer = bufferOver(bytes);
  const values = new AnyValueReader(buffer, TEXTS, undefined, maxObjects);
  const walker = new EnvelopeWalker(NAMES, buffer, TEXTS, values);
  const spans = new Spans(rows, buffer, values, receivedAtMs);
  yield* walker.walk(reader, spans);
  return yield* spans.finish(walker.sources);
}

/** The columns of a batch while it is being read. */
class Spans implements ItemVisitor {
  readonly #buffer: Buffer;
  readonly #receivedNs: bigint;
  readonly #traceIdReader: IdReader;
  readonly #spanIdReader: IdReader;
  readonly #parentIdReader: IdReader;
  readonly #parts: SpanPartReader;
  readonly #rejections = new Rejections();
  readonly #sourceRefs: Uint32Array<ArrayBuffer>;
  readonly #traceIds: string[];
  readonly #spanIds: string[];
  readonly #parentSpanIds: string[];
  readonly #traceStates: string[];
  readonly #flags: Uint32Array<ArrayBuffer>;
  readonly #names: string[];
  readonly #kinds: Uint8Array<ArrayBuffer>;
  readonly #starts: TimeColumn;
  /** Holds the end while a span is being read. */
  readonly #durations: TimeColumn;
  readonly #statusCodes: Uint8Array<ArrayBuffer>;
  readonly #statusMessages: string[];
  readonly #attributes: AttributeColumns;
  readonly #events: (readonly SpanEvent[] | undefined)[];
  readonly #links: (readonly SpanLink[] | undefined)[];
  readonly #dropped: (SpanDropped | undefined)[];
  #row = 0;

  constructor(rows: number, buffer: Buffer, values: AnyValueReader, receivedAtMs: number) {
    this.#buffer = buffer;
    this.#receivedNs = BigInt(Math.trunc(receivedAtMs)) * 1_000_000n;
    this.#traceIdReader = new IdReader(buffer, 16);
    this.#spanIdReader = new IdReader(buffer, 8);
    this.#parentIdReader = new IdReader(buffer, 8);
    this.#parts = new SpanPartReader(buffer, TEXTS, values);
    this.#sourceRefs = new Uint32Array(rows);
    this.#traceIds = new Array<string>(rows).fill("");
    this.#spanIds = new Array<string>(rows).fill("");
    this.#parentSpanIds = new Array<string>(rows).fill("");
    this.#traceStates = new Array<string>(rows).fill("");
    this.#flags = new Uint32Array(rows);
    this.#names = new Array<string>(rows).fill("");
    this.#kinds = new Uint8Array(rows);
    this.#starts = new TimeColumn(rows);
    this.#durations = new TimeColumn(rows);
    this.#statusCodes = new Uint8Array(rows);
    this.#statusMessages = new Array<string>(rows).fill("");
    this.#attributes = new AttributeColumns(rows, buffer, TEXTS, values);
    this.#events = new Array(rows).fill(undefined);
    this.#links = new Array(rows).fill(undefined);
    this.#dropped = new Array(rows).fill(undefined);
  }

  readItem(reader: WireReader, sourceRef: number): void {
    const row = this.#row;
    this.#clear(row);
    let hasAllAttributes = true;
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      switch (tag) {
        case ATTRIBUTES:
          if (!this.#attributes.read(reader)) hasAllAttributes = false;
          break;
        case TRACE_ID:
          this.#traceIds[row] = this.#id(reader, this.#traceIdReader);
          break;
        case SPAN_ID:
          this.#spanIds[row] = this.#id(reader, this.#spanIdReader);
          break;
        case PARENT_SPAN_ID:
          this.#parentSpanIds[row] = this.#id(reader, this.#parentIdReader);
          break;
        case TRACE_STATE:
          this.#traceStates[row] = this.#text(reader);
          break;
        case NAME:
          this.#names[row] = this.#text(reader);
          break;
        case KIND: {
          const kind = reader.uint32();
          this.#kinds[row] = kind <= MAX_KIND ? kind : 0;
          break;
        }
        case START_TIME_UNIX_NANO:
          this.#starts.read(reader, row);
          break;
        case END_TIME_UNIX_NANO:
          this.#durations.read(reader, row);
          break;
        case EVENTS:
          this.#events[row] = this.#parts.addEvent(reader, this.#events[row]);
          break;
        case LINKS:
          this.#links[row] = this.#parts.addLink(reader, this.#links[row]);
          break;
        case DROPPED_ATTRIBUTES_COUNT:
          this.#drop(row, "attributes", reader.uint32());
          break;
        case DROPPED_EVENTS_COUNT:
          this.#drop(row, "events", reader.uint32());
          break;
        case DROPPED_LINKS_COUNT:
          this.#drop(row, "links", reader.uint32());
          break;
        case STATUS:
          this.#readStatus(reader, row);
          break;
        case FLAGS:
          this.#flags[row] = reader.fixed32();
          break;
        default:
          reader.skip(tag);
      }
    }
    this.#sourceRefs[row] = sourceRef;
    if (!hasAllAttributes) {
      this.#rejections.add("limit", () => this.#attributes.limitMessage);
    } else if (this.#isValid(row)) {
      this.#row++;
      return;
    }
    this.#attributes.abandonRow();
  }

  /** A row may hold what was read of a refused span. */
  #clear(row: number): void {
    this.#attributes.startRow(row);
    this.#traceIds[row] = "";
    this.#spanIds[row] = "";
    this.#parentSpanIds[row] = "";
    this.#traceStates[row] = "";
    this.#flags[row] = 0;
    this.#names[row] = "";
    this.#kinds[row] = 0;
    this.#starts.clear(row);
    this.#durations.clear(row);
    this.#statusCodes[row] = 0;
    this.#statusMessages[row] = "";
    this.#events[row] = undefined;
    this.#links[row] = undefined;
    this.#dropped[row] = undefined;
  }

  #drop(row: number, kind: keyof SpanDropped, count: number): void {
    if (count > 0) this.#dropped[row] = { ...(this.#dropped[row] ?? NOTHING_DROPPED), [kind]: count };
  }

  /** Completes the row's times. Counts a refusal when the span can't be kept. */
  #isValid(row: number): boolean {
    const starts = this.#starts;
    const ends = this.#durations;
    if (this.#traceIds[row] === "") return this.#refuse(row, "trace_id is not 16 bytes, or is all zero");
    if (this.#spanIds[row] === "") return this.#refuse(row, "span_id is not 8 bytes, or is all zero");
    if (starts.isAfterLast(row)) return this.#refuse(row, `start_time_unix_nano ${LAST_TIME_MESSAGE}`);
    if (ends.isAfterLast(row)) return this.#refuse(row, `end_time_unix_nano ${LAST_TIME_MESSAGE}`);
    if (starts.isZero(row)) {
      if (ends.isZero(row)) starts.set(row, this.#receivedNs);
      else starts.copy(row, ends);
    }
    ends.subtract(row, starts);
    return true;
  }

  #refuse(row: number, problem: string): false {
    this.#rejections.add("invalid", () => `span ${JSON.stringify(this.#names[row]?.slice(0, 100))}: ${problem}`);
    return false;
  }

  #readStatus(reader: WireReader, row: number): void {
    const outer = reader.enter("status");
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === STATUS_CODE) {
        const code = reader.uint32();
        this.#statusCodes[row] = code <= MAX_STATUS_CODE ? code : 0;
      } else if (tag === STATUS_MESSAGE) this.#statusMessages[row] = this.#text(reader);
      else reader.skip(tag);
    }
    reader.leave(outer);
  }

  #id(reader: WireReader, ids: IdReader): string {
    const length = reader.skipBytes();
    return ids.read(reader.pos - length, reader.pos);
  }

  #text(reader: WireReader): string {
    const length = reader.skipBytes();
    return TEXTS.text(this.#buffer, reader.pos - length, reader.pos);
  }

  *finish(sources: readonly SpanSource[]): Generator<void, { batch: SpanBatch; rejected: readonly Rejection[] }> {
    const length = this.#row;
    const columns: unknown[][] = [
      this.#traceIds,
      this.#spanIds,
      this.#parentSpanIds,
      this.#traceStates,
      this.#names,
      this.#statusMessages,
      this.#events,
      this.#links,
      this.#dropped,
    ];
    for (const column of columns) column.length = length;
    const batch: SpanBatch = {
      length,
      sources,
      sourceRefs: this.#sourceRefs.subarray(0, length),
      traceIds: this.#traceIds,
      spanIds: this.#spanIds,
      parentSpanIds: this.#parentSpanIds,
      traceStates: this.#traceStates,
      flags: this.#flags.subarray(0, length),
      names: this.#names,
      kinds: this.#kinds.subarray(0, length),
      startsNs: this.#starts.finish(length),
      durationsNs: this.#durations.finish(length),
      statusCodes: this.#statusCodes.subarray(0, length),
      statusMessages: this.#statusMessages,
      attributes: yield* this.#attributes.finish(length),
      events: this.#events,
      links: this.#links,
      ...(this.#dropped.some((dropped) => dropped !== undefined) && { dropped: this.#dropped }),
    };
    return { batch, rejected: this.#rejections.list() };
  }
}
