import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import { grpcCall } from "./grpc-call.ts";
import { call } from "./http-call.ts";
import {
  encodeGauges,
  encodeLogs,
  encodeSpans,
  GRPC_METHODS,
  type OtlpSignal,
  readStatusMessage,
  SIGNALS,
} from "./otlp.ts";
import { encodeRemoteWrite1, encodeRemoteWrite2, REMOTE_WRITE_1, REMOTE_WRITE_2, snappy } from "./remote-write.ts";
import type { ServerProcess } from "./server-process.ts";

/** What a receiver said, in terms that hold for all of them. */
export type Verdict = {
  readonly outcome: "accepted" | "bad" | "too large" | "unsupported" | "retry" | "broken";
  /** Status and text as they came, for messages of failing tests. */
  readonly said: string;
  readonly message: string;
};
export type SendOptions = {
  readonly tenant: string;
  /** Content encoding; the body is sent as it is. Default: uncompressed, snappy for remote write. */
  readonly encoding?: string;
  readonly contentType?: string;
};
/** One way in: a protocol, a signal and an encoding. */
export type ReceiverCase = {
  readonly name: string;
  readonly signal: OtlpSignal;
  readonly format: "protobuf" | "json";
  readonly protocol: "http" | "grpc" | "remote-write";
  /** A small request with one good item. */
  good(): Buffer;
  /** Compresses as the receiver wants it by default. */
  pack(raw: Uint8Array): Uint8Array;
  send(server: ServerProcess, body: Uint8Array, options: SendOptions): Promise<Verdict>;
};

export const COMPRESSORS: Readonly<Record<string, (raw: Uint8Array) => Buffer>> = {
  gzip: (raw) => gzipSync(raw),
  zstd: (raw) => zstdCompressSync(raw),
  br: (raw) => brotliCompressSync(raw),
};

const nowNs = () => BigInt(Date.now()) * 1_000_000n;

const GOOD: Readonly<Record<OtlpSignal, () => Buffer>> = {
  metrics: () => encodeGauges("good", [{ name: "good", points: [{ timeNs: nowNs(), value: 1 }] }]),
  logs: () => encodeLogs("good", [{ timeNs: nowNs(), body: "good" }]),
  traces: () =>
    encodeSpans("good", [
      { traceId: Buffer.alloc(16, 1), spanId: Buffer.alloc(8, 1), name: "good", startNs: nowNs(), endNs: nowNs() },
    ]),
};
const RESOURCE = { attributes: [{ key: "service.name", value: { stringValue: "good" } }] };
const GOOD_JSON: Readonly<Record<OtlpSignal, () => object>> = {
  metrics: () => ({
    resourceMetrics: [
      {
        resource: RESOURCE,
        scopeMetrics: [
          { metrics: [{ name: "good", gauge: { dataPoints: [{ timeUnixNano: String(nowNs()), asDouble: 1 }] } }] },
        ],
      },
    ],
  }),
  logs: () => ({
    resourceLogs: [
      {
        resource: RESOURCE,
        scopeLogs: [{ logRecords: [{ timeUnixNano: String(nowNs()), body: { stringValue: "good" } }] }],
      },
    ],
  }),
  traces: () => ({
    resourceSpans: [
      {
        resource: RESOURCE,
        scopeSpans: [
          {
            spans: [
              {
                traceId: "01".repeat(16),
                spanId: "01".repeat(8),
                name: "good",
                startTimeUnixNano: String(nowNs()),
                endTimeUnixNano: String(nowNs()),
              },
            ],
          },
        ],
      },
    ],
  }),
};

const HTTP_OUTCOMES: Readonly<Record<number, Verdict["outcome"]>> = {
  400: "bad",
  413: "too large",
  415: "unsupported",
  429: "retry",
  503: "retry",
};
const GRPC_OUTCOMES: Readonly<Record<number, Verdict["outcome"]>> = {
  0: "accepted",
  3: "bad",
  8: "too large",
  12: "unsupported",
  14: "retry",
};

