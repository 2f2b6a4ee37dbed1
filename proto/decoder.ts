import type { TenantId } from "@sightline/model/tenant.ts";
import { decompress } from "./compression.ts";
import { SeriesInterner } from "./metrics/series-interner.ts";
import { otlpJsonToProtobuf } from "./otlp/json.ts";
import { decodeOtlpLogs } from "./otlp/logs.ts";
import type { OtlpMetricsOptions } from "./otlp/metrics/translation.ts";
import { OtlpMetricsDecoder } from "./otlp/metrics.ts";
import { decodeOtlpTraces } from "./otlp/traces.ts";
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
  readonly otlpMetrics: OtlpMetricsOptions;
};

/** Turns requests into batches. Not safe for use from several threads, and makes no promises: a call is synchronous. */
export class Decoder {
  readonly #options: DecoderOptions;
  /** In the order of their last use. */
  readonly #tenants = new Map<TenantId, TenantDecoders>();
  #load = 0;

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
   * The metric decoders of a tenant, with its interned series. Those of tenants not heard of for longest are dropped when
   * all hold too much; batches made from them stay as they are.
   */
  metricDecoders(tenant: TenantId): TenantDecoders {
    let decoders = this.#tenants.get(tenant);
    this.#tenants.delete(tenant);
    this.#measure(decoders);
    if (!decoders || decoders.load > this.#options.maxSeriesInterned) {
      this.#load -= decoders?.counted ?? 0;
      decoders = new TenantDecoders(this.#options);
    }
    this.#tenants.set(tenant, decoders);
    for (const [other, { counted }] of this.#tenants) {
      if (this.#load <= this.#options.maxSeriesInterned || other === tenant) break;
      this.#tenants.delete(other);
      this.#load -= counted;
    }
    return decoders;
  }

  /** Series held, as of the start of each tenant's last request. */
  get load(): number {
    return this.#load;
  }

  #measure(decoders: TenantDecoders | undefined): void {
    if (!decoders) return;
    const { load } = decoders;
    this.#load += load - decoders.counted;
    decoders.counted = load;
  }
}

/** What is remembered of one tenant's series. */
class TenantDecoders {
  readonly remoteWrite1: RemoteWrite1Decoder;
  readonly remoteWrite2: RemoteWrite2Decoder;
  readonly otlpMetrics: OtlpMetricsDecoder;
  readonly #interner: SeriesInterner;
  /** The load that is part of the sum over all tenants. */
  counted = 0;

  constructor({ maxSeriesInterned, maxDepth, otlpMetrics }: DecoderOptions) {
    this.#interner = new SeriesInterner(maxSeriesInterned);
    this.remoteWrite1 = new RemoteWrite1Decoder(this.#interner, { maxDepth });
    this.remoteWrite2 = new RemoteWrite2Decoder(this.#interner, { maxDepth });
    this.otlpMetrics = new OtlpMetricsDecoder(this.#interner, otlpMetrics, maxDepth);
  }

  /** In series of the usual size; at least one, so that tenants without series are dropped as well. */
  get load(): number {
    return 1 + this.#interner.load + this.remoteWrite2.load + this.otlpMetrics.load;
  }
}

type Decode = (bytes: Uint8Array, request: WireRequest, decoder: Decoder) => Decoded;

const otlpMetrics: Decode = (bytes, { tenant }, decoder) => ({
  signal: "metrics",
  ...decoder.metricDecoders(tenant).otlpMetrics.decode(bytes),
});
const otlpLogs: Decode = (bytes, { receivedAtMs }) => ({ signal: "logs", ...decodeOtlpLogs(bytes, receivedAtMs) });
const otlpTraces: Decode = (bytes, { receivedAtMs }) => ({
  signal: "traces",
  ...decodeOtlpTraces(bytes, receivedAtMs),
});

/** JSON takes the way of protobuf, so that both mean the same. */
const DECODERS: Readonly<Record<Protocol, Decode>> = {
  "otlp-metrics-protobuf": otlpMetrics,
  "otlp-metrics-json": (bytes, ...rest) => otlpMetrics(otlpJsonToProtobuf("metrics", bytes), ...rest),
  "otlp-logs-protobuf": otlpLogs,
  "otlp-logs-json": (bytes, ...rest) => otlpLogs(otlpJsonToProtobuf("logs", bytes), ...rest),
  "otlp-traces-protobuf": otlpTraces,
  "otlp-traces-json": (bytes, ...rest) => otlpTraces(otlpJsonToProtobuf("traces", bytes), ...rest),
  "remote-write-1": (bytes, { tenant }, decoder) => ({
    signal: "metrics",
    ...decoder.metricDecoders(tenant).remoteWrite1.decode(bytes),
  }),
  "remote-write-2": (bytes, { tenant }, decoder) => ({
    signal: "metrics",
    ...decoder.metricDecoders(tenant).remoteWrite2.decode(bytes),
  }),
};
