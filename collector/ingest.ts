import { InvalidInputError, SightlineError, TooManyRequestsError, UnavailableError } from "@sightline/model/errors.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { MemoryGate, MemoryPart } from "@sightline/model/memory-part.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import type { AppendResult, Component, Signal, Store } from "@sightline/model/ports.ts";
import type { TextSealer } from "@sightline/model/sealed-text.ts";
import type { SharedCache, SharedRates } from "@sightline/model/shared-state.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { decompressAsync } from "@sightline/proto/compression.ts";
import type { Decoder } from "@sightline/proto/decoder.ts";
import { JsonThread } from "@sightline/proto/otlp/json-thread.ts";
import type { Decoded, Protocol, WireRequest } from "@sightline/proto/wire-request.ts";
import type { Registry } from "prom-client";
import { type BudgetPlace, ByteBudget } from "./byte-budget.ts";
import { ConcurrencyGate } from "./concurrency-gate.ts";
import type { CollectorConfig } from "./config.ts";
import type { DeadLetters } from "./dead-letters/dead-letters.ts";
import { FairTurns } from "./fair-turns.ts";
import { IngestMetrics } from "./ingest-metrics.ts";
import { countRejected, type IngestResult, isEmpty, itemsOf, metricItems, writtenCounts } from "./ingest-result.ts";
import { Tenants } from "./limits/tenants.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import type { Processed } from "./processors/pipeline.ts";
import { finish } from "./processors/steps.ts";
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
  /** By which collectors agree about traces under tail sampling. Absent: this one decides alone. */
  readonly sharedVerdicts?: SharedCache | undefined;
  /** Directory for what limits remember over restarts; absent: they forget. */
  readonly limitsDir?: string | undefined;
  /** Asked for each request, from its first byte on. Absent: only `limits.max_in_flight_bytes` bounds them. */
  readonly memory?: MemoryGate | undefined;
};

