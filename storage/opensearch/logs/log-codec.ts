import { createHash } from "node:crypto";
import { type Attributes, attributeValue } from "@sightline/model/attributes.ts";
import type { Labels } from "@sightline/model/labels.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import { knownLokiLabelName } from "@sightline/model/loki-label-name.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import {
  approximateTextBytes,
  attributeColumns,
  attributesAt,
  type FlatAttributes,
  flatten,
  hasNested,
  unflatten,
} from "../rows/attribute-text.ts";
import { joinObjects } from "../rows/json-objects.ts";
import { originTokens } from "../rows/origin-fields.ts";
import { attributesOfRow, type RowAttributes, rowAttributes, searchContext } from "../rows/row-attributes.ts";
import type { RowCodec, RowOrigin } from "../rows/row-codec.ts";
import { joinTokens, TOKENS_FIELD, withToken } from "../rows/tokens.ts";
import { batchDigest } from "./batch-digest.ts";
import { labelTokens, type StreamFields, streamOfFields, streamRest } from "./stream-fields.ts";
import { hasLongWord, WORDS_ANALYSIS, WORDS_FIELD } from "./words.ts";

/** A log record by itself. */
export type LogRecord = {
  readonly timeNs: bigint;
  readonly observedNs: bigint;
  readonly stream: LogStream;
  readonly severity: number;
  readonly severityText: string;
  readonly body: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Attributes;
};

/** What a document has of the record, beside what every row has. Whatever is empty is left out. */
type LogFields = RowAttributes & {
  readonly observed_ns?: string;
  readonly message?: string;
  readonly severity?: number;
  readonly severity_text?: string;
  readonly trace_id?: string;
  readonly span_id?: string;
} & StreamSource;
/** What of a document says which stream it is of. */
export type StreamSource = { readonly stream_id: string } & (
  | StreamFields
  // Of streams that can't be read back from those, and in documents of earlier versions.
  | { readonly stream: string }
);
/** Fields of a document that {@link LogCodec.streamOfSource} needs. */
export const STREAM_SOURCE = ["stream", "stream_id", "stream_rest", "labels", "fields"];
type StreamText = readonly [
  labels: Labels,
  resource: FlatAttributes,
  scope: readonly [name: string, version: string, schemaUrl: string, attributes: FlatAttributes],
];

/** What is the same for all records of a stream. */
type KnownStream = {
  readonly text: string;
  /** Of the document. */
  readonly json: string;
  /** Joined. */
  readonly tokens: string;
  readonly isNested: boolean;
};

const KEYWORD = { type: "keyword" };
/** Found by its value, never sorted or counted by. */
const LOOK_UP = { type: "keyword", doc_values: false, ignore_above: 8_000 };
const WHOLE_MESSAGE = { type: "keyword", ignore_above: 256 };
const MAX_KNOWN_STREAMS = 20_000;
const MAX_LABEL_LENGTH = 1_000;

/**
 * Log records as documents. `labels` and `fields` have a token `name=value` for each index label and each attribute: with them
 * every attribute can be looked up, however many names there are, as one field of the index.
 */
export class LogCodec implements RowCodec<LogBatch, LogRecord> {
  readonly signal = "logs";
  readonly analysis = WORDS_ANALYSIS;
  readonly mapping: Readonly<Record<string, object>>;
  readonly origin: RowOrigin = {
    field: "stream_id",
    source: STREAM_SOURCE,
    labelsOf: (source) => this.streamOfSource(source as StreamSource).labels,
  };
  readonly #hasContext: boolean;
  readonly #knownStreams = new WeakMap<LogStream, KnownStream>();
  readonly #streamOfText = new Map<string, LogStream>();
  readonly #streamOfId = new Map<string, LogStream>();

  constructor({ search_context }: { readonly search_context: boolean }) {
    this.#hasContext = search_context;
    this.mapping = {
      service_id: KEYWORD,
      level: KEYWORD,
      severity: { type: "short", index: false },
      severity_text: { ...KEYWORD, ignore_above: 256 },
      message_bytes: { type: "integer", index: false },
      message: search_context ? { ...WORDS_FIELD, fields: { keyword: WHOLE_MESSAGE } } : WORDS_FIELD,
      long_words: { type: "boolean" },
      trace_id: LOOK_UP,
      span_id: LOOK_UP,
      stream_id: KEYWORD,
      labels: TOKENS_FIELD,
      fields: TOKENS_FIELD,
      own_labels: TOKENS_FIELD,
      nested: { type: "boolean" },
      ...(search_context && { context: { type: "flat_object" } }),
    };
  }

  timesOf(batch: LogBatch): BigInt64Array {
    return batch.timesNs;
  }

  refusal(): undefined {
    return undefined;
  }

  approximateBytes(batch: LogBatch): number {
    let bytes = batch.length * 100 + approximateTextBytes(batch.bodies);
    for (const { values } of batch.attributes) bytes += approximateTextBytes(values);
    return bytes;
  }

  rowAt(batch: LogBatch, row: number): LogRecord {
    return {
      timeNs: batch.timesNs[row] as bigint,
      observedNs: batch.observedNs[row] as bigint,
      stream: batch.streams[batch.streamRefs[row] as number] as LogStream,
      severity: batch.severities[row] as number,
      severityText: batch.severityTexts[row] as string,
      body: batch.bodies[row] as string,
      traceId: batch.traceIds[row] as string,
      spanId: batch.spanIds[row] as string,
      attributes: attributesAt(batch.attributes, row),
    };
  }

