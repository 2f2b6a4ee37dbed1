import { createHash } from "node:crypto";
import { type Attributes, attributeValue } from "@sightline/model/attributes.ts";
import type { SpanBatch, SpanDropped, SpanEvent, SpanLink, SpanSource } from "@sightline/model/span-batch.ts";
import {
  approximateTextBytes,
  attributeColumns,
  attributesAt,
  type FlatAttributes,
  flatten,
  unflatten,
} from "../rows/attribute-text.ts";
import { joinObjects } from "../rows/json-objects.ts";
import { type OriginRest, originOf, originRest, originTokens } from "../rows/origin-fields.ts";
import { attributesOfRow, type RowAttributes, rowAttributes, searchContext } from "../rows/row-attributes.ts";
import type { RowCodec, RowOrigin } from "../rows/row-codec.ts";
import { joinTokens, TOKENS_FIELD } from "../rows/tokens.ts";
import { isSpanId, isTraceId } from "./hex-ids.ts";
import { type EventText, eventOfText, eventText, type LinkText, linkOfText, linkText } from "./span-parts.ts";

/** A span by itself; `timeNs` is its start. */
export type Span = {
  readonly timeNs: bigint;
  readonly source: SpanSource;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly flags: number;
  readonly name: string;
  readonly kind: number;
  readonly durationNs: bigint;
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
  readonly dropped: SpanDropped | undefined;
};

/** What a document has of the span, beside what every row has. Whatever is empty is left out. */
type SpanFields = RowAttributes & {
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_span_id?: string;
  readonly trace_state?: string;
  readonly flags?: number;
  readonly name?: string;
  readonly kind?: number;
  readonly duration_ns: string;
  readonly status_code?: number;
  readonly status_message?: string;
  readonly events?: readonly EventText[];
  readonly links?: readonly LinkText[];
  readonly dropped?: readonly [attributes: number, events: number, links: number];
} & SourceFields;
/** What of a document says which source it is of. */
type SourceFields =
  | { readonly source_id: string; readonly source_rest: OriginRest; readonly resource_schema_url?: string }
  // Of sources that can't be read back from those, and in documents of earlier versions, which have no id.
  | { readonly source_id?: string; readonly source: string };
type SourceText = readonly [
  resource: FlatAttributes,
  resourceSchemaUrl: string,
  scope: readonly [name: string, version: string, schemaUrl: string, attributes: FlatAttributes],
];
/** What is the same for all spans of a source. */
type KnownSource = {
  /** Of the document. */
  readonly json: string;
  /** Joined. */
  readonly tokens: string;
};

const KEYWORD = { type: "keyword", ignore_above: 8_000 };
const LOOK_UP = { ...KEYWORD, doc_values: false };
/** Fields of a document that say which source it is of. */
const SOURCE_FIELDS = ["source", "source_id", "source_rest", "resource_schema_url", "fields"];
const MAX_KNOWN_SOURCES = 20_000;

/** Spans as documents; `fields` has a token `name=value` for each attribute of span, resource and scope. */
export class SpanCodec implements RowCodec<SpanBatch, Span> {
  readonly signal = "traces";
  readonly analysis = { tokenizer: {}, analyzer: {} };
  readonly mapping: Readonly<Record<string, object>>;
  readonly origin: RowOrigin = {
    field: "source_id",
    source: SOURCE_FIELDS,
    labelsOf: (source) => this.#sourceOf(source as SpanFields).resource.map(({ name, value }) => [name, value]),
  };
  readonly #hasContext: boolean;
  readonly #knownSources = new WeakMap<SpanSource, KnownSource>();
  /** By the whole text, or by the id that is made of it. */
  readonly #sources = new Map<string, SpanSource>();

