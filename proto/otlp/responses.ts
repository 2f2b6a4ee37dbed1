import type { Rejection, Signal } from "@sightline/model/ports.ts";
import { BYTES, VARINT } from "../wire/reader.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

/** OTLP/HTTP answers in the encoding of the request. */
export type OtlpEncoding = "protobuf" | "json";

/** An answer of google.rpc.Status: `code` is a google.rpc.Code. */
export type RpcStatus = {
  readonly code: number;
  readonly message: string;
  /** When the same request may succeed; makes a RetryInfo detail. */
  readonly retryAfterMs?: number | undefined;
};

/** `rejected_…` of the partial success messages: field 1 in each of them. */
const REJECTED_NAME: Readonly<Record<Signal, string>> = {
  metrics: "rejectedDataPoints",
  logs: "rejectedLogRecords",
  traces: "rejectedSpans",
};
const RETRY_INFO_TYPE = "type.googleapis.com/google.rpc.RetryInfo";

/**
 * An Export…ServiceResponse: empty when nothing was rejected, else with a partial success that counts what was.
 * Rejections with a count of 0 are warnings: the specification wants their text sent, too.
 */
export function encodeExportResponse(
  signal: Signal,
  rejected: readonly Rejection[],
  encoding: OtlpEncoding,
): Uint8Array {
  const count = rejected.reduce((sum, rejection) => sum + rejection.count, 0);
  const message = rejected.map((rejection) => rejection.message).join("; ");
  if (encoding === "json") {
    if (rejected.length === 0) return Buffer.from("{}");
    const partialSuccess = { [REJECTED_NAME[signal]]: String(count), errorMessage: message };
    return Buffer.from(JSON.stringify({ partialSuccess }));
  }
  const writer = new ProtobufWriter();
  if (rejected.length > 0) {
    writer.tag(1, BYTES);
    const start = writer.open();
    if (count > 0) {
      writer.tag(1, VARINT);
      writer.varint(count);
    }
    writer.tag(2, BYTES);
    writer.string(message);
    writer.close(start);
  }
  return writer.finish();
}

/** The body of an OTLP/HTTP failure; in protobuf also the value of gRPC's `grpc-status-details-bin` trailer. */
export function encodeStatus(status: RpcStatus, encoding: OtlpEncoding): Uint8Array {
  return encoding === "json" ? encodeJsonStatus(status) : encodeProtobufStatus(status);
}

function encodeJsonStatus({ code, message, retryAfterMs }: RpcStatus): Uint8Array {
  const details =
    retryAfterMs === undefined
      ? []
      : [{ "@type": RETRY_INFO_TYPE, retryDelay: `${Math.max(0, Math.round(retryAfterMs)) / 1000}s` }];
  return Buffer.from(JSON.stringify(details.length > 0 ? { code, message, details } : { code, message }));
}

function encodeProtobufStatus({ code, message, retryAfterMs }: RpcStatus): Uint8Array {
  const writer = new ProtobufWriter();
  writer.tag(1, VARINT);
  writer.varint(code);
  writer.tag(2, BYTES);
  writer.string(message);
  if (retryAfterMs !== undefined) {
    writer.tag(3, BYTES);
    const detail = writer.open();
    writer.tag(1, BYTES);
    writer.string(RETRY_INFO_TYPE);
    writer.tag(2, BYTES);
    writeRetryInfo(writer, retryAfterMs);
    writer.close(detail);
  }
  return writer.finish();
}

/** RetryInfo { Duration retry_delay = 1 }, Duration { int64 seconds = 1; int32 nanos = 2 }. */
function writeRetryInfo(writer: ProtobufWriter, retryAfterMs: number): void {
  const delayMs = Math.max(0, Math.round(retryAfterMs));
  const info = writer.open();
  writer.tag(1, BYTES);
  const delay = writer.open();
  writer.tag(1, VARINT);
  writer.varint(Math.floor(delayMs / 1000));
  writer.tag(2, VARINT);
  writer.varint((delayMs % 1000) * 1_000_000);
  writer.close(delay);
  writer.close(info);
}
