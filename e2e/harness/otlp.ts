import { ProtobufWriter } from "./protobuf-writer.ts";

export const SIGNALS = ["metrics", "logs", "traces"] as const;
export type OtlpSignal = (typeof SIGNALS)[number];

export const GRPC_METHODS: Readonly<Record<OtlpSignal, string>> = {
  metrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
  logs: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
  traces: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
};

/** Writes the value of an attribute: just its AnyValue fields. */
export type WriteValue = (writer: ProtobufWriter) => void;
export type AttributeList = Readonly<Record<string, string | number | boolean | WriteValue>>;
export type Gauge = {
  readonly name: string;
  readonly points: readonly { readonly timeNs: bigint; readonly value: number; readonly attributes?: AttributeList }[];
};
export type LogRecord = {
  readonly timeNs: bigint;
  readonly body: string | Uint8Array;
  readonly attributes?: AttributeList;
  readonly traceId?: Uint8Array;
  readonly spanId?: Uint8Array;
};
export type Span = {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId?: Uint8Array;
  readonly name: string | Uint8Array;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes?: AttributeList;
};

function writeAttribute(writer: ProtobufWriter, field: number, key: string, value: AttributeList[string]): void {
  writer.message(field, () => {
    writer.string(1, key).message(2, () => {
      if (typeof value === "string") writer.string(1, value);
      else if (typeof value === "boolean") writer.varint(2, value ? 1 : 0);
      else if (typeof value === "number") Number.isInteger(value) ? writer.varint(3, value) : writer.double(4, value);
      else value(writer);
    });
  });
}

function writeAttributes(writer: ProtobufWriter, field: number, attributes: AttributeList = {}): void {
  for (const [key, value] of Object.entries(attributes)) writeAttribute(writer, field, key, value);
}

/** Export…ServiceRequest with one resource and one scope; `items` writes the scope's fields 2. */
function encodeRequest(service: string, items: (writer: ProtobufWriter) => void): Buffer {
  const writer = new ProtobufWriter();
  writer.message(1, () => {
    writer.message(1, () => writeAttributes(writer, 1, { "service.name": service, "service.instance.id": "one" }));
    writer.message(2, () => {
      writer.message(1, () => writer.string(1, "e2e"));
      items(writer);
    });
  });
  return writer.finish();
}

export function encodeGauges(service: string, gauges: readonly Gauge[]): Buffer {
  return encodeRequest(service, (writer) => {
    for (const { name, points } of gauges) {
      writer.message(2, () => {
        writer.string(1, name).message(5, () => {
          for (const { timeNs, value, attributes } of points) {
            writer.message(1, () => {
              writer.fixed64(3, timeNs).double(4, value);
              writeAttributes(writer, 7, attributes);
            });
          }
        });
      });
    }
  });
}

export function encodeLogs(service: string, records: readonly LogRecord[]): Buffer {
  return encodeRequest(service, (writer) => {
    for (const record of records) {
      writer.message(2, () => {
        writer.fixed64(1, record.timeNs).varint(2, 9).string(3, "INFO");
        writer.message(5, () =>
          typeof record.body === "string" ? writer.string(1, record.body) : writer.bytes(1, record.body),
        );
        writeAttributes(writer, 6, record.attributes);
        if (record.traceId) writer.bytes(9, record.traceId);
        if (record.spanId) writer.bytes(10, record.spanId);
        writer.fixed64(11, record.timeNs);
      });
    }
  });
}

export function encodeSpans(service: string, spans: readonly Span[]): Buffer {
  return encodeRequest(service, (writer) => {
    for (const span of spans) {
      writer.message(2, () => {
        writer.bytes(1, span.traceId).bytes(2, span.spanId);
        if (span.parentSpanId) writer.bytes(4, span.parentSpanId);
        if (typeof span.name === "string") writer.string(5, span.name);
        else writer.bytes(5, span.name);
        writer.varint(6, 2).fixed64(7, span.startNs).fixed64(8, span.endNs);
        writeAttributes(writer, 9, span.attributes);
      });
    }
  });
}

/** AnyValue arrays in each other, `depth` deep: built from the inside, as a writer of nested calls would overflow. */
export function nestedValue(depth: number): WriteValue {
  let value: Buffer = new ProtobufWriter().string(1, "core").finish();
  for (let i = 0; i < depth; i++) {
    const list = new ProtobufWriter().bytes(1, value).finish();
    value = new ProtobufWriter().bytes(5, list).finish();
  }
  return (writer) => writer.raw(value);
}

/** The count and the message of an Export…ServiceResponse's partial success, in protobuf. */
export function readPartialSuccess(body: Uint8Array): { rejected: number; message: string } {
  const outer = readFields(body).get(1);
  if (!(outer instanceof Uint8Array)) return { rejected: 0, message: "" };
  const inner = readFields(outer);
  const message = inner.get(2);
  return {
    rejected: Number(inner.get(1) ?? 0),
    message: message instanceof Uint8Array ? Buffer.from(message).toString() : "",
  };
}

/** The message of a google.rpc.Status in protobuf. */
export function readStatusMessage(body: Uint8Array): string {
  const message = readFields(body).get(2);
  return message instanceof Uint8Array ? Buffer.from(message).toString() : "";
}

/** Last value of each field: varints as numbers, length-delimited ones as bytes. Throws on anything else. */
function readFields(bytes: Uint8Array): Map<number, number | Uint8Array> {
  const fields = new Map<number, number | Uint8Array>();
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error("truncated varint");
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    if ((tag & 7) === 0) fields.set(tag >> 3, varint());
    else if ((tag & 7) === 2) {
      const length = varint();
      if (at + length > bytes.length) throw new Error("truncated field");
      fields.set(tag >> 3, bytes.subarray(at, at + length));
      at += length;
    } else throw new Error(`wire type ${tag & 7} is not expected here`);
  }
  return fields;
}