  constructor({ search_context }: { readonly search_context: boolean }) {
    this.#hasContext = search_context;
    this.mapping = {
      trace_id: LOOK_UP,
      span_id: LOOK_UP,
      parent_span_id: LOOK_UP,
      service_id: KEYWORD,
      source_id: { type: "keyword" },
      name: KEYWORD,
      kind: { type: "byte" },
      duration_ns: { type: "long" },
      status_code: { type: "byte" },
      fields: TOKENS_FIELD,
      ...(search_context && { context: { type: "flat_object" } }),
    };
  }

  timesOf(batch: SpanBatch): BigInt64Array {
    return batch.startsNs;
  }

  refusal({ traceIds, spanIds }: SpanBatch, row: number): string | undefined {
    const traceId = traceIds[row] as string;
    const spanId = spanIds[row] as string;
    if (!isTraceId(traceId)) return `trace id ${JSON.stringify(traceId)} is not 32 hex digits, not all zero`;
    if (!isSpanId(spanId)) return `span id ${JSON.stringify(spanId)} is not 16 hex digits, not all zero`;
    return undefined;
  }

  approximateBytes(batch: SpanBatch): number {
    let bytes = batch.length * 200 + approximateTextBytes(batch.names) + approximateTextBytes(batch.statusMessages);
    for (const { values } of batch.attributes) bytes += approximateTextBytes(values);
    for (const list of [...batch.events, ...batch.links]) {
      for (const { attributes } of list ?? []) {
        bytes += 200 + approximateTextBytes(attributes.map(({ value }) => value));
      }
    }
    return bytes;
  }

  rowAt(batch: SpanBatch, row: number): Span {
    return {
      timeNs: batch.startsNs[row] as bigint,
      source: batch.sources[batch.sourceRefs[row] as number] as SpanSource,
      traceId: batch.traceIds[row] as string,
      spanId: batch.spanIds[row] as string,
      parentSpanId: batch.parentSpanIds[row] as string,
      traceState: batch.traceStates[row] as string,
      flags: batch.flags[row] as number,
      name: batch.names[row] as string,
      kind: batch.kinds[row] as number,
      durationNs: batch.durationsNs[row] as bigint,
      statusCode: batch.statusCodes[row] as number,
      statusMessage: batch.statusMessages[row] as string,
      attributes: attributesAt(batch.attributes, row),
      events: batch.events[row] ?? [],
      links: batch.links[row] ?? [],
      dropped: batch.dropped?.[row],
    };
  }

  jsonOf(span: Span): string {
    const { events, links, dropped, attributes } = span;
    const { tokens, json } = this.#knownOf(span.source);
    // Fields that are undefined do not come into the document.
    const own = {
      trace_id: span.traceId,
      span_id: span.spanId,
      duration_ns: String(span.durationNs),
      // Zero, too: services are counted by it.
      kind: span.kind,
      name: span.name,
      parent_span_id: span.parentSpanId || undefined,
      trace_state: span.traceState || undefined,
      flags: span.flags || undefined,
      status_code: span.statusCode || undefined,
      status_message: span.statusMessage || undefined,
      ...rowAttributes(tokens, attributes),
      context: this.#hasContext ? searchContext(attributes) : undefined,
      events: events.length > 0 ? events.map(eventText) : undefined,
      links: links.length > 0 ? links.map(linkText) : undefined,
      dropped: dropped && [dropped.attributes, dropped.events, dropped.links],
    };
    return joinObjects(json, JSON.stringify(own));
  }

  rowOf(timeNs: bigint, fields: Readonly<Record<string, unknown>>): Span {
    const document = fields as unknown as SpanFields;
    const { dropped } = document;
    const source = this.#sourceOf(document);
    return {
      timeNs,
      source,
      traceId: document.trace_id,
      spanId: document.span_id,
      parentSpanId: document.parent_span_id ?? "",
      traceState: document.trace_state ?? "",
      flags: document.flags ?? 0,
      name: document.name ?? "",
      kind: document.kind ?? 0,
      durationNs: BigInt(document.duration_ns),
      statusCode: document.status_code ?? 0,
      statusMessage: document.status_message ?? "",
      attributes: attributesOfRow(document, source),
      events: (document.events ?? []).map(eventOfText),
      links: (document.links ?? []).map(linkOfText),
      dropped: dropped && { attributes: dropped[0], events: dropped[1], links: dropped[2] },
    };
  }