/** A store that keeps the log from shrinking is told to flush when the log is this full. */
const FLUSH_AT = 0.7;
const RETRY_AFTER_MS = 2_000;
/** Decoding so much takes some milliseconds: larger requests are decoded in steps. */
const LARGE_BODY_BYTES = 512 * 1024;
/** Of a request that processors take at once. */
const MANY_ITEMS = 2_000;
/** Bytes of JSON per byte that was sent. */
const TYPICAL_RATIO = 10;
const PROTOBUF_OF: ReadonlyMap<Protocol, Protocol> = new Map([
  ["otlp-metrics-json", "otlp-metrics-protobuf"],
  ["otlp-logs-json", "otlp-logs-protobuf"],
  ["otlp-traces-json", "otlp-traces-protobuf"],
  ["loki-push-json", "loki-push-protobuf"],
]);
/** Few, because each may take max_decompressed_bytes. Only large bodies take long: they are inflated on other threads. */
const MAX_INFLATING = 2;

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
  readonly #inflating = new ConcurrencyGate(MAX_INFLATING);
  readonly #turns = new FairTurns();
  readonly #processing = new OneAtATime();
  readonly #json = new JsonThread();
  readonly #inFlight = new Set<Promise<unknown>>();
  /** Everything up to here is known to the queues. */
  #handedOver = 0;
  #running = false;
  #timer: NodeJS.Timeout | undefined;
  #truncating: Promise<void> | undefined;

  constructor(options: IngestOptions) {
    this.#options = options;
    this.budget = new ByteBudget(options.config.limits.max_in_flight_bytes, {
      admit: (bytes) => {
        this.#checkWait();
        options.memory?.admit(bytes);
      },
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
      prepare: (request) => (signalOf(request) === signal ? this.#prepareAgain(request) : request),
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

  /** A request from the log with what takes long before it is decoded done on other threads. Throws what decoding it would. */
  async #prepareAgain(request: LoggedRequest): Promise<LoggedRequest> {
    const { protocol, encoding, body } = request;
    if (protocol === TAIL_DECISION || !PROTOBUF_OF.has(protocol)) return request;
    const isInflated = encoding !== "identity";
    if (body.length < (isInflated ? LARGE_BODY_BYTES / TYPICAL_RATIO : LARGE_BODY_BYTES)) return request;
    const maxBytes = this.#options.config.limits.max_decompressed_bytes;
    const inflated = isInflated ? await decompressAsync(body, encoding, maxBytes) : body;
    const wire: WireRequest = { ...request, protocol, encoding: "identity", body: inflated };
    return { ...request, ...(await this.#withoutJson(wire, undefined, isInflated)) };
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
    this.#timer = setInterval(() => this.#truncate(), config.wal.truncate_interval_ms);
    this.#timer.unref();
  }

  /** Refuses what is new, answers what is in, makes the stores durable and gives back what the log kept for them. */
  async stop(): Promise<void> {
    const wasRunning = this.#running;
    this.#running = false;
    clearInterval(this.#timer);
    await Promise.allSettled(this.#inFlight);
    await this.#json.close();
    await this.#tenants.stop();
    await this.#sampler?.stop();
    await Promise.all(this.#activeQueues().map((queue) => queue.stop()));
    await this.#truncating;
    if (!wasRunning) return;
    for (const store of this.#activeStores()) {
      // Not flushed is not lost: the log is replayed at the next start.
      await store.flush().catch((error: unknown) => {
        this.#options.logger.error("a store could not be flushed", { store: store.name, error });
      });
    }
    this.#truncate();
    await this.#truncating;
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
      const decoded = await this.#decode(request, place);
      return await this.#keep(request, decoded);
    } finally {
      place.release();
    }
  }

  /** A batch takes about as much as the body that it was made from, inflated; of samples, as the compressed one. */
  async #decode(request: WireRequest, place: BudgetPlace): Promise<Decoded> {
    const { config } = this.#options;
    const { encoding } = request;
    if (encoding === "identity" || encoding === "snappy") {
      place.grow(request.body.length);
      return this.#decodeInTurn(await this.#withoutJson(request, place, false));
    }
    const body = await this.#inflating.run(async () => {
      const inflated = await decompressAsync(request.body, encoding, config.limits.max_decompressed_bytes);
      place.grow(inflated.length);
      return inflated;
    });
    const inflated: WireRequest = { ...request, body, encoding: "identity" };
    return this.#decodeInTurn(await this.#withoutJson(inflated, place, true));
  }

  /** Large requests in JSON become protobuf on another thread. Nobody else needs a body that was inflated. */
  async #withoutJson(request: WireRequest, place: BudgetPlace | undefined, isInflated: boolean): Promise<WireRequest> {
    const protocol = PROTOBUF_OF.get(request.protocol);
    if (!protocol || request.encoding !== "identity" || request.body.length < LARGE_BODY_BYTES) return request;
    const kind = protocol === "loki-push-protobuf" ? "loki-push" : signalOf(request);
    const body = await this.#json.toProtobuf(kind, request.body, { giveAway: isInflated });
    place?.grow(body.length);
    return { ...request, protocol, body };
  }

  async #decodeInTurn(request: WireRequest): Promise<Decoded> {
    const { decoder, memory } = this.#options;
    const turn = this.#turns.next("decode");
    if (turn) await turn;
    // It may have become short since the request was let in.
    memory?.admit(0);
    if (request.body.length < LARGE_BODY_BYTES) return decoder.decode(request);
    return this.#inTurns(decoder.decodeInSteps(request));
  }

  async #inTurns<T>(steps: Generator<unknown, T, undefined>): Promise<T> {
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      const next = this.#turns.next("go-on");
      if (next) await next;
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
    const waitedMs = Math.max(this.#turns.waitedMs, this.#inflating.waitedMs);
    if (waitedMs < maxMs) return;
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
    if (itemsOf(decoded) < MANY_ITEMS && request.body.length < LARGE_BODY_BYTES) {
      return this.#keepProcessed(request, decoded, finish(steps), counts);
    }
    const done = this.#processing.begin(key);
    let kept: Promise<IngestResult>;
    try {
      const processed = await this.#inTurns(steps);
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

  #truncate(): void {
    this.#truncating ??= this.#truncateLog()
      .catch((error: unknown) => this.#options.logger.error("could not shorten the write-ahead log", { error }))
      .finally(() => {
        this.#truncating = undefined;
      });
  }

  async #truncateLog(): Promise<void> {
    const { wal, config } = this.#options;
    if (wal.bytes > FLUSH_AT * config.wal.max_bytes) await this.#flushOldest();
    await wal.truncateBefore(this.#lowestNeeded());
  }

  /** The lowest position that would be missed after a crash. */
  #lowestNeeded(): number {
    let lowest = this.#handedOver + 1;
    for (const queue of this.#activeQueues()) lowest = Math.min(lowest, queue.firstPending() ?? lowest);
    for (const store of this.#activeStores()) lowest = Math.min(lowest, store.firstUnflushedPosition() ?? lowest);
    return lowest;
  }

  async #flushOldest(): Promise<void> {
    let oldest: { store: Store<never>; position: number } | undefined;
    for (const store of this.#activeStores()) {
      const position = store.firstUnflushedPosition();
      if (position !== undefined && (!oldest || position < oldest.position)) oldest = { store, position };
    }
    await oldest?.store.flush();
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

/** From the name alone, so that a replay decodes only what it needs. */
function signalOf({ protocol }: LoggedRequest): Signal {
  if (protocol.startsWith("otlp-logs") || protocol.startsWith("loki-push")) return "logs";
  return protocol.startsWith("otlp-traces") || protocol === TAIL_DECISION ? "traces" : "metrics";
}