  jsonOf(record: LogRecord): string {
    const { observedNs, severity, severityText, body, traceId, spanId, attributes } = record;
    const { tokens, isNested, json } = this.#knownOf(record.stream);
    // Fields that are undefined do not come into the document.
    const own = {
      level: levelOf(severity, severityText),
      severity: severity || undefined,
      severity_text: severityText || undefined,
      observed_ns: observedNs === 0n ? undefined : String(observedNs),
      message: body || undefined,
      message_bytes: Buffer.byteLength(body),
      long_words: hasLongWord(body) || undefined,
      trace_id: traceId || undefined,
      span_id: spanId || undefined,
      ...rowAttributes(tokens, attributes),
      own_labels: ownLabels(attributes) || undefined,
      nested: isNested || hasNested(attributes) || undefined,
      context: this.#hasContext ? searchContext(attributes) : undefined,
    };
    return joinObjects(json, JSON.stringify(own));
  }

  rowOf(timeNs: bigint, fields: Readonly<Record<string, unknown>>): LogRecord {
    const document = fields as LogFields;
    const stream = this.streamOfSource(document);
    return {
      timeNs,
      observedNs: BigInt(document.observed_ns ?? 0),
      stream,
      severity: document.severity ?? 0,
      severityText: document.severity_text ?? "",
      body: document.message ?? "",
      traceId: document.trace_id ?? "",
      spanId: document.span_id ?? "",
      attributes: attributesOfRow(document, stream),
    };
  }

  batchOf(records: readonly LogRecord[]): LogBatch {
    const numbers = new Map<LogStream, number>();
    const streams: LogStream[] = [];
    const streamRefs = Uint32Array.from(records, ({ stream }) => {
      let number = numbers.get(stream);
      if (number === undefined) {
        // The same stream may be there as it came and as it was read.
        const one = this.streamOf(this.keyOf(stream));
        number = numbers.get(one) ?? streams.push(one) - 1;
        numbers.set(stream, number).set(one, number);
      }
      return number;
    });
    return {
      length: records.length,
      streams,
      streamRefs,
      timesNs: BigInt64Array.from(records, ({ timeNs }) => timeNs),
      observedNs: BigInt64Array.from(records, ({ observedNs }) => observedNs),
      severities: Uint8Array.from(records, ({ severity }) => severity),
      severityTexts: records.map(({ severityText }) => severityText),
      bodies: records.map(({ body }) => body),
      traceIds: records.map(({ traceId }) => traceId),
      spanIds: records.map(({ spanId }) => spanId),
      attributes: attributeColumns(records),
    };
  }

  /** A request that is sent again has the same one. */
  digestOf(tenant: TenantId, batch: LogBatch): string {
    return batchDigest(tenant, batch, (stream) => this.keyOf(stream));
  }

  /** The text that is equal for equal streams. */
  keyOf(stream: LogStream): string {
    return this.#knownOf(stream).text;
  }

  /** The same object for the same text, as long as there are not very many. */
  streamOf(text: string): LogStream {
    const known = this.#streamOfText.get(text);
    if (known) return known;
    const [labels, resource, [name, version, schemaUrl, attributes]] = JSON.parse(text) as StreamText;
    const scope = { name, version, schemaUrl, attributes: unflatten(attributes) };
    const stream: LogStream = { labels, resource: unflatten(resource), scope };
    if (this.#streamOfText.size >= MAX_KNOWN_STREAMS) this.#streamOfText.clear();
    this.#streamOfText.set(text, stream);
    return stream;
  }

  /** As {@link streamOf}, of any document of the stream. */
  streamOfSource(source: StreamSource): LogStream {
    if ("stream" in source) return this.streamOf(source.stream);
    const known = this.#streamOfId.get(source.stream_id);
    if (known) return known;
    const stream = this.streamOf(textOf(streamOfFields(source)));
    if (this.#streamOfId.size >= MAX_KNOWN_STREAMS) this.#streamOfId.clear();
    this.#streamOfId.set(source.stream_id, stream);
    return stream;
  }

  #knownOf(stream: LogStream): KnownStream {
    const known = this.#knownStreams.get(stream);
    if (known) return known;
    const { resource, scope } = stream;
    const text = textOf(stream);
    const service = attributeValue(resource, "service.name");
    const rest = streamRest(stream);
    const made: KnownStream = {
      text,
      json: JSON.stringify({
        stream_id: createHash("sha256").update(text).digest("base64url").slice(0, 22),
        service_id: service === "" ? undefined : service.slice(0, 1_000),
        labels: joinTokens(labelTokens(stream)),
        ...(rest ? { stream_rest: rest } : { stream: text }),
      }),
      tokens: joinTokens(originTokens(stream)),
      isNested: hasNested(resource) || hasNested(scope.attributes),
    };
    this.#knownStreams.set(stream, made);
    return made;
  }
}

function textOf({ labels, resource, scope }: LogStream): string {
  const { name, version, schemaUrl, attributes } = scope;
  const parts: StreamText = [labels, flatten(resource), [name, version, schemaUrl, flatten(attributes)]];
  return JSON.stringify(parts);
}

/** Names of the labels that the record's own attributes make, joined: by them it can't be counted where it is. */
function ownLabels(attributes: Attributes): string {
  let labels = "";
  for (const { name, value } of attributes) {
    const label = value === "" ? "" : knownLokiLabelName(name).slice(0, MAX_LABEL_LENGTH);
    if (label !== "") labels = withToken(labels, label);
  }
  return labels;
}

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"];

/** By the sender's own word, else by OpenTelemetry's ranges of numbers. */
function levelOf(severity: number, text: string): string | undefined {
  if (severity >= 1 && severity <= 24) return LEVELS[Math.floor((severity - 1) / 4)];
  return text === "" ? undefined : text.slice(0, 100).toLowerCase();
}
