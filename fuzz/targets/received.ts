import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { presentedToken } from "@sightline/auth/presented-token.ts";
import { requestedTenant } from "@sightline/auth/requested-tenant.ts";
import { collectorConfig } from "@sightline/collector/config.ts";
import { decoderOptions } from "@sightline/collector/decoder-options.ts";
import { parseContentType } from "@sightline/collector/receivers/content-type.ts";
import { encodeRecord, newMarker, scanRecords } from "@sightline/collector/wal/record.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { decompressAsync } from "@sightline/proto/compression.ts";
import { Decoder } from "@sightline/proto/decoder.ts";
import { checkBatch } from "@sightline/proto/testing/check-batch.ts";
import type { ContentEncoding, Protocol } from "@sightline/proto/wire-request.ts";
import { compressSync } from "snappy";
import { mutateBytes } from "../mutate/bytes.ts";
import { mutateJson } from "../mutate/json.ts";
import { mutateProtobuf } from "../mutate/protobuf.ts";
import { mutateText } from "../mutate/text.ts";
import type { FuzzTarget, Mutate } from "../target.ts";
import { type Messages, NOW_MS } from "./messages.ts";

const MAX_DECOMPRESSED_BYTES = 1_000_000;
const MARKER = newMarker();

/** What clients send: messages, their compression, credentials; and the log that keeps it. */
export function receivedTargets(messages: Messages): readonly FuzzTarget[] {
  const decoder = new Decoder({
    ...decoderOptions(collectorConfig.parse({})),
    maxDecompressedBytes: MAX_DECOMPRESSED_BYTES,
    maxSeriesInterned: 20_000,
  });
  const decode = (protocol: Protocol, encoding: ContentEncoding) => (body: Uint8Array) =>
    checkBatch(decoder.decode({ tenant: DEFAULT_TENANT, protocol, encoding, receivedAtMs: NOW_MS, body }));
  const message = (protocol: Protocol, share: number, seeds: readonly Uint8Array[], mutate: Mutate): FuzzTarget => ({
    name: protocol,
    share,
    seeds,
    mutate,
    run: decode(protocol, "identity"),
  });
  const snappy = messages.remoteWrite1.map((bytes) => compressSync(Buffer.from(bytes)));
  return [
    message("remote-write-1", 12, messages.remoteWrite1, mutateProtobuf),
    message("remote-write-2", 12, messages.remoteWrite2, mutateProtobuf),
    message("otlp-metrics-protobuf", 14, messages.metrics, mutateProtobuf),
    message("otlp-logs-protobuf", 12, messages.logs, mutateProtobuf),
    message("otlp-traces-protobuf", 12, messages.traces, mutateProtobuf),
    message("otlp-metrics-json", 5, messages.metricsJson, mutateJson),
    message("otlp-logs-json", 5, messages.logsJson, mutateJson),
    message("otlp-traces-json", 5, messages.tracesJson, mutateJson),
    message("loki-push-protobuf", 8, messages.lokiPush, mutateProtobuf),
    message("loki-push-json", 5, messages.lokiPushJson, mutateJson),
    { name: "snappy", share: 4, seeds: snappy, mutate: mutateBytes, run: decode("remote-write-1", "snappy") },
    ...compressionTargets(messages),
    walTarget(messages),
    credentialsTarget(),
    contentTypeTarget(),
  ];
}

function compressionTargets({ logs }: Messages): readonly FuzzTarget[] {
  const compress: [ContentEncoding, (bytes: Uint8Array) => Uint8Array][] = [
    ["gzip", (bytes) => gzipSync(bytes)],
    ["deflate", (bytes) => deflateSync(bytes)],
    ["zstd", (bytes) => zstdCompressSync(bytes)],
  ];
  return compress.map(([encoding, pack]) => ({
    name: encoding,
    share: 2,
    seeds: [...logs.map(pack), pack(new Uint8Array(900_000))],
    mutate: mutateBytes,
    run: async (body) => {
      const { length } = await decompressAsync(body, encoding, MAX_DECOMPRESSED_BYTES);
      if (length > MAX_DECOMPRESSED_BYTES) throw new Error(`${length} bytes came out`);
    },
  }));
}

function walTarget({ logs, remoteWrite1 }: Messages): FuzzTarget {
  const request = { tenant: DEFAULT_TENANT, protocol: "otlp-logs-protobuf", encoding: "identity" } as const;
  const seeds = [logs, remoteWrite1].map((bodies) =>
    Buffer.concat(
      [...bodies, ...bodies].flatMap((body, i) => {
        const decisions = i % 2 === 1 ? { decisions: Uint8Array.of(1, 2, 3) } : {};
        const record = encodeRecord(MARKER, i + 1, { ...request, ...decisions, receivedAtMs: NOW_MS, body });
        return [record.header, record.body];
      }),
    ),
  );
  return {
    name: "records of the log",
    share: 6,
    seeds,
    mutate: mutateBytes,
    run: (bytes) => {
      let last = 0;
      for (const scanned of scanRecords(Buffer.from(bytes), MARKER, 0)) {
        if (scanned.kind !== "record") continue;
        const { position, request: read } = scanned.entry;
        if (position <= last) throw new Error("positions do not ascend");
        if (read.tenant !== DEFAULT_TENANT) throw new Error("a record from nowhere");
        last = position;
      }
    },
  };
}

function contentTypeTarget(): FuzzTarget {
  const seeds = ["application/x-protobuf;proto=io.prometheus.write.v2.Request", 'application/json; charset="utf-8"'];
  return {
    name: "content types",
    share: 1,
    seeds: seeds.map((seed) => Buffer.from(seed)),
    mutate: mutateText,
    run: (bytes) => parseContentType(Buffer.from(bytes).toString("latin1")),
  };
}

/** Headers, a line each. */
function credentialsTarget(): FuzzTarget {
  const key = `sl_0123456789ab_${"A".repeat(43)}`;
  const basic = Buffer.from(`user:${key}`).toString("base64");
  return {
    name: "credentials and tenants",
    share: 2,
    seeds: [
      Buffer.from(`authorization: Bearer ${key}\nx-scope-orgid: shop`),
      Buffer.from(`authorization: Basic ${basic}\nx-api-key: ${key}\nx-project-id: shop`),
    ],
    mutate: mutateText,
    run: (bytes) => {
      const lines = Buffer.from(bytes).toString("latin1").split("\n");
      const headers = Object.fromEntries(lines.map((line) => line.split(": ", 2) as [string, string]));
      const { token = "" } = presentedToken(headers);
      if (token.length > 1_000) throw new Error("a token of any length");
      requestedTenant(headers);
    },
  };
}
