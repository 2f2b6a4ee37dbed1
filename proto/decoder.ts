import type { MemoryPart } from "@sightline/model/memory-part.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { decompress } from "./compression.ts";
import { decodeLokiPushJson } from "./loki/push-json.ts";
import { decodeLokiPush, decodeLokiPushInSteps } from "./loki/push-protobuf.ts";
import { SeriesInterner } from "./metrics/series-interner.ts";
import { otlpJsonToProtobuf } from "./otlp/json.ts";
import { decodeOtlpLogs, decodeOtlpLogsInSteps } from "./otlp/logs.ts";
import type { OtlpMetricsOptions } from "./otlp/metrics/translation.ts";
import { OtlpMetricsDecoder } from "./otlp/metrics.ts";
import type { RequestBounds } from "./otlp/object-budget.ts";
import { decodeOtlpTraces, decodeOtlpTracesInSteps } from "./otlp/traces.ts";
import { RemoteWrite1Decoder } from "./remote-write/v1.ts";
import { RemoteWrite2Decoder } from "./remote-write/v2.ts";
import type { Decoded, Protocol, WireRequest } from "./wire-request.ts";

export type DecoderOptions = {
  /** `limits.max_decompressed_bytes` */
  readonly maxDecompressedBytes: number;
  /** Deepest nesting of protobuf messages that is followed. */
  readonly maxDepth: number;
  /**
   * `limits.max_series_interned`: how many series are held by their bytes, over all tenants. A series that is not held
   * costs some microseconds, and memory until the store has seen it; about one kilobyte is needed for one that is.
   */
  readonly maxSeriesInterned: number;
  /** `limits.max_request_objects`: of log records and spans, and what hangs on them. */
  readonly maxObjects?: number | undefined;
  readonly otlpMetrics: OtlpMetricsOptions;
};

/** Turns requests into batches. Calls are synchronous. */
export class Decoder {
  readonly #options: DecoderOptions;
  /** The series that are remembered. */
  readonly memoryPart: MemoryPart = {
    name: "interned_series",
    memoryBytes: () => this.#load * USUAL_SERIES_BYTES,
    shrink: () => this.#shrink(),
  };
  /** In the order of their last use. */
  readonly #tenants = new Map<TenantId, TenantDecoders>();
  #load = 0;
  #droppedLargestMs = Number.NEGATIVE_INFINITY;

  constructor(options: DecoderOptions) {
    this.#options = options;
  }

