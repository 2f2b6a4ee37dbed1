import type { Attribute, Attributes } from "@sightline/model/attributes.ts";
import type { SpanBatch, SpanEvent, SpanLink } from "@sightline/model/span-batch.ts";
import { type ResourceSpans, type SpanRow, spanAttributes, traceTree } from "../tempo-api/trace-tree.ts";

/**
 * Spans in the JSON of Jaeger's UI (internal/uimodel), translated from OTLP as the OpenTelemetry specification's
 * "OpenTelemetry to Jaeger" and the collector's pkg/translator/jaeger do.
 */

type Tag = { readonly key: string; readonly type: string; readonly value: unknown };
type Reference = { readonly refType: string; readonly traceID: string; readonly spanID: string };

const SERVICE_NAME = "service.name";
const KINDS = [undefined, "internal", "server", "client", "producer", "consumer"];
const NS_PER_US = 1_000n;
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** One element of `data`, piece by piece, a span at a time. */
export function* encodeJaegerTrace(traceId: string, batches: readonly SpanBatch[]): Generator<string> {
  const processes: string[] = [];
  yield `{"traceID":"${jaegerTraceId(traceId)}","spans":[`;
  let separator = "";
  for (const { resource, scopes } of mergeResources(traceTree(batches))) {
    processes.push(`"p${processes.length + 1}":${JSON.stringify(processJson(resource))}`);
    const processID = `p${processes.length}`;
    for (const { scope, spans } of scopes) {
      const scopeTags: Tag[] = [];
      if (scope.name !== "") scopeTags.push(stringTag("otel.scope.name", scope.name));
      if (scope.version !== "") scopeTags.push(stringTag("otel.scope.version", scope.version));
      for (const span of spans) {
        yield separator + JSON.stringify(spanJson(span, scopeTags, processID));
        separator = ",";
      }
    }
  }
  yield `],"processes":{${processes.join(",")}},"warnings":null}`;
}

/** Jaeger knows no schema URLs: resources that differ in nothing else are one process. */
function mergeResources(resources: readonly ResourceSpans[]): Pick<ResourceSpans, "resource" | "scopes">[] {
  const merged = new Map<string, { resource: Attributes; scopes: ResourceSpans["scopes"] }>();
  for (const { resource, scopes } of resources) {
    const key = JSON.stringify(resource);
    const known = merged.get(key);
    merged.set(key, { resource, scopes: known ? [...known.scopes, ...scopes] : scopes });
  }
  return [...merged.values()];
}

function spanJson(span: SpanRow, scopeTags: readonly Tag[], processID: string) {
  const { batch, row } = span;
  return {
    traceID: jaegerTraceId(batch.traceIds[row] as string),
    spanID: batch.spanIds[row] as string,
    operationName: batch.names[row] as string,
    references: references(span),
    startTime: Number((batch.startsNs[row] as bigint) / NS_PER_US),
    duration: Number((batch.durationsNs[row] as bigint) / NS_PER_US),
    tags: [...scopeTags, ...spanAttributes(span).map(tag), ...fieldTags(span)],
    logs: (batch.events[row] ?? []).map(logJson),
    processID,
    warnings: null,
  };
}

/** The parent comes first, as a CHILD_OF unless a link to it says otherwise; then the links. */
function references({ batch, row }: SpanRow): Reference[] {
  const traceId = batch.traceIds[row] as string;
  const parentId = batch.parentSpanIds[row] as string;
  const list: Reference[] = [];
  if (parentId !== "") list.push(reference("CHILD_OF", traceId, parentId));
  for (const link of batch.links[row] ?? []) {
    const linked = reference(refType(link), link.traceId, link.spanId);
    if (parentId !== "" && link.traceId === traceId && link.spanId === parentId) list[0] = linked;
    else list.push(linked);
  }
  return list;
}

function reference(type: string, traceId: string, spanID: string): Reference {
  return { refType: type, traceID: jaegerTraceId(traceId), spanID };
}

function refType({ attributes }: SpanLink): string {
  const named = attributes.find(({ name }) => name === "opentracing.ref_type");
  return named?.value === "child_of" ? "CHILD_OF" : "FOLLOWS_FROM";
}

/** Fields of an OpenTelemetry span that Jaeger has only tags for. */
function fieldTags({ batch, row }: SpanRow): Tag[] {
  const tags: Tag[] = [];
  const kind = KINDS[batch.kinds[row] as number];
  if (kind !== undefined) tags.push(stringTag("span.kind", kind));
  const status = batch.statusCodes[row] as number;
  if (status === 1) tags.push(stringTag("otel.status_code", "OK"));
  if (status === 2) {
    tags.push(stringTag("otel.status_code", "ERROR"), { key: "error", type: "bool", value: true });
  }
  const message = batch.statusMessages[row];
  if (message) tags.push(stringTag("otel.status_description", message));
  const traceState = batch.traceStates[row];
  if (traceState) tags.push(stringTag("w3c.tracestate", traceState));
  return tags;
}

function logJson({ timeNs, name, attributes }: SpanEvent) {
  const fields = attributes.map(tag);
  const named = attributes.some((attribute) => attribute.name === "event");
  return {
    timestamp: Number(timeNs / NS_PER_US),
    fields: name === "" || named ? fields : [stringTag("event", name), ...fields],
  };
}

function processJson(resource: Attributes) {
  const name = resource.find((attribute) => attribute.name === SERVICE_NAME);
  const serviceName = name ? name.value || "empty-service-name" : "missing-service-name";
  return { serviceName, tags: resource.filter((attribute) => attribute !== name).map(tag) };
}

function stringTag(key: string, value: string): Tag {
  return { key, type: "string", value };
}

function tag({ name, type, value }: Attribute): Tag {
  switch (type) {
    case "bool":
      return { key: name, type: "bool", value: value === "true" };
    case "int":
      return { key: name, type: "int64", value: safeInteger(value) };
    case "double":
      return { key: name, type: "float64", value: finite(Number(value)) };
    case "bytes":
      return { key: name, type: "binary", value };
    default:
      return stringTag(name, value);
  }
}

/** JavaScript, where the UI lives, counts exactly to 2^53 only: beyond, Jaeger gives the digits as text. */
function safeInteger(text: string): number | string {
  const value = BigInt(text);
  return value <= MAX_SAFE && value >= -MAX_SAFE ? Number(value) : text;
}

function finite(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** Jaeger drops the upper half of a trace id when it is zero. */
export function jaegerTraceId(traceId: string): string {
  return traceId.startsWith("0000000000000000") ? traceId.slice(16) : traceId;
}
