import { setTimeout as sleep } from "node:timers/promises";
import { UnavailableError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { MemoryPart } from "@sightline/model/memory-part.ts";
import type { AppendResult, Dependency } from "@sightline/model/ports.ts";
import type { Deletion, RowDeletion } from "@sightline/model/row-deletion.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import type { Registry } from "prom-client";
import type { OpenSearchConfig } from "../config.ts";
import { OpenSearchConnection } from "../connection/open-search-connection.ts";
import { admitRows, type TimeLimits } from "./admit-rows.ts";
import { BackgroundTask } from "./background-task.ts";
import { BulkWriter } from "./bulk-writer.ts";
import { Flusher } from "./flusher.ts";
import { type HotBatch, HotRows } from "./hot-rows.ts";
import { IndexLifecycle } from "./index-lifecycle.ts";
import { IndexNames } from "./index-names.ts";
import { putTemplates, replaceOldIndexes } from "./index-templates.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import { longestKeepMs, longestOfAllMs, type RetentionPolicies, samePolicyForAll } from "./retention-policies.ts";
import type { Row, RowCodec, RowFilter } from "./row-codec.ts";
import { RowDeleter } from "./row-deleter.ts";
import { rowOfSource } from "./row-document.ts";
import { RowRetention } from "./row-retention.ts";
import { searchRows, type Visibility } from "./search-rows.ts";
import { StoreMetrics } from "./store-metrics.ts";
import { Turn } from "./turn.ts";
import { WriterCheckpoint } from "./writer-checkpoint.ts";

/** What the stores of logs and of traces are made with. */
export type OpenSearchStoreOptions = {
  readonly config: OpenSearchConfig;
  /** How long rows are kept, and for how long a deletion can be cancelled; in ms. */
  readonly limits: TimeLimits & { readonly deletion_grace: number };
  /** In place of `limits.retention`, where tenants or streams have one of their own. */
  readonly retention?: RetentionPolicies | undefined;
  /**
   * Whose log the positions are from. The same after a restart with the same log, and no other process' at any time.
   * Letters, digits, `-` and `_`.
   */
  readonly writer: string;
  /** The store is only read: nothing is appended, and `writer` need not be the same after a restart. */
  readonly isReader?: boolean | undefined;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly nowMs?: (() => number) | undefined;
  /** Waits; tests do something else meanwhile. */
  readonly pause?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
};

/** A tenant's rows at one moment: those in memory, and what searches must leave out for it. */
export type Snapshot<Batch> = { readonly hot: readonly HotBatch<Batch>[]; readonly visibility: Visibility };

export type RowsRequest<R extends Row> = {
  readonly tenant: TenantId;
  readonly range: TimeRangeNs;
  readonly filter: RowFilter<R>;
  readonly newestFirst: boolean;
  readonly limit: number;
};

/** How long a flush takes when little is going on. */
const FLUSH_MS = 500;
const MAX_OTHERS_MS = 10_000;
const TICK_MS = 50;
const RETRY_AFTER_MS = 1_000;
const PING_TIMEOUT_MS = 5_000;
/** A cluster that is slower than that is waited for in the background, so that the rest of the process starts. */
const CONNECT_PATIENCE_MS = 10_000;
const CAN_T_CONNECT = "can't reach OpenSearch; it is looked for, and what comes in stays in the write-ahead log";
const CAN_T_FLUSH = "can't send rows to OpenSearch; they stay in memory and in the write-ahead log";
const CAN_T_MAINTAIN = "can't maintain the indexes in OpenSearch; it is tried again later";

/**
 * Keeps rows in memory as they come ("hot"), sends them to OpenSearch many at a time, and lets go of them once searches find
 * them there: what the stores of logs and of traces have in common. A row belongs to exactly one of both at any moment: what
 * this writer sent but has not noted in its checkpoint is left out of its searches.
 */
export class RowsStore<Batch extends { readonly length: number }, R extends Row> {
  readonly connection: OpenSearchConnection;
  readonly names: IndexNames;
  readonly metrics: StoreMetrics;
  readonly memoryParts: readonly MemoryPart[];
  readonly #options: OpenSearchStoreOptions;
  readonly #codec: RowCodec<Batch, R>;
  readonly #nowMs: () => number;
  readonly #hot = new HotRows<Batch>();
  readonly #checkpoint: WriterCheckpoint;
  readonly #flusher: Flusher<Batch, R>;
  readonly #deleter: RowDeleter<Batch, R>;
  readonly #lifecycle: IndexLifecycle;
  readonly #policies: RetentionPolicies;
  readonly #retention: RowRetention;
  /** Undefined until the cluster has been reached. */
  #flushedPosition: number | undefined;
  readonly #flushes = new OneAtATime();
  readonly #deletions = new OneAtATime();
  readonly #connecting: BackgroundTask;
  readonly #flushing: BackgroundTask;
  readonly #maintaining: BackgroundTask;
  #maintainedAtMs = performance.now();
  #flushBeganMs = performance.now();
  #ticker: NodeJS.Timeout | undefined;
  #stopped = true;

  constructor(options: OpenSearchStoreOptions, codec: RowCodec<Batch, R>) {
    const { config, logger, registry, writer } = options;
    this.#options = options;
    this.#codec = codec;
    this.#nowMs = options.nowMs ?? Date.now;
    this.connection = new OpenSearchConnection(config, registry);
    this.names = new IndexNames(codec.signal, config);
    this.metrics = new StoreMetrics(registry, codec.signal);
    const { connection, names, metrics } = this;
    this.#checkpoint = new WriterCheckpoint(connection, names, codec.signal, writer);
    const bulk = new BulkWriter({ connection, config: config.bulk });
    const shared = { connection, bulk, names, codec, writer, logger, metrics };
    this.#flusher = new Flusher({ ...shared, checkpoint: this.#checkpoint });
    const othersMs = Math.min(2 * config.flush.max_age + FLUSH_MS, MAX_OTHERS_MS);
    this.#deleter = new RowDeleter({
      ...shared,
      graceMs: options.limits.deletion_grace,
      nowMs: this.#nowMs,
      untilOthersWrote: (signal) => (options.pause ?? pause)(othersMs, signal),
    });
    this.#policies = options.retention ?? samePolicyForAll(options.limits.retention);
    const policies = this.#policies;
    const upkeep = { connection, names, nowMs: this.#nowMs, logger, metrics };
    this.#lifecycle = new IndexLifecycle({ ...upkeep, config, longestMs: () => longestOfAllMs(policies) });
    this.#retention = new RowRetention({ ...upkeep, codec, policies });
    const task = (failure: string, work: () => Promise<void>) =>
      new BackgroundTask({ failure, work, logger, details: { store: codec.signal } });
    this.#connecting = task(CAN_T_CONNECT, () => this.#connect());
    this.#flushing = task(CAN_T_FLUSH, () => this.flush());
    this.#maintaining = task(CAN_T_MAINTAIN, () => this.maintain());
    this.memoryParts = [
      { name: `${codec.signal}_rows`, memoryBytes: () => this.#hot.bytes, flush: () => this.flush() },
    ];
  }

  /** A cluster that is not there is looked for until it is; throws when it is there and soon refuses what the store needs. */
  async start(): Promise<void> {
    this.#stopped = false;
    await this.#policies.start();
    await this.#connecting.startWith(CONNECT_PATIENCE_MS, (error) => !(error instanceof UnavailableError));
    this.#ticker = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** Flushes what is in memory. When that fails the rows stay in the write-ahead log, and the error is thrown. */
  async stop(): Promise<void> {
    clearInterval(this.#ticker);
    if (this.#stopped) return;
    try {
      if (this.#hot.rows > 0) await this.flush();
    } finally {
      this.#stopped = true;
      await Promise.all([this.#flushes.idle(), this.#deletions.idle()]);
      await this.connection.close();
    }
  }

  firstUnflushedPosition(): number | undefined {
    return this.#hot.first?.position;
  }

  /** Everything of it happens before it returns; the promise is the port's. */
  async append(tenant: TenantId, batch: Batch, position: number): Promise<AppendResult> {
    if (this.#options.isReader) throw new Error("this store is only read");
    if (position <= this.#flushed()) {
      this.metrics.replayed.inc(batch.length);
      return { accepted: batch.length, rejected: [] };
    }
    this.#checkBacklog();
    const now = this.#nowMs();
    const { rows, minNs, maxNs, rejected } = admitRows(batch, this.#codec, this.#limitsOf(tenant), now);
    for (const { reason, count } of rejected) this.metrics.rejected.inc({ reason }, count);
    if (rows.length === 0) return { accepted: 0, rejected };
    this.metrics.rows.inc(rows.length);
    const bytes = this.#codec.approximateBytes(batch);
    const arrival = { arrivedMs: performance.now(), ingestedAtMs: now };
    this.#hot.add({ tenant, batch, position, rows, bytes, minNs, maxNs, ...arrival });
    this.#report();
    if (this.#isFlushDue()) this.#flushing.start();
    return { accepted: rows.length, rejected };
  }

  flush(): Promise<void> {
    return this.#flushes.run(() => this.#flushNow());
  }

  snapshot(tenant: TenantId): Snapshot<Batch> {
    const untilPosition = this.#flushed();
    return { hot: this.#hot.batchesOf(tenant), visibility: { writer: this.#options.writer, untilPosition } };
  }

  /** Rows of memory and of OpenSearch in the order of time, at most `limit`, some at a time. */
  async *rows(request: RowsRequest<R>, signal: AbortSignal): AsyncGenerator<readonly R[]> {
    signal.throwIfAborted();
    const { tenant, range, filter, newestFirst } = request;
    const { hot, visibility } = this.snapshot(tenant);
    const order = { newestFirst, limit: request.limit };
    const turn = new Turn();
    const waiting = await this.#hotRows(hot, request, turn, signal);
    const isBefore = newestFirst ? (a: R, b: R) => a.timeNs > b.timeNs : (a: R, b: R) => a.timeNs < b.timeNs;
    let left = request.limit;
    let next = 0;
    const search = { tenant, range, visibility, must: filter.must, mustNot: filter.mustNot };
    for await (const page of searchRows(this.connection, this.names.all, search, order, signal)) {
      const merged: R[] = [];
      for (const { _source } of page) {
        const row = rowOfSource(this.#codec, _source);
        while (next < waiting.length && isBefore(waiting[next] as R, row)) merged.push(waiting[next++] as R);
        if (filter.matches(row)) merged.push(row);
        await turn.next(signal);
      }
      if (merged.length > left) merged.length = left;
      left -= merged.length;
      if (merged.length > 0) yield merged;
      if (left === 0) return;
    }
    const rest = waiting.slice(next, next + left);
    if (rest.length > 0) yield rest;
  }

  async deleteRows(request: RowDeletion, filter: RowFilter<R>, signal: AbortSignal): Promise<Deletion> {
    return this.#deletions.run(async () => {
      await this.flush();
      return this.#deleter.delete(request, filter, this.snapshot(request.tenant).visibility, signal);
    });
  }

  async deletions(tenant: TenantId): Promise<readonly Deletion[]> {
    this.#flushed();
    return this.#deleter.list(tenant);
  }

  cancelDeletion(tenant: TenantId, id: string): Promise<boolean> {
    return this.#deletions.run(() => this.#deleter.cancel(tenant, id));
  }

  get dependencies(): readonly Dependency[] {
    const { nodes } = this.#options.config;
    const hosts = nodes.map((node) => new URL(node).host).join(", ");
    return [{ name: `OpenSearch ${hosts}`, purpose: this.#codec.signal, ping: () => this.#ping() }];
  }

  /** Asks for what every user of the indexes may read. */
  async #ping(): Promise<void> {
    const path = `/${this.names.state}/_doc/ping`;
    await this.connection.send("ping", {
      method: "GET",
      path,
      accept: [404],
      maxRetries: 0,
      timeoutMs: PING_TIMEOUT_MS,
    });
  }

  /** Rolls indexes over, drops expired ones and removes deleted rows now; it happens by itself once a minute. */
  async maintain(): Promise<void> {
    this.#flushed();
    const isAnyRemoved = await this.#deletions.run(async () => {
      await this.#deleter.restoreAbandoned();
      return this.#deleter.removeDue();
    });
    if (isAnyRemoved) await this.#deleter.expunge();
    await this.#policies.reload();
    await this.#lifecycle.maintain();
    await this.#retention.maintain();
  }

  #flushed(): number {
    if (this.#flushedPosition !== undefined && !this.#stopped) return this.#flushedPosition;
    const { signal } = this.#codec;
    const problem = this.#stopped ? "is not running" : "has not reached OpenSearch yet; see storage.opensearch.nodes";
    throw new UnavailableError(`the store of ${signal} ${problem}`, { retryAfterMs: RETRY_AFTER_MS });
  }

  /** Throws when the rows that wait to be sent are too many already. */
  #checkBacklog(): void {
    const { max_backlog, max_backlog_bytes } = this.#options.config.flush;
    const { rows, bytes } = this.#hot;
    if (rows < max_backlog && bytes < max_backlog_bytes) return;
    this.#flushing.start();
    const keys = `storage.opensearch.flush.max_backlog (${max_backlog}) and max_backlog_bytes (${max_backlog_bytes})`;
    throw new UnavailableError(
      `${rows} rows of ${this.#codec.signal}, about ${bytes} bytes, wait to be sent to OpenSearch; ${keys} allow no more`,
      { retryAfterMs: RETRY_AFTER_MS },
    );
  }

  #limitsOf(tenant: TenantId): TimeLimits {
    return { ...this.#options.limits, retention: longestKeepMs(this.#policies.of(tenant)) };
  }

  #isFlushDue(): boolean {
    const { max_rows, max_bytes, max_age, min_age } = this.#options.config.flush;
    const { rows, bytes, first } = this.#hot;
    if (!first) return false;
    if (rows >= max_rows || bytes >= max_bytes) return true;
    const nowMs = performance.now();
    // Where little comes in it need not wait for more.
    const isIdle = nowMs - this.#flushBeganMs >= max_age;
    return nowMs - first.arrivedMs >= (isIdle ? Math.min(min_age, max_age) : max_age);
  }

  #tick(): void {
    if (this.#flushedPosition === undefined) this.#connecting.start();
    else if (this.#isFlushDue()) this.#flushing.start();
    if (this.#flushedPosition === undefined) return;
    if (performance.now() - this.#maintainedAtMs < this.#options.config.maintenance_interval) return;
    this.#maintainedAtMs = performance.now();
    this.#maintaining.start();
  }

  async #connect(): Promise<void> {
    await putTemplates(this.connection, this.names, this.#codec, this.#options.config);
    await replaceOldIndexes(this.connection, this.names);
    const { isReader } = this.#options;
    const position = isReader ? -1 : await this.#checkpoint.read();
    if (!isReader) await this.#checkpoint.removeUnfinished();
    await this.#deleter.recover();
    this.#flushedPosition = position;
    this.metrics.connected.set(1);
  }

  async #flushNow(): Promise<void> {
    this.#flushed();
    this.#flushBeganMs = performance.now();
    const until = this.#hot.last?.position ?? -1;
    const { max_rows } = this.#options.config.flush;
    try {
      await this.#flusher.write({
        next: (skipped) => this.#hot.portion(max_rows, until, skipped),
        done: (portion) => {
          this.#flushedPosition = (portion.at(-1) as HotBatch<Batch>).position;
          this.#hot.drop(portion.length);
          this.metrics.flushes.inc({ result: "ok" });
          this.#report();
        },
      });
    } catch (error) {
      this.metrics.flushes.inc({ result: "failed" });
      throw error;
    }
  }

  /** Those that the request wants, in its order. */
  async #hotRows(
    batches: readonly HotBatch<Batch>[],
    { range, filter, newestFirst, limit }: RowsRequest<R>,
    turn: Turn,
    signal: AbortSignal,
  ): Promise<readonly R[]> {
    const found: R[] = [];
    for (const { batch, rows, minNs, maxNs } of batches) {
      if (maxNs < range.startNs || minNs >= range.endNs) continue;
      const times = this.#codec.timesOf(batch);
      for (const row of rows) {
        const time = times[row] as bigint;
        if (time < range.startNs || time >= range.endNs) continue;
        const candidate = this.#codec.rowAt(batch, row);
        if (filter.matches(candidate)) found.push(candidate);
        await turn.next(signal);
      }
    }
    found.sort((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0));
    if (newestFirst) found.reverse();
    return found.length > limit ? found.slice(0, limit) : found;
  }

  #report(): void {
    this.metrics.hotRows.set(this.#hot.rows);
    this.metrics.hotBytes.set(this.#hot.bytes);
  }
}

/** Throws the reason of the signal. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