async function sendHttp(url: string, body: Uint8Array, headers: Record<string, string>): Promise<Verdict> {
  try {
    const { status, text, body: bytes, headers: got } = await call(url, { headers, body });
    const outcome = status < 300 ? "accepted" : (HTTP_OUTCOMES[status] ?? "broken");
    return {
      outcome,
      said: `${status} ${text.slice(0, 300)}`,
      message: errorMessage(text, bytes, got["content-type"]),
    };
  } catch (error) {
    return { outcome: "broken", said: String(error), message: "" };
  }
}

/** OTLP answers errors with a Status message in the request's own format, everybody else in plain text. */
function errorMessage(text: string, body: Buffer, contentType = ""): string {
  if (contentType.startsWith("application/x-protobuf")) return body.length === 0 ? "" : readStatusMessage(body);
  if (contentType.startsWith("application/json")) return (JSON.parse(text) as { message?: string }).message ?? "";
  return text;
}

function otlpHttp(signal: OtlpSignal, format: "protobuf" | "json"): ReceiverCase {
  return {
    name: `OTLP/HTTP ${signal} in ${format}`,
    signal,
    format,
    protocol: "http",
    good: format === "protobuf" ? GOOD[signal] : () => Buffer.from(JSON.stringify(GOOD_JSON[signal]())),
    pack: (raw) => raw,
    send: (server, body, { tenant, encoding, contentType }) =>
      sendHttp(`${server.otlpHttp}/v1/${signal}`, body, {
        "content-type": contentType ?? (format === "json" ? "application/json" : "application/x-protobuf"),
        "x-scope-orgid": tenant,
        ...(encoding === undefined ? {} : { "content-encoding": encoding }),
      }),
  };
}

function otlpGrpc(signal: OtlpSignal): ReceiverCase {
  return {
    name: `OTLP/gRPC ${signal}`,
    signal,
    format: "protobuf",
    protocol: "grpc",
    good: GOOD[signal],
    pack: (raw) => raw,
    send: async (server, body, { tenant, encoding, contentType }) => {
      const { code, message } = await grpcCall(server.otlpGrpc, GRPC_METHODS[signal], body, {
        compressed: encoding !== undefined,
        headers: {
          "x-scope-orgid": tenant,
          ...(encoding === undefined ? {} : { "grpc-encoding": encoding }),
          ...(contentType === undefined ? {} : { "content-type": contentType }),
        },
      });
      return { outcome: GRPC_OUTCOMES[code] ?? "broken", said: `code ${code} ${message}`, message };
    },
  };
}

function remoteWrite(version: 1 | 2): ReceiverCase {
  const series = () => [
    { labels: [["__name__", "good"]] as const, samples: [{ timeMs: Number(nowNs() / 1_000_000n), value: 1 }] },
  ];
  return {
    name: `remote write ${version}`,
    signal: "metrics",
    format: "protobuf",
    protocol: "remote-write",
    good: () => (version === 1 ? encodeRemoteWrite1(series()) : encodeRemoteWrite2(series())),
    pack: snappy,
    send: (server, body, { tenant, encoding, contentType }) => {
      const headers = version === 1 ? REMOTE_WRITE_1 : REMOTE_WRITE_2;
      return sendHttp(`${server.url}/api/v1/write`, body, {
        ...headers,
        "x-scope-orgid": tenant,
        ...(encoding === undefined ? {} : { "content-encoding": encoding }),
        ...(contentType === undefined ? {} : { "content-type": contentType }),
      });
    },
  };
}

export const RECEIVERS: readonly ReceiverCase[] = [
  ...SIGNALS.flatMap((signal) => [otlpHttp(signal, "protobuf"), otlpHttp(signal, "json"), otlpGrpc(signal)]),
  remoteWrite(1),
  remoteWrite(2),
];
