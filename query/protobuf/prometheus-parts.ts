import type { BucketSpan } from "@sightline/model/histogram.ts";
import type { Labels } from "@sightline/model/labels.ts";
import type { ProtobufWriter } from "./protobuf-writer.ts";

/** Labels as field 1, where all messages of Prometheus have them. */
export function writeLabels(writer: ProtobufWriter, labels: Labels): void {
  for (const [name, value] of labels) {
    writer.message(1, () => {
      writer.string(1, name);
      writer.string(2, value);
    });
  }
}

/** BucketSpans of a native histogram. */
export function writeSpans(writer: ProtobufWriter, field: number, spans: readonly BucketSpan[]): void {
  for (const { offset, length } of spans) {
    writer.message(field, () => {
      writer.sint32(1, offset);
      writer.uint32(2, length);
    });
  }
}
