import type { Attribute, Attributes, Scope } from "@sightline/model/attributes.ts";
import type { SpanEvent, SpanLink } from "@sightline/model/span-batch.ts";
import { isJsonMap, type JsonAttribute, parseJsonAttribute } from "../http/json-attribute.ts";
import { Turn } from "../http/turn.ts";
import { ProtobufWriter } from "../protobuf/protobuf-writer.ts";
import { type ResourceSpans, type ScopeSpans, type SpanRow, spanAttributes } from "./trace-tree.ts";

/** How many spans are written before others get a turn. */
const SPANS_PER_TURN = 100;

/** A trace as opentelemetry.proto.trace.v1.TracesData, which is tempopb.Trace. Gives way to others on the way. */
export async function encodeTrace(resources: readonly ResourceSpans[]): Promise<Buffer> {
  const writer = new ProtobufWriter();
  const turn = new Turn();
  for (const resource of resources) writer.bytes(1, await encodeResourceSpans(resource, turn));
  return writer.finish();
}

/** tempopb.TraceByIDResponse around {@link encodeTrace}. */
export function encodeTraceByIdResponse(trace: Uint8Array): Buffer {
  const writer = new ProtobufWriter();
  writer.bytes(1, trace);
  return writer.finish();
}

async function encodeResourceSpans({ resource, schemaUrl, scopes }: ResourceSpans, turn: Turn): Promise<Buffer> {
  const writer = new ProtobufWriter();
  writer.message(1, () => writeAttributes(writer, 1, resource));
  for (const scope of scopes) writer.bytes(2, await encodeScopeSpans(scope, turn));
  writeString(writer, 3, schemaUrl);
  return writer.finish();
}

async function encodeScopeSpans({ scope, spans }: ScopeSpans, turn: Turn): Promise<Buffer> {
  const writer = new ProtobufWriter();
  writer.message(1, () => writeScope(writer, scope));
  for (const [i, span] of spans.entries()) {
    writer.message(2, () => writeSpan(writer, span));
    if (i % SPANS_PER_TURN === 0) await turn.rest();
  }
  writeString(writer, 3, scope.schemaUrl);
  return writer.finish();
}

function writeScope(writer: ProtobufWriter, { name, version, attributes }: Scope): void {
  writeString(writer, 1, name);
  writeString(writer, 2, version);
  writeAttributes(writer, 3, attributes);
}

function writeSpan(writer: ProtobufWriter, span: SpanRow): void {
  const { batch, row } = span;
  const startNs = batch.startsNs[row] as bigint;
  writeId(writer, 1, batch.traceIds[row]);
  writeId(writer, 2, batch.spanIds[row]);
  writeString(writer, 3, batch.traceStates[row]);
  writeId(writer, 4, batch.parentSpanIds[row]);
  writeString(writer, 5, batch.names[row]);
  const kind = batch.kinds[row] as number;
  if (kind !== 0) writer.uint32(6, kind);
  writer.fixed64(7, startNs);
  writer.fixed64(8, startNs + (batch.durationsNs[row] as bigint));
  const dropped = batch.dropped?.[row];
  writeAttributes(writer, 9, spanAttributes(span));
  writeCount(writer, 10, dropped?.attributes);
  for (const event of batch.events[row] ?? []) writer.message(11, () => writeEvent(writer, event));
  writeCount(writer, 12, dropped?.events);
  for (const link of batch.links[row] ?? []) writer.message(13, () => writeLink(writer, link));
  writeCount(writer, 14, dropped?.links);
  writer.message(15, () => {
    writeString(writer, 2, batch.statusMessages[row]);
    const code = batch.statusCodes[row] as number;
    if (code !== 0) writer.uint32(3, code);
  });
  const flags = batch.flags[row] as number;
  if (flags !== 0) writer.fixed32(16, flags);
}

function writeEvent(writer: ProtobufWriter, { timeNs, name, attributes, droppedAttributes }: SpanEvent): void {
  writer.fixed64(1, timeNs);
  writeString(writer, 2, name);
  writeAttributes(writer, 3, attributes);
  writeCount(writer, 4, droppedAttributes);
}

function writeLink(writer: ProtobufWriter, link: SpanLink): void {
  writeId(writer, 1, link.traceId);
  writeId(writer, 2, link.spanId);
  writeString(writer, 3, link.traceState);
  writeAttributes(writer, 4, link.attributes);
  writeCount(writer, 5, link.droppedAttributes);
  if (link.flags) writer.fixed32(6, link.flags);
}

function writeCount(writer: ProtobufWriter, field: number, count: number | undefined): void {
  if (count) writer.uint32(field, count);
}

function writeString(writer: ProtobufWriter, field: number, value: string | undefined): void {
  if (value) writer.string(field, value);
}

function writeId(writer: ProtobufWriter, field: number, hex: string | undefined): void {
  if (hex) writer.bytes(field, Buffer.from(hex, "hex"));
}

function writeAttributes(writer: ProtobufWriter, field: number, attributes: Attributes): void {
  for (const attribute of attributes) {
    writer.message(field, () => {
      writer.string(1, attribute.name);
      writer.message(2, () => writeAttributeValue(writer, attribute));
    });
  }
}

function writeAttributeValue(writer: ProtobufWriter, { type, value }: Attribute): void {
  switch (type) {
    case "string":
      writer.string(1, value);
      break;
    case "bool":
      writer.bool(2, value === "true");
      break;
    case "int":
      writer.int64(3, BigInt(value));
      break;
    case "double":
      writer.double(4, Number(value));
      break;
    case "bytes":
      writer.bytes(7, Buffer.from(value, "base64"));
      break;
    case "json":
      writeJson(writer, parseJsonAttribute(value));
  }
}

function writeJson(writer: ProtobufWriter, value: JsonAttribute): void {
  if (typeof value === "string") writer.string(1, value);
  else if (typeof value === "boolean") writer.bool(2, value);
  else if (typeof value === "bigint") writer.int64(3, value);
  else if (typeof value === "number") writer.double(4, value);
  else if (isJsonMap(value)) {
    writer.message(6, () => {
      for (const [key, inner] of Object.entries(value)) {
        writer.message(1, () => {
          writer.string(1, key);
          writer.message(2, () => writeJson(writer, inner));
        });
      }
    });
  } else if (value !== null) {
    writer.message(5, () => {
      for (const inner of value as readonly JsonAttribute[]) writer.message(1, () => writeJson(writer, inner));
    });
  }
}