  /**
   * Throws `InvalidInputError` for what is not the format it claims to be, `TooLargeError` for a body that is larger
   * than allowed when decompressed. Items refused one by one are counted in `rejected`: data points for OTLP metrics,
   * samples, histograms and exemplars for remote write.
   */
  decode(request: WireRequest): Decoded {
    const bytes = decompress(request.body, request.encoding, this.#options.maxDecompressedBytes);
    return DECODERS[request.protocol](bytes, request, this);
  }

  /**
   * As {@link decode}, a little at each step, for a large request; metrics, which need little for their bytes, in one.
   * Other requests may be decoded in between.
   */
  *decodeInSteps(request: WireRequest): Generator<void, Decoded> {
    const { protocol, body, encoding, receivedAtMs } = request;
    if (protocol === "otlp-logs-protobuf") {
      const bytes = decompress(body, encoding, this.#options.maxDecompressedBytes);
      return { signal: "logs", ...(yield* decodeOtlpLogsInSteps(bytes, receivedAtMs, this.#options)) };
    }
    if (protocol === "loki-push-protobuf") {
      const bytes = decompress(body, encoding, this.#options.maxDecompressedBytes);
      return { signal: "logs", ...(yield* decodeLokiPushInSteps(bytes, receivedAtMs, this.#options)) };
    }
    if (protocol === "otlp-traces-protobuf") {
      const bytes = decompress(body, encoding, this.#options.maxDecompressedBytes);
      return { signal: "traces", ...(yield* decodeOtlpTracesInSteps(bytes, receivedAtMs, this.#options)) };
    }
    return this.decode(request);
  }

  /** Series held. At most `maxSeriesInterned` between calls. */
  get load(): number {
    return this.#load;
  }

  /** For {@link DECODERS}. */
  get bounds(): RequestBounds {
    return this.#options;
  }

  /** For {@link DECODERS}. */
  decodeMetrics(format: MetricFormat, bytes: Uint8Array, tenant: TenantId): Decoded {
    const decoders = this.#tenants.get(tenant) ?? new TenantDecoders(this.#options);
    this.#tenants.delete(tenant);
    this.#tenants.set(tenant, decoders);
    decoders.usedMs = performance.now();
    try {
      return { signal: "metrics", ...decoders[format].decode(bytes) };
    } finally {
      this.#load += decoders.countGrowth();
      this.#dropOldest();
    }
  }

  /** Batches made from what is dropped stay as they are; later ones begin with a new table. */
  #dropOldest(): void {
    for (const [tenant, decoders] of this.#tenants) {
      if (this.#load <= this.#options.maxSeriesInterned) return;
      this.#drop(tenant, decoders);
    }
  }

  /**
   * Drops the tables of tenants that send no more, and now and then the largest one: series that are gone stay in it, and
   * those that are not come back at some microseconds each.
   */
  #shrink(): void {
    const nowMs = performance.now();
    for (const [tenant, decoders] of this.#tenants) {
      if (nowMs - decoders.usedMs > IDLE_MS) this.#drop(tenant, decoders);
    }
    if (nowMs - this.#droppedLargestMs < DROP_LARGEST_EVERY_MS) return;
    this.#droppedLargestMs = nowMs;
    let largest: readonly [TenantId, TenantDecoders] | undefined;
    for (const entry of this.#tenants) if (!largest || entry[1].counted > largest[1].counted) largest = entry;
    if (largest) this.#drop(...largest);
  }

  #drop(tenant: TenantId, decoders: TenantDecoders): void {
    this.#tenants.delete(tenant);
    this.#load -= decoders.counted;
  }
}

type MetricFormat = "remoteWrite1" | "remoteWrite2" | "otlpMetrics";

/** What is remembered of one tenant's series. Each format's tables are made when it is first used. */
class TenantDecoders {
  readonly #options: DecoderOptions;
  readonly #interner: SeriesInterner;
  #remoteWrite1: RemoteWrite1Decoder | undefined;
  #remoteWrite2: RemoteWrite2Decoder | undefined;
  #otlpMetrics: OtlpMetricsDecoder | undefined;
  /** In series of the usual size, as of the last {@link countGrowth}. */
  counted = 0;
  /** Of `performance.now()`. */
  usedMs = 0;

  constructor(options: DecoderOptions) {
    this.#options = options;
    this.#interner = new SeriesInterner(options.maxSeriesInterned);
  }

  get remoteWrite1(): RemoteWrite1Decoder {
    this.#remoteWrite1 ??= new RemoteWrite1Decoder(this.#interner, this.#options);
    return this.#remoteWrite1;
  }

  get remoteWrite2(): RemoteWrite2Decoder {
    this.#remoteWrite2 ??= new RemoteWrite2Decoder(this.#interner, this.#options);
    return this.#remoteWrite2;
  }

  get otlpMetrics(): OtlpMetricsDecoder {
    const { otlpMetrics, maxDepth } = this.#options;
    this.#otlpMetrics ??= new OtlpMetricsDecoder(this.#interner, otlpMetrics, maxDepth);
    return this.#otlpMetrics;
  }

  /** How much more is held since the last call. */
  countGrowth(): number {
    const load = EMPTY_LOAD + this.#interner.load + (this.#remoteWrite2?.load ?? 0) + (this.#otlpMetrics?.load ?? 0);
    const growth = load - this.counted;
    this.counted = load;
    return growth;
  }
}

/** The tables of a tenant take this many kilobytes even if they are empty. */
const EMPTY_LOAD = 100;
const USUAL_SERIES_BYTES = 450;
const IDLE_MS = 300_000;
const DROP_LARGEST_EVERY_MS = 600_000;

type Decode = (bytes: Uint8Array, request: WireRequest, decoder: Decoder) => Decoded;

const metrics =
  (format: MetricFormat): Decode =>
  (bytes, { tenant }, decoder) =>
    decoder.decodeMetrics(format, bytes, tenant);
const otlpLogs: Decode = (bytes, { receivedAtMs }, { bounds }) => ({
  signal: "logs",
  ...decodeOtlpLogs(bytes, receivedAtMs, bounds),
});
const lokiPush: Decode = (bytes, { receivedAtMs }, { bounds }) => ({
  signal: "logs",
  ...decodeLokiPush(bytes, receivedAtMs, bounds),
});
const lokiPushJson: Decode = (bytes, { receivedAtMs }, { bounds }) => ({
  signal: "logs",
  ...decodeLokiPushJson(bytes, receivedAtMs, bounds),
});
const otlpTraces: Decode = (bytes, { receivedAtMs }, { bounds }) => ({
  signal: "traces",
  ...decodeOtlpTraces(bytes, receivedAtMs, bounds),
});

/** JSON is made protobuf first, so that both mean the same. */
const fromJson =
  (signal: "metrics" | "logs" | "traces", decode: Decode): Decode =>
  (bytes, request, decoder) =>
    decode(otlpJsonToProtobuf(signal, bytes), request, decoder);

const DECODERS: Readonly<Record<Protocol, Decode>> = {
  "otlp-metrics-protobuf": metrics("otlpMetrics"),
  "otlp-metrics-json": fromJson("metrics", metrics("otlpMetrics")),
  "otlp-logs-protobuf": otlpLogs,
  "otlp-logs-json": fromJson("logs", otlpLogs),
  "otlp-traces-protobuf": otlpTraces,
  "otlp-traces-json": fromJson("traces", otlpTraces),
  "loki-push-protobuf": lokiPush,
  "loki-push-json": lokiPushJson,
  "remote-write-1": metrics("remoteWrite1"),
  "remote-write-2": metrics("remoteWrite2"),
};
