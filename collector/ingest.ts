import { InvalidInputError, SightlineError, TooManyRequestsError, UnavailableError } from "@sightline/model/errors.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { MemoryGate, MemoryPart } from "@sightline/model/memory-part.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import type { AppendResult, Component, Signal, Store } from "@sightline/model/ports.ts";
import type { TextSealer } from "@sightline/model/sealed-text.ts";
import type { SharedCache, SharedLimits, SharedRates } from "@sightline/model/shared-state.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { Decoder } from "@sightline/proto/decoder.ts";
import type { Decoded, WireRequest } from "@sightline/proto/wire-request.ts";
import type { Registry } from "prom-client";
import { ByteBudget } from "./byte-budget.ts";
import type { CollectorConfig } from "./config.ts";
import type { DeadLetters } from "./dead-letters/dead-letters.ts";
import { FairTurns } from "./fair-turns.ts";
import { IngestMetrics } from "./ingest-metrics.ts";
import { countRejected, type IngestResult, isEmpty, itemsOf, metricItems, writtenCounts } from "./ingest-result.ts";
import { Tenants } from "./limits/tenants.ts";
import { LogTruncation } from "./log-truncation.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import type { Processed } from "./processors/pipeline.ts";
import { finishOrWait } from "./processors/steps.ts";
import { LARGE_BODY_BYTES, RequestDecoding } from "./request-decoding.ts";
import { signalOf } from "./signal-of.ts";
import { StoreQueue } from "./store-queue.ts";
import { SharedVerdicts } from "./tail-sampling/shared-verdicts.ts";
import { decodeTailDecision, TAIL_DECISION } from "./tail-sampling/tail-decision.ts";
import { TailSampler } from "./tail-sampling/tail-sampler.ts";
import { spansOf, type TraceWork } from "./tail-sampling/trace-work.ts";
import type { LoggedRequest } from "./wal/record.ts";
import type { WriteAheadLog } from "./wal/write-ahead-log.ts";

export type IngestStores = {
  readonly metrics?: Store<MetricBatch>;
  readonly logs?: Store<LogBatch>;
  readonly traces?: Store<SpanBatch>;
};

export type IngestOptions = {
  readonly wal: WriteAheadLog;
  readonly decoder: Pick<Decoder, "decode" | "decodeInSteps">;
  readonly stores: IngestStores;
  readonly deadLetters: Pick<DeadLetters, "add">;
  readonly config: CollectorConfig;
  /** For processors that encrypt. */
  readonly sealer?: TextSealer | undefined;
  readonly logger: Logger;
  readonly registry: Registry;
  /** Counts rates over all collectors; absent: each for itself. */
  readonly sharedRates?: SharedRates | undefined;
  /** Counts what it bounds over all collectors; absent: each for itself. */
  readonly sharedLimits?: SharedLimits | undefined;
  /** By which collectors agree about traces under tail sampling. Absent: this one decides alone. */
  readonly sharedVerdicts?: SharedCache | undefined;
  /** Directory for what limits remember over restarts; absent: they forget. */
  readonly limitsDir?: string | undefined;
  /** Asked for each request, from its first byte on. Absent: only `limits.max_in_flight_bytes` bounds them. */
  readonly memory?: MemoryGate | undefined;
};

const RETRY_AFTER_MS = 2_000;
/** Of a request that processors take at once. */
const MANY_ITEMS = 2_000;

/**
 * The way of every request: the tenant's rates, decode (what is not understood is refused here and leaves no trace), the
 * tenant's processors and limits, append to the write-ahead log (as it came, with what was decided), hand to the signal's store in the order of positions, answer.
 *
 * Starts after the log and the stores, stops before them.
 */
