import type { ProtobufWriter } from "@sightline/e2e/harness/protobuf-writer.ts";

/** A KeyValue of OTLP. */
export function writeAttribute(writer: ProtobufWriter, field: number, key: string, value: string | number): void {
  writer.message(field, () => {
    writer.string(1, key);
    writer.message(2, () => (typeof value === "string" ? writer.string(1, value) : writer.varint(3, value)));
  });
}
