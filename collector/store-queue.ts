import { setTimeout as sleep } from "node:timers/promises";
import { UnavailableError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import { backgroundTurn } from "@sightline/model/loop-turns.ts";
import type { AppendResult, Signal, Store } from "@sightline/model/ports.ts";
import type { StoresConfig } from "./config.ts";
import { type DeadLetterReason, KEPT_AS_DEAD_LETTER } from "./dead-letters/dead-letter-file.ts";
import type { DeadLetters } from "./dead-letters/dead-letters.ts";
import type { FairTurns } from "./fair-turns.ts";
import type { IngestMetrics } from "./ingest-metrics.ts";
import type { LoggedRequest } from "./wal/record.ts";
import type { WriteAheadLog } from "./wal/write-ahead-log.ts";

export type StoreQueueOptions<Batch> = {
  readonly signal: Signal;
  readonly store: Store<Batch>;
  readonly wal: Pick<WriteAheadLog, "replay" | "lastPosition">;
  /** What takes long of a request from the log, done beside other work; `decode` gets the result. Throws what it throws. */
  readonly prepare?: ((request: LoggedRequest) => Promise<LoggedRequest> | LoggedRequest) | undefined;
  /** Also processes. undefined when the request is of another signal. Throws what the decoder throws. */
  readonly decode: (request: LoggedRequest) => Batch | undefined;
  /** Samples, records or spans in a batch. */
  readonly itemsOf: (batch: Batch) => number;
  readonly deadLetters: Pick<DeadLetters, "add">;
  readonly config: StoresConfig;
  readonly logger: Logger;
  readonly metrics: IngestMetrics;
  /** Of the event loop. */
  readonly turns: FairTurns;
};

/** A request that waits for those before it; `settle` takes what {@link StoreQueue.append} gives. */
type Waiting<Batch> = {
  readonly position: number;
  readonly request: LoggedRequest;
  readonly batch: Batch;
  readonly settle: (result: Promise<AppendResult | undefined> | undefined) => void;
};
/** `failed`: the store was not there; to be given again. */
type Flight = {
  readonly position: number;
  state: "pending" | "applied" | "failed";
  retryAfterMs: number;
  /** What it failed for will be over by itself: see `UnavailableError`. */
  isBusy: boolean;
};

/** What has been done since the queue fell behind. */
type Progress = { readonly startedMs: number; reportedMs: number; requests: number };

const FIRST_RETRY_MS = 100;
const PROGRESS_EVERY_MS = 5_000;
/** Bodies of the requests that the store has been given and has not answered; decoded they take several times as much. */
const MAX_PENDING_BYTES = 16 * 1024 * 1024;
/** Replaying may hold the event loop for so long at a time. */
const TURN_MS = 10;

/**
 * Gives one store the requests of its signal in the order of their positions.
 *
 * Live, requests are handed over as they come, by default one after the other: a store that refuses one and takes the
 * next could make that one durable, and would then ignore the first when it is given again. When the store is not
 * available the queue falls behind: it keeps no requests in memory but reads them from the log again, retrying with
 * growing delays, until it has caught up. After a start it is behind from where the log has to be replayed. Requests
 * that come meanwhile are answered by the log alone.
 */
export class StoreQueue<Batch> {
  readonly #signal: Signal;
  readonly #options: StoreQueueOptions<Batch>;
  #waiting: Waiting<Batch>[] = [];
  /** From the lowest position that is not applied on, ascending. */
  #flights: Flight[] = [];
  #pending = 0;
  #pendingBytes = 0;
  #anyFailed = false;
  #behind = false;
  /** While behind: the position to read the log from. Live: everything below was given to the store by a replay. */
  #from = 0;
  /** The last request that came while the queue was behind. */
  #deferred = 0;
  #deferredBytes = 0;
  /** The highest position the store took. */
  #highest = 0;
  #onSettled: (() => void)[] = [];
  readonly #stop = new AbortController();
  #catchingUp: Promise<void> | undefined;

  constructor(options: StoreQueueOptions<Batch>) {
    this.#options = options;
    this.#signal = options.signal;
  }

  /**
   * Replays the log. Settles when the store has everything, or when it turns out not to be available: one that is only
   * busy is waited for, because who asks it next expects to find what was acknowledged.
   */
  async start(replayFrom: number): Promise<void> {
    this.#from = replayFrom;
    await new Promise<void>((resolve) => this.#fallBehind(resolve));
  }

  /** Whether there may be requests that were answered and are not in the store. */
  get isBehind(): boolean {
    return this.#behind;
  }

  /** Bodies of the requests that were answered and are not in the store yet. */
  get deferredBytes(): number {
    return this.#behind ? this.#deferredBytes : 0;
  }

  /** The lowest position that the log still has to keep for this queue, undefined when there is none. */
  firstPending(): number | undefined {
    const flight = this.#flights.find(({ state }) => state !== "applied");
    if (!this.#behind) return flight?.position ?? this.#waiting[0]?.position;
    return flight ? Math.min(flight.position, this.#from) : this.#from;
  }

  /**
   * To be called in the order of positions, once the request is durable. Gives what the store said, undefined when it
   * will get the request later.
   */
  async append(position: number, request: LoggedRequest, batch: Batch): Promise<AppendResult | undefined> {
    // A replay that ended between the sync and this call has brought it already.
    if (position < this.#from) return undefined;
    if (this.#behind) {
      this.#deferred = position;
      this.#deferredBytes += request.body.length;
      return undefined;
    }
    if (this.#waiting.length === 0 && !this.#isSaturated()) return this.#give(position, request, batch);
    return new Promise((settle) => this.#waiting.push({ position, request, batch, settle }));
  }

  #giveWaiting(): void {
    while (this.#waiting.length > 0 && !this.#behind && !this.#isSaturated()) {
      const { position, request, batch, settle } = this.#waiting.shift() as Waiting<Batch>;
      settle(this.#give(position, request, batch));
    }
  }

  /** Waits for the store's answers to what it was given; a store that is behind gets the rest after the next start. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#catchingUp;
    await this.#allSettled();
  }

  async #give(position: number, request: LoggedRequest, batch: Batch): Promise<AppendResult | undefined> {
    const { store, turns } = this.#options;
    const flight = newFlight(position);
    this.#flights.push(flight);
    this.#pending++;
    this.#pendingBytes += request.body.length;
    try {
      const turn = turns.next("apply");
      if (turn) await turn;
      const result = await store.append(request.tenant, batch, position);
      this.#highest = Math.max(this.#highest, position);
      flight.state = "applied";
      return result;
    } catch (error) {
      if (error instanceof UnavailableError) return this.#failed(flight, error);
      return await this.#giveUp(flight, request, "refused", error, this.#options.itemsOf(batch));
    } finally {
      this.#pending--;
      this.#pendingBytes -= request.body.length;
      this.#dropApplied();
      for (const wake of this.#onSettled.splice(0)) wake();
      this.#giveWaiting();
    }
  }

  /** Puts a request aside; it is done then, unless even that is not possible. */
  async #giveUp(
    flight: Flight,
    request: LoggedRequest,
    reason: DeadLetterReason,
    error: unknown,
    items: number,
  ): Promise<AppendResult | undefined> {
    try {
      await this.#options.deadLetters.add(request, flight.position, reason, error);
    } catch (cause) {
      return this.#failed(flight, cause);
    }
    this.#options.metrics.deadLetter(this.#signal, reason);
    flight.state = "applied";
    const message = `${KEPT_AS_DEAD_LETTER}, because the store refused it: ${(error as Error).message}`;
    return { accepted: 0, rejected: [{ reason: "invalid", count: items, message }] };
  }

  #failed(flight: Flight, error: unknown): undefined {
    flight.state = "failed";
    this.#anyFailed = true;
    if (error instanceof UnavailableError) {
      flight.retryAfterMs = error.retryAfterMs;
      flight.isBusy = error.isBusy;
    }
    this.#options.metrics.retry(this.#signal);
    if (!this.#behind || !flight.isBusy) {
      this.#options.logger.warn("a store can't take requests: they stay in the log and are given to it later", {
        signal: this.#signal,
        error,
      });
    }
    if (!this.#behind) {
      this.#from = this.#flights.find(({ state }) => state !== "applied")?.position ?? flight.position;
      this.#fallBehind(() => {});
    }
  }

  #dropApplied(): void {
    let done = 0;
    while (this.#flights[done]?.state === "applied") done++;
    const last = this.#flights[done - 1];
    if (!last) return;
    this.#flights.splice(0, done);
    if (this.#behind) this.#from = Math.max(this.#from, last.position + 1);
  }

  #fallBehind(onCaughtUpOrFailed: () => void): void {
    this.#behind = true;
    this.#deferredBytes = 0;
    this.#deferred = Math.max(this.#deferred, (this.#waiting.at(-1) ?? this.#flights.at(-1))?.position ?? 0);
    for (const { settle } of this.#waiting.splice(0)) settle(undefined);
    this.#catchingUp = this.#catchUp(onCaughtUpOrFailed)
      .catch((error: unknown) => {
        // Not reached unless the log can't be read. Staying behind keeps everything in it for the next start.
        this.#options.logger.error("could not read the write-ahead log", { signal: this.#signal, error });
      })
      .finally(onCaughtUpOrFailed);
  }

  async #catchUp(onFailed: () => void): Promise<void> {
    let attempt = 0;
    let lastFailed = -1;
    const nowMs = performance.now();
    const progress: Progress = { startedMs: nowMs, reportedMs: nowMs, requests: 0 };
    while (!this.#stop.signal.aborted) {
      await this.#allSettled();
      const failed = this.#flights.find(({ state }) => state === "failed");
      if (failed) {
        if (!failed.isBusy) onFailed();
        attempt = failed.position === lastFailed ? attempt + 1 : 0;
        lastFailed = failed.position;
        await this.#pause(attempt, failed);
      }
      const through = this.#options.wal.lastPosition;
      const applied = this.#flights.filter(({ state }) => state === "applied");
      this.#flights = [];
      this.#anyFailed = false;
      const complete = await this.#replay(new Set(applied.map(({ position }) => position)), through, progress);
      await this.#allSettled();
      if (!complete || this.#anyFailed) {
        // What the store took beyond the failure must be left out next time, too.
        this.#flights.push(...applied.filter(({ position }) => position > this.#from));
        this.#flights.sort((a, b) => a.position - b.position);
        continue;
      }
      this.#from = through + 1;
      if (this.#deferred > through) continue;
      this.#behind = false;
      if (performance.now() - progress.startedMs > PROGRESS_EVERY_MS) {
        this.#report("replayed the write-ahead log", progress);
      }
      return;
    }
  }

  /** One pass over the log. False when it was broken off because the store is not available or the process stops. */
  async #replay(handled: ReadonlySet<number>, through: number, progress: Progress): Promise<boolean> {
    let turnStart = performance.now();
    for await (const { position, request } of this.#options.wal.replay(this.#from)) {
      if (position > through) break;
      const now = performance.now();
      if (now - turnStart > TURN_MS) {
        await backgroundTurn();
        turnStart = performance.now();
      }
      if (now - progress.reportedMs > PROGRESS_EVERY_MS) {
        progress.reportedMs = now;
        this.#report("replaying the write-ahead log", progress);
      }
      while (this.#isSaturated()) await this.#nextSettled();
      if (this.#stop.signal.aborted || this.#anyFailed) return false;
      if (!handled.has(position) && (await this.#replayOne(position, request))) progress.requests++;
    }
    await this.#allSettled();
    return !this.#stop.signal.aborted;
  }

  #isSaturated(): boolean {
    return this.#pending >= this.#options.config.max_concurrent_appends || this.#pendingBytes >= MAX_PENDING_BYTES;
  }

  /** Hands the request over without waiting for the answer. False when it is none of this queue's. */
  async #replayOne(position: number, request: LoggedRequest): Promise<boolean> {
    let batch: Batch | undefined;
    try {
      const prepared = this.#options.prepare?.(request) ?? request;
      batch = this.#options.decode(prepared instanceof Promise ? await prepared : prepared);
    } catch (error) {
      await this.#putAside(position, request, "undecodable", error);
      return true;
    }
    if (batch === undefined) return false;
    this.#options.metrics.replayed(this.#signal);
    this.#deferredBytes = Math.max(0, this.#deferredBytes - request.body.length);
    if (position < this.#highest) {
      const error = new Error(`the store took position ${this.#highest} but not ${position}`);
      await this.#putAside(position, request, "overtaken", error);
    } else void this.#give(position, request, batch);
    return true;
  }

  async #putAside(position: number, request: LoggedRequest, reason: DeadLetterReason, error: unknown): Promise<void> {
    const flight = newFlight(position);
    this.#flights.push(flight);
    await this.#giveUp(flight, request, reason, error, 0);
    this.#dropApplied();
  }

  #report(message: string, { startedMs, requests }: Progress): void {
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    this.#options.logger.info(message, { signal: this.#signal, requests, seconds });
  }

  async #pause(attempt: number, { retryAfterMs, isBusy }: Flight): Promise<void> {
    const growingMs = FIRST_RETRY_MS * 2 ** Math.min(attempt, 20);
    const delayMs = isBusy ? Math.min(retryAfterMs, growingMs) : Math.max(retryAfterMs, growingMs);
    const boundedMs = Math.min(delayMs, this.#options.config.max_retry_delay_ms);
    await sleep(boundedMs, undefined, { signal: this.#stop.signal }).catch(() => {});
  }

  #nextSettled(): Promise<void> {
    return new Promise((resolve) => this.#onSettled.push(resolve));
  }

  async #allSettled(): Promise<void> {
    while (this.#pending > 0) await this.#nextSettled();
  }
}

function newFlight(position: number): Flight {
  return { position, state: "pending", retryAfterMs: 0, isBusy: false };
}