export class Ingest implements Component {
  readonly name = "ingest";
  /** Of request bodies, from their first byte on. Receivers reserve while they read; `submit` does for itself. */
  readonly budget: ByteBudget;
  readonly #options: IngestOptions;
  readonly #metrics: IngestMetrics;
  readonly #tenants: Tenants;
  readonly #queues: {
    readonly metrics: StoreQueue<MetricBatch> | undefined;
    readonly logs: StoreQueue<LogBatch> | undefined;
    readonly traces: StoreQueue<TraceWork> | undefined;
  };
  readonly #sampler: TailSampler | undefined;
  readonly #turns = new FairTurns();
  readonly #decoding: RequestDecoding;
  readonly #processing = new OneAtATime();
  readonly #truncation: LogTruncation;
  readonly #inFlight = new Set<Promise<unknown>>();
  /** Everything up to here is known to the queues. */
  #handedOver = 0;
  #running = false;

  constructor(options: IngestOptions) {
    this.#options = options;
    this.budget = new ByteBudget(options.config.limits.max_in_flight_bytes, {
      admit: (bytes) => {
        this.#checkWait();
        options.memory?.admit(bytes);
      },
    });
    this.#decoding = new RequestDecoding({
      decoder: options.decoder,
      turns: this.#turns,
      maxDecompressedBytes: options.config.limits.max_decompressed_bytes,
      memory: options.memory,
    });
    this.#metrics = new IngestMetrics(options.registry, {
      inFlightBytes: () => this.budget.usedBytes,
      behind: () => this.#behind(),
    });
    this.#tenants = new Tenants({
      config: options.config,
      logger: options.logger,
      registry: options.registry,
      sealer: options.sealer,
      stateDir: options.limitsDir,
      sharedRates: options.sharedRates,
      sharedLimits: options.sharedLimits,
      onDiscarded: (signal, tenant, reason, count) =>
        this.#metrics.items(signal, tenant, 0, [{ reason, count, message: "" }]),
    });
    const { metrics, logs, traces } = options.stores;
    this.#sampler = traces && this.#makeSampler(traces);
    this.#queues = {
      metrics:
        metrics && this.#queue("metrics", metrics, (d) => (d?.signal === "metrics" ? d.batch : undefined), metricItems),
      logs: logs && this.#queue("logs", logs, (d) => (d?.signal === "logs" ? d.batch : undefined), rows),
      traces: this.#sampler && this.#queue("traces", this.#sampler, traceWork, spansOf),
    };
    this.#truncation = new LogTruncation({
      wal: options.wal,
      maxBytes: options.config.wal.max_bytes,
      stores: this.#activeStores(),
      queues: this.#activeQueues(),
      handedOver: () => this.#handedOver,
      logger: options.logger,
    });
  }

  #makeSampler(store: Store<SpanBatch>): TailSampler {
    const { logger, registry, sharedVerdicts } = this.#options;
    return new TailSampler({
      store,
      verdicts: sharedVerdicts && new SharedVerdicts(sharedVerdicts),
      configOf: (tenant) => this.#tenants.tailSampling(tenant),
      announce: (tenant, body) => this.#announce(tenant, body),
      logger,
      registry,
    });
  }

  async #announce(tenant: TenantId, body: Uint8Array): Promise<void> {
    const request: LoggedRequest = {
      tenant,
      protocol: TAIL_DECISION,
      encoding: "identity",
      receivedAtMs: Date.now(),
      body,
    };
    const position = await this.#options.wal.append(request);
    // No await between these two: they keep the order of positions.
    this.#handedOver = position;
    await this.#queues.traces?.append(position, request, { kind: "decide", decision: decodeTailDecision(body) });
  }

  #queue<Batch>(
    signal: Signal,
    store: Store<Batch>,
    batchOf: (decoded: Decoded | undefined, request: LoggedRequest) => Batch | undefined,
    itemsOfBatch: (batch: Batch) => number,
  ): StoreQueue<Batch> {
    const { wal, deadLetters, config, logger } = this.#options;
    return new StoreQueue<Batch>({
      signal,
      store,
      wal,
      prepare: (request) => (signalOf(request) === signal ? this.#decoding.prepare(request) : request),
      decode: (request) => (signalOf(request) === signal ? batchOf(this.#decodeAgain(request), request) : undefined),
      itemsOf: itemsOfBatch,
      deadLetters,
      config: config.stores,
      logger,
      metrics: this.#metrics,
      turns: this.#turns,
    });
  }

  /** Of a request from the log; undefined when it is none that somebody sent. */
  #decodeAgain(request: LoggedRequest): Decoded | undefined {
    const { protocol } = request;
    if (protocol === TAIL_DECISION) return undefined;
    return this.#tenants.reprocess(request, this.#options.decoder.decode({ ...request, protocol }));
  }

  /** Requests that are not answered yet, and spans about which tail sampling has not decided. */
  get memoryParts(): readonly MemoryPart[] {
    const requests = { name: "requests", memoryBytes: () => this.budget.usedBytes };
    return this.#sampler ? [requests, this.#sampler.memoryPart] : [requests];
  }

  /** Replays the log into the stores; those that are not available get theirs later. */
  async start(): Promise<void> {
    const { wal, config } = this.#options;
    this.#handedOver = wal.lastPosition;
    await this.#tenants.start();
    await Promise.all(this.#activeQueues().map((queue) => queue.start(wal.replayFrom)));
    await this.#sampler?.start();
    this.#running = true;
    this.#truncation.start(config.wal.truncate_interval_ms);
  }

  /** Refuses what is new, answers what is in, makes the stores durable and gives back what the log kept for them. */
  async stop(): Promise<void> {
    const wasRunning = this.#running;
    this.#running = false;
    await Promise.allSettled(this.#inFlight);
    await this.#decoding.close();
    await this.#tenants.stop();
    await this.#sampler?.stop();
    await Promise.all(this.#activeQueues().map((queue) => queue.stop()));
    await this.#truncation.stop();
    if (!wasRunning) return;
    for (const store of this.#activeStores()) {
      // Not flushed is not lost: the log is replayed at the next start.
      await store.flush().catch((error: unknown) => {
        this.#options.logger.error("a store could not be flushed", { store: store.name, error });
      });
    }
    await this.#truncation.run();
  }

  /**
   * Settles when the request may be answered. `request.body` must not change before that. Throws `InvalidInputError`,
   * `TooLargeError` or `UnsupportedMediaTypeError` for what can't be understood, `TooManyRequestsError` and
   * `UnavailableError` when the sender should try again; nothing of the request is kept then.
   */
  async submit(request: WireRequest): Promise<IngestResult> {
    const start = performance.now();
    const work = this.#submit(request);
    this.#inFlight.add(work);
    let outcome = "accepted";
    try {
      return await work;
    } catch (error) {
      outcome = error instanceof SightlineError ? error.name : "Error";
      throw error;
    } finally {
      this.#inFlight.delete(work);
      this.#metrics.request(request, outcome, (performance.now() - start) / 1_000);
    }
  }

  async #submit(request: WireRequest): Promise<IngestResult> {
    if (!this.#running) {
      throw new UnavailableError("the server is starting or stopping: send the request again", {
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    const signal = signalOf(request);
    this.#tenants.admit(request, signal);
    this.#checkStore(signal);
    const place = this.budget.place();
    try {
      place.grow(request.body.length);
      const decoded = await this.#decoding.decode(request, place);
      return await this.#keep(request, decoded);
    } finally {
      place.release();
    }
  }

  /** A store that falls further and further behind shows ever less of what was acknowledged. */
  #checkStore(signal: Signal): void {
    const fullness = this.#options.stores[signal]?.fullness?.();
    if (fullness !== undefined) throw new TooManyRequestsError(fullness, { retryAfterMs: RETRY_AFTER_MS });
    const { max_deferred_bytes: maxBytes } = this.#options.config.stores;
    if ((this.#queues[signal]?.deferredBytes ?? 0) < maxBytes) return;
    throw new TooManyRequestsError(
      `the store of ${signal} is further behind than collector.stores.max_deferred_bytes (${maxBytes}) allows: ` +
        "send again later, or raise it",
      { retryAfterMs: RETRY_AFTER_MS },
    );
  }

  /** Who would wait longer is better told so than left to give up: work for clients that are gone is in vain. */
  #checkWait(): void {
    const { max_wait_ms: maxMs } = this.#options.config.limits;
    if (this.#decoding.waitedMs < maxMs) return;
    throw new TooManyRequestsError(
      `requests wait longer than collector.limits.max_wait_ms (${maxMs}) to be decoded: send again later`,
      { retryAfterMs: RETRY_AFTER_MS },
    );
  }

  async #keep(request: WireRequest, decoded: Decoded): Promise<IngestResult> {
    const { signal } = decoded;
    if (!this.#queues[signal]) throw new InvalidInputError(`this server keeps no ${signal}`);
    // Of what was sent: processors may write to the batch.
    const counts = writtenCounts(decoded);
    // Processors decide in the order of the log, also where it takes one request several turns.
    const key = `${signal} ${request.tenant}`;
    for (let others = this.#processing.wait(key); others; others = this.#processing.wait(key)) await others;
    const steps = this.#tenants.process(request, decoded);
    const isSmall = itemsOf(decoded) < MANY_ITEMS && request.body.length < LARGE_BODY_BYTES;
    const atOnce = isSmall ? finishOrWait(steps) : undefined;
    if (atOnce?.done) return this.#keepProcessed(request, decoded, atOnce.value, counts);
    const done = this.#processing.begin(key);
    let kept: Promise<IngestResult>;
    try {
      await atOnce?.until;
      const processed = await this.#decoding.inTurns(steps);
      // Appends to the log before it gives its promise.
      kept = this.#keepProcessed(request, decoded, processed, counts);
    } finally {
      done();
    }
    return kept;
  }

  async #keepProcessed(
    request: WireRequest,
    decoded: Decoded,
    processed: Processed | undefined,
    counts: ReturnType<typeof writtenCounts>,
  ): Promise<IngestResult> {
    const { signal } = decoded;
    const toStore = processed?.decoded ?? decoded;
    const refused = processed?.pass.rejected ?? [];
    const isHeld = signal === "traces" && this.#tenants.tailSampling(request.tenant) !== undefined;
    const stored = await this.#store(toLog(request, processed?.decisions, isHeld), toStore);
    const rejected = [...decoded.rejected, ...refused, ...stored.rejected];
    this.#metrics.items(signal, request.tenant, stored.accepted, rejected);
    const refusedHere = countRejected(refused) + countRejected(stored.rejected);
    return { signal, accepted: stored.accepted, rejected, counts: counts(refusedHere) };
  }

  async #store(request: LoggedRequest, decoded: Decoded): Promise<AppendResult> {
    const assumed = { accepted: itemsOf(decoded), rejected: [] };
    if (isEmpty(decoded)) return assumed;
    const position = await this.#options.wal.append(request);
    // No await between these two: they keep the order of positions.
    this.#handedOver = position;
    const result = await this.#handOver(position, request, decoded);
    if (!result) this.#metrics.deferred(decoded.signal);
    return result ?? assumed;
  }

  #handOver(position: number, request: LoggedRequest, decoded: Decoded): Promise<AppendResult | undefined> | undefined {
    if (decoded.signal === "metrics") return this.#queues.metrics?.append(position, request, decoded.batch);
    if (decoded.signal === "logs") return this.#queues.logs?.append(position, request, decoded.batch);
    return this.#queues.traces?.append(position, request, traceWork(decoded, request));
  }

  #behind(): ReadonlyMap<Signal, boolean> {
    const signals = (["metrics", "logs", "traces"] as const).filter((signal) => this.#queues[signal]);
    return new Map(signals.map((signal) => [signal, this.#queues[signal]?.isBehind === true]));
  }

  #activeQueues(): readonly Pick<StoreQueue<never>, "start" | "stop" | "firstPending">[] {
    const { metrics, logs, traces } = this.#queues;
    return [metrics, logs, traces].filter((queue) => queue !== undefined);
  }

  #activeStores(): readonly Store<never>[] {
    const { metrics, logs } = this.#options.stores;
    return [metrics, logs, this.#sampler].filter((store) => store !== undefined);
  }
}

function toLog(request: WireRequest, decisions: Uint8Array | undefined, isHeld: boolean): LoggedRequest {
  return decisions || isHeld ? { ...request, decisions, isHeld } : request;
}

function traceWork(decoded: Extract<Decoded, { signal: "traces" }>, request: LoggedRequest): TraceWork;
function traceWork(decoded: Decoded | undefined, request: LoggedRequest): TraceWork | undefined;
function traceWork(decoded: Decoded | undefined, request: LoggedRequest): TraceWork | undefined {
  if (!decoded) return { kind: "decide", decision: decodeTailDecision(request.body) };
  if (decoded.signal !== "traces") return undefined;
  const { batch } = decoded;
  return request.isHeld ? { kind: "hold", batch, receivedAtMs: request.receivedAtMs } : { kind: "store", batch };
}

function rows(batch: { readonly length: number }): number {
  return batch.length;
}
