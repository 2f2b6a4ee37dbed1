import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from "@opentelemetry/otlp-transformer";
import type { Rejection, Signal } from "@sightline/model/ports.ts";
import protobuf from "protobufjs";
import { expect, test } from "vitest";
import { encodeExportResponse, encodeStatus } from "./responses.ts";

const SIGNALS: readonly [signal: Signal, field: string][] = [
  ["metrics", "rejectedDataPoints"],
  ["logs", "rejectedLogRecords"],
  ["traces", "rejectedSpans"],
];
const PROTOBUF = { metrics: ProtobufMetricsSerializer, logs: ProtobufLogsSerializer, traces: ProtobufTraceSerializer };
const JSON_OF = { metrics: JsonMetricsSerializer, logs: JsonLogsSerializer, traces: JsonTraceSerializer };
const REJECTED: readonly Rejection[] = [
  { reason: "invalid", count: 2, message: "trace_id is not 16 bytes" },
  { reason: "limit", count: 300, message: "too many names" },
];

test.each(SIGNALS)("full success of %s is an empty message", (signal) => {
  expect(encodeExportResponse(signal, [], "protobuf")).toHaveLength(0);
  expect(Buffer.from(encodeExportResponse(signal, [], "json")).toString()).toBe("{}");
});

test.each(SIGNALS)("the SDK reads partial success of %s", (signal, field) => {
  const errorMessage = "trace_id is not 16 bytes; too many names";
  const fromProtobuf = PROTOBUF[signal].deserializeResponse(encodeExportResponse(signal, REJECTED, "protobuf"));
  expect(fromProtobuf.partialSuccess).toMatchObject({ [field]: 302, errorMessage });
  const fromJson = JSON_OF[signal].deserializeResponse(encodeExportResponse(signal, REJECTED, "json"));
  expect(fromJson.partialSuccess).toMatchObject({ [field]: "302", errorMessage });
});

test("a warning that rejects nothing is sent as well", () => {
  const warning: Rejection[] = [{ reason: "duplicate", count: 0, message: "seen before" }];
  const response = ProtobufLogsSerializer.deserializeResponse(encodeExportResponse("logs", warning, "protobuf"));
  expect(response.partialSuccess?.errorMessage).toBe("seen before");
});

/** The messages as googleapis defines them. */
const RPC = protobuf.parse(`
  syntax = "proto3";
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }
  message RetryInfo { Duration retry_delay = 1; }
`).root;

test.each([
  [0, 0, 0],
  [250, 0, 250_000_000],
  [61_500, 61, 500_000_000],
])("a status carries a retry delay of %i ms", (retryAfterMs, seconds, nanos) => {
  const bytes = encodeStatus({ code: 8, message: "zu schnell – später", retryAfterMs }, "protobuf");
  const status = RPC.lookupType("Status").decode(bytes) as unknown as {
    code: number;
    message: string;
    details: { type_url: string; typeUrl: string; value: Uint8Array }[];
  };
  expect([status.code, status.message]).toEqual([8, "zu schnell – später"]);
  expect(status.details).toHaveLength(1);
  expect(status.details[0]?.typeUrl).toBe("type.googleapis.com/google.rpc.RetryInfo");
  const info = RPC.lookupType("RetryInfo").decode(status.details[0]?.value as Uint8Array);
  const delay = RPC.lookupType("RetryInfo").toObject(info, { longs: Number, defaults: true }) as {
    retryDelay: { seconds: number; nanos: number };
  };
  expect(delay.retryDelay).toEqual({ seconds, nanos });
});

test("a status in JSON follows the JSON mapping", () => {
  const read = (status: Parameters<typeof encodeStatus>[0]) =>
    JSON.parse(Buffer.from(encodeStatus(status, "json")).toString());
  expect(read({ code: 3, message: "bad" })).toEqual({ code: 3, message: "bad" });
  expect(read({ code: 14, message: "full", retryAfterMs: 1500 })).toEqual({
    code: 14,
    message: "full",
    details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "1.5s" }],
  });
});

test("a long message of a status survives", () => {
  const message = "ü".repeat(100_000);
  const status = RPC.lookupType("Status").decode(encodeStatus({ code: 3, message }, "protobuf"));
  expect((status as unknown as { message: string }).message).toBe(message);
});
