import type { Attribute, Attributes, Scope } from "@sightline/model/attributes.ts";
import type { SpanEvent, SpanLink } from "@sightline/model/span-batch.ts";
import { isJsonMap, type JsonAttribute, parseJsonAttribute } from "../http/json-attribute.ts";
import { type ResourceSpans, type SpanRow, spanAttributes } from "./trace-tree.ts";

const KINDS = [
  undefined,
  "SPAN_KIND_INTERNAL",
  "SPAN_KIND_SERVER",
  "SPAN_KIND_CLIENT",
  "SPAN_KIND_PRODUCER",
  "SPAN_KIND_CONSUMER",
];
const STATUS_CODES = [undefined, "STATUS_CODE_OK", "STATUS_CODE_ERROR"];

/**
 * A list of `ResourceSpans` as Tempo writes them: protobuf's JSON, not OTLP's, so ids are base64 and enumerations
 * names. Default values are left out. Piece by piece, a span at a time.
 */
export function* encodeResourceSpansJson(resources: readonly ResourceSpans[]): Generator<string> {
  yield "[";
  for (const [i, { resource, schemaUrl, scopes }] of resources.entries()) {
    yield `${i === 0 ? "" : ","}{"resource":${JSON.stringify({ attributes: attributesJson(resource) })},"scopeSpans":[`;
    for (const [j, { scope, spans }] of scopes.entries()) {
      yield `${j === 0 ? "" : ","}{"scope":${JSON.stringify(scopeJson(scope))},"spans":[`;
      for (const [k, span] of spans.entries()) yield (k === 0 ? "" : ",") + JSON.stringify(spanJson(span));
      yield `]${schemaUrlJson(scope.schemaUrl)}}`;
    }
    yield `]${schemaUrlJson(schemaUrl)}}`;
  }
  yield "]";
}

function schemaUrlJson(schemaUrl: string): string {
  return schemaUrl === "" ? "" : `,"schemaUrl":${JSON.stringify(schemaUrl)}`;
}

function scopeJson({ name, version, attributes }: Scope) {
  return { name: name || undefined, version: version || undefined, attributes: attributesJson(attributes) };
}

function spanJson(span: SpanRow) {
  const { batch, row } = span;
  const startNs = batch.startsNs[row] as bigint;
  const dropped = batch.dropped?.[row];
  return {
    traceId: base64Id(batch.traceIds[row]),
    spanId: base64Id(batch.spanIds[row]),
    traceState: batch.traceStates[row] || undefined,
    parentSpanId: base64Id(batch.parentSpanIds[row]),
    flags: batch.flags[row] || undefined,
    name: batch.names[row] || undefined,
    kind: KINDS[batch.kinds[row] as number],
    startTimeUnixNano: String(startNs),
    endTimeUnixNano: String(startNs + (batch.durationsNs[row] as bigint)),
    attributes: attributesJson(spanAttributes(span)),
    droppedAttributesCount: dropped?.attributes || undefined,
    events: nonEmpty((batch.events[row] ?? []).map(eventJson)),
    droppedEventsCount: dropped?.events || undefined,
    links: nonEmpty((batch.links[row] ?? []).map(linkJson)),
    droppedLinksCount: dropped?.links || undefined,
    status: {
      message: batch.statusMessages[row] || undefined,
      code: STATUS_CODES[batch.statusCodes[row] as number],
    },
  };
}

function eventJson({ timeNs, name, attributes, droppedAttributes }: SpanEvent) {
  return {
    timeUnixNano: String(timeNs),
    name: name || undefined,
    attributes: attributesJson(attributes),
    droppedAttributesCount: droppedAttributes,
  };
}

function linkJson({ traceId, spanId, traceState, attributes, flags, droppedAttributes }: SpanLink) {
  return {
    traceId: base64Id(traceId),
    spanId: base64Id(spanId),
    traceState: traceState || undefined,
    attributes: attributesJson(attributes),
    droppedAttributesCount: droppedAttributes,
    flags,
  };
}

function base64Id(hex: string | undefined): string | undefined {
  return hex ? Buffer.from(hex, "hex").toString("base64") : undefined;
}

function nonEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

function attributesJson(attributes: Attributes) {
  return nonEmpty(attributes.map((attribute) => ({ key: attribute.name, value: attributeValueJson(attribute) })));
}

function attributeValueJson({ type, value }: Attribute): object {
  switch (type) {
    case "string":
      return { stringValue: value };
    case "bool":
      return { boolValue: value === "true" };
    case "int":
      return { intValue: value };
    case "double":
      return { doubleValue: doubleJson(Number(value)) };
    case "bytes":
      return { bytesValue: value };
    case "json":
      return anyValueJson(parseJsonAttribute(value));
  }
}

/** JSON has no NaN and no infinities: protobuf's mapping writes their names. */
function doubleJson(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

function anyValueJson(value: JsonAttribute): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "bigint") return { intValue: String(value) };
  if (typeof value === "number") return { doubleValue: doubleJson(value) };
  if (value === null) return {};
  if (isJsonMap(value)) {
    const values = Object.entries(value).map(([key, inner]) => ({ key, value: anyValueJson(inner) }));
    return { kvlistValue: { values: nonEmpty(values) } };
  }
  return { arrayValue: { values: nonEmpty((value as readonly JsonAttribute[]).map(anyValueJson)) } };
}
