import type { SpanEvent, SpanLink } from "@sightline/model/span-batch.ts";
import { BYTES, FIXED32, FIXED64, VARINT, type WireReader } from "../wire/reader.ts";
import { type AnyValueReader, AttributeList } from "./attributes.ts";
import { IdReader } from "./ids.ts";
import type { TextCache } from "./text-cache.ts";

/** Field tags of opentelemetry.proto.trace.v1.Span.Event and Span.Link. */
const EVENT_TIME_UNIX_NANO = (1 << 3) | FIXED64;
const EVENT_NAME = (2 << 3) | BYTES;
const EVENT_ATTRIBUTES = (3 << 3) | BYTES;
const EVENT_DROPPED_ATTRIBUTES_COUNT = (4 << 3) | VARINT;
const LINK_TRACE_ID = (1 << 3) | BYTES;
const LINK_SPAN_ID = (2 << 3) | BYTES;
const LINK_TRACE_STATE = (3 << 3) | BYTES;
const LINK_ATTRIBUTES = (4 << 3) | BYTES;
const LINK_DROPPED_ATTRIBUTES_COUNT = (5 << 3) | VARINT;
const LINK_FLAGS = (6 << 3) | FIXED32;

/** Reads the parts of spans that few spans have, and that are objects therefore. */
export class SpanPartReader {
  readonly #buffer: Buffer;
  readonly #texts: TextCache;
  readonly #values: AnyValueReader;
  readonly #traceIds: IdReader;
  readonly #spanIds: IdReader;

  constructor(buffer: Buffer, texts: TextCache, values: AnyValueReader) {
    this.#buffer = buffer;
    this.#texts = texts;
    this.#values = values;
    this.#traceIds = new IdReader(buffer, 16);
    this.#spanIds = new IdReader(buffer, 8);
  }

  /** Reads the event field whose tag was just read and returns the list with it: a new one or `events` itself. */
  addEvent(reader: WireReader, events: readonly SpanEvent[] | undefined): readonly SpanEvent[] {
    this.#values.budget.spend();
    const outer = reader.enter("events");
    let timeNs = 0n;
    let name = "";
    let dropped = 0;
    const attributes = new AttributeList();
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      // An event's time beyond what can be kept is no reason to refuse the span.
      if (tag === EVENT_TIME_UNIX_NANO) timeNs = clampTime(reader.fixed64());
      else if (tag === EVENT_NAME) name = this.#text(reader);
      else if (tag === EVENT_ATTRIBUTES) this.#addAttribute(reader, attributes);
      else if (tag === EVENT_DROPPED_ATTRIBUTES_COUNT) dropped = reader.uint32();
      else reader.skip(tag);
    }
    reader.leave(outer);
    const event = { timeNs, name, attributes: attributes.finish() };
    return append(events, dropped === 0 ? event : { ...event, droppedAttributes: dropped });
  }

  /** As {@link addEvent}; a link without valid ids leads nowhere and is left out. */
  addLink(reader: WireReader, links: readonly SpanLink[] | undefined): readonly SpanLink[] | undefined {
    this.#values.budget.spend();
    const outer = reader.enter("links");
    let traceId = "";
    let spanId = "";
    let traceState = "";
    let flags = 0;
    let dropped = 0;
    const attributes = new AttributeList();
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === LINK_TRACE_ID) traceId = this.#id(reader, this.#traceIds);
      else if (tag === LINK_SPAN_ID) spanId = this.#id(reader, this.#spanIds);
      else if (tag === LINK_TRACE_STATE) traceState = this.#text(reader);
      else if (tag === LINK_ATTRIBUTES) this.#addAttribute(reader, attributes);
      else if (tag === LINK_DROPPED_ATTRIBUTES_COUNT) dropped = reader.uint32();
      else if (tag === LINK_FLAGS) flags = reader.fixed32();
      else reader.skip(tag);
    }
    reader.leave(outer);
    if (traceId === "" || spanId === "") return links;
    return append(links, {
      traceId,
      spanId,
      traceState,
      attributes: attributes.finish(),
      ...(flags !== 0 && { flags }),
      ...(dropped !== 0 && { droppedAttributes: dropped }),
    });
  }

  #addAttribute(reader: WireReader, attributes: AttributeList): void {
    const outer = reader.enter("attributes");
    attributes.add(this.#values.readKeyValue(reader));
    reader.leave(outer);
  }

  #id(reader: WireReader, ids: IdReader): string {
    const length = reader.skipBytes();
    return ids.read(reader.pos - length, reader.pos);
  }

  #text(reader: WireReader): string {
    const length = reader.skipBytes();
    return this.#texts.text(this.#buffer, reader.pos - length, reader.pos);
  }
}

function append<T>(list: readonly T[] | undefined, item: T): readonly T[] {
  if (!list) return [item];
  // The list is ours until the batch is handed out.
  (list as T[]).push(item);
  return list;
}

const LAST_TIME_NS = 2n ** 63n - 1n;

function clampTime(timeNs: bigint): bigint {
  return timeNs > LAST_TIME_NS ? LAST_TIME_NS : timeNs;
}
