import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import type { Rejection } from "@sightline/model/ports.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import type { TenantId } from "@sightline/model/tenant.ts";

/** The wire formats that can be written to the log. The names are stored in it: never rename one. */
export type Protocol =
  | "otlp-metrics-protobuf"
  | "otlp-metrics-json"
  | "otlp-logs-protobuf"
  | "otlp-logs-json"
  | "otlp-traces-protobuf"
  | "otlp-traces-json"
  | "loki-push-protobuf"
  | "loki-push-json"
  | "remote-write-1"
  | "remote-write-2";

export type ContentEncoding = "identity" | "gzip" | "deflate" | "zstd" | "snappy";

/** A request as it came: what the write-ahead log keeps and what is decoded, at once and again on replay. */
export type WireRequest = {
  readonly tenant: TenantId;
  readonly protocol: Protocol;
  readonly encoding: ContentEncoding;
  /** For records that carry no time of their own, so that a replay gives them the same one. */
  readonly receivedAtMs: number;
  /** Still compressed. */
  readonly body: Uint8Array;
};

/** A decoded request. `rejected` counts the items that the format lets us refuse one by one; the batch has the rest. */
export type Decoded =
  | { readonly signal: "metrics"; readonly batch: MetricBatch; readonly rejected: readonly Rejection[] }
  | { readonly signal: "logs"; readonly batch: LogBatch; readonly rejected: readonly Rejection[] }
  | { readonly signal: "traces"; readonly batch: SpanBatch; readonly rejected: readonly Rejection[] };