  batchOf(spans: readonly Span[]): SpanBatch {
    const numbers = new Map<SpanSource, number>();
    const sourceRefs = Uint32Array.from(spans, ({ source }) => {
      const number = numbers.get(source) ?? numbers.size;
      numbers.set(source, number);
      return number;
    });
    return {
      length: spans.length,
      sources: [...numbers.keys()],
      sourceRefs,
      traceIds: spans.map(({ traceId }) => traceId),
      spanIds: spans.map(({ spanId }) => spanId),
      parentSpanIds: spans.map(({ parentSpanId }) => parentSpanId),
      traceStates: spans.map(({ traceState }) => traceState),
      flags: Uint32Array.from(spans, ({ flags }) => flags),
      names: spans.map(({ name }) => name),
      kinds: Uint8Array.from(spans, ({ kind }) => kind),
      startsNs: BigInt64Array.from(spans, ({ timeNs }) => timeNs),
      durationsNs: BigInt64Array.from(spans, ({ durationNs }) => durationNs),
      statusCodes: Uint8Array.from(spans, ({ statusCode }) => statusCode),
      statusMessages: spans.map(({ statusMessage }) => statusMessage),
      attributes: attributeColumns(spans),
      events: spans.map(({ events }) => (events.length > 0 ? events : undefined)),
      links: spans.map(({ links }) => (links.length > 0 ? links : undefined)),
      ...(spans.some(({ dropped }) => dropped) && { dropped: spans.map(({ dropped }) => dropped) }),
    };
  }

  /** The same object for the same source, as long as there are not very many. */
  #sourceOf(document: SpanFields): SpanSource {
    const key = "source" in document ? document.source : document.source_id;
    const known = this.#sources.get(key);
    if (known) return known;
    const source = "source" in document ? sourceOfText(document.source) : sourceOfFields(document.fields, document);
    if (this.#sources.size >= MAX_KNOWN_SOURCES) this.#sources.clear();
    this.#sources.set(key, source);
    return source;
  }

  #knownOf(source: SpanSource): KnownSource {
    const known = this.#knownSources.get(source);
    if (known) return known;
    const service = attributeValue(source.resource, "service.name");
    const made: KnownSource = {
      json: JSON.stringify({ ...sourceFields(source), service_id: service === "" ? undefined : service }),
      tokens: joinTokens(originTokens(source)),
    };
    this.#knownSources.set(source, made);
    return made;
  }
}

function sourceFields(source: SpanSource): SourceFields {
  const { resource, scope, resourceSchemaUrl } = source;
  const { name, version, schemaUrl, attributes } = scope;
  const parts: SourceText = [flatten(resource), resourceSchemaUrl, [name, version, schemaUrl, flatten(attributes)]];
  const text = JSON.stringify(parts);
  const rest = originRest(source);
  const source_id = createHash("sha256").update(text).digest("base64url").slice(0, 22);
  if (!rest) return { source_id, source: text };
  return {
    source_id,
    source_rest: rest,
    ...(resourceSchemaUrl !== "" && { resource_schema_url: resourceSchemaUrl }),
  };
}

function sourceOfFields(
  fields: SpanFields["fields"],
  { source_rest, resource_schema_url = "" }: Extract<SourceFields, { readonly source_rest: OriginRest }>,
): SpanSource {
  return { ...originOf(fields, source_rest), resourceSchemaUrl: resource_schema_url };
}

function sourceOfText(text: string): SpanSource {
  const [resource, resourceSchemaUrl, [name, version, schemaUrl, attributes]] = JSON.parse(text) as SourceText;
  return {
    resource: unflatten(resource),
    scope: { name, version, schemaUrl, attributes: unflatten(attributes) },
    resourceSchemaUrl,
  };
}
