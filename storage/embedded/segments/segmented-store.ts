import { availableParallelism } from "node:os";
import { UnavailableError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { MemoryPart } from "@sightline/model/memory-part.ts";
import type { AppendResult, Rejection } from "@sightline/model/ports.ts";
import type { Deletion, RowDeletion } from "@sightline/model/row-deletion.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { Registry } from "prom-client";
import { admit } from "./admission.ts";
import { BlockFilters } from "./block-filters.ts";
import type { RowSpan } from "./block-grams.ts";
import { DuckDatabase } from "./duck-database.ts";
import { type HotBatch, HotBuffer } from "./hot-buffer.ts";
import { IndexCache } from "./index-cache.ts";
import { readIndexFile } from "./index-file.ts";
import { RowCache, type RowLease } from "./row-cache.ts";
import { type FindRows, RowDeleter } from "./row-deleter.ts";
import { RowFlusher } from "./row-flusher.ts";
import type { SegmentCodec } from "./segment-codec.ts";
import { type Segment, SegmentDirectory } from "./segment-directory.ts";
import { type RowsRetentionConfig, SegmentRetention } from "./segment-retention.ts";
import type { SegmentRows } from "./segment-rows.ts";
import { SegmentUpkeep } from "./segment-upkeep.ts";
import type { SegmentFiles } from "./segment-writer.ts";
import { StoreMetrics } from "./store-metrics.ts";
import { WriteThread } from "./write-thread.ts";

/** The settings that logs and traces share; durations in ms. */
export type SegmentedStoreConfig = RowsRetentionConfig & {
  readonly max_future: number;
  readonly deletion_grace: number;
  readonly flush: {
    readonly max_rows: number;
    readonly max_bytes: number;
    readonly max_age: number;
    readonly idle: number;
    readonly idle_rows: number;
    readonly max_backlog: number;
    readonly max_backlog_bytes: number;
  };
  readonly compaction: { readonly target_rows: number };
  readonly index_cache: number;
  /** Absent: 0, for none. */
  readonly row_cache?: number;
  /** Absent: 0, for none. */
  readonly block_filters?: number;
  readonly duckdb: { readonly memory: number; readonly threads: number };
};

export type SegmentedStoreOptions<Batch, Index> = {
  readonly dir: string;
  readonly config: SegmentedStoreConfig;
  readonly codec: SegmentCodec<Batch, Index>;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly nowMs?: (() => number) | undefined;
  /** Rows of a held segment are there, quick to read. Must not reject. */
  readonly onCopied?: ((segment: Segment, rows: SegmentRows) => Promise<void>) | undefined;
};

/** All rows of a tenant at one moment, each exactly once. Must be released. */
export type Snapshot<Batch> = {
  readonly hot: readonly HotBatch<Batch>[];
  readonly segments: readonly Segment[];
  release(): void;
};

type Opened<Batch extends { readonly length: number }> = {
  readonly database: DuckDatabase;
  readonly writer: WriteThread;
  readonly directory: SegmentDirectory;
  readonly deleter: RowDeleter;
  readonly flusher: RowFlusher<Batch>;
  readonly rows: RowCache;
  readonly upkeep: { maintain(): Promise<void> };
};

const TICK_MS = 1_000;
/** A failed flush or compaction is tried again after so long. */
const RETRY_MS = 10_000;
const MAINTENANCE_MS = 60_000;
const BACKLOG_RETRY_MS = 1_000;
/** With so few, a second one would take from queries what it gains: only the first one runs in the background. */
const MAX_CORES_FOR_ONE_WRITER = 2;
/** What DuckDB may take for the rows it keeps, as a multiple of what these may take. */
const ROW_CACHE_SLACK = 1.2;
/** What was let in before and is being decoded has to fit, too. */
const FULL_SHARE = 0.7;
/** With a larger index a segment has so many streams or operations that to read it takes a noticeable time. */
const MAX_REMEMBERED_INDEX_BYTES = 512 * 1024;

/**
 * Keeps rows in memory as they come ("hot") and writes them, many at a time, as immutable segments of Parquet: what
 * the stores of logs and of traces have in common. Only `append` changes the hot rows, only one flush or compaction
 * runs at a time, and a segment begins to count in the same moment in which its rows stop being hot.
 */
export class SegmentedStore<Batch extends { readonly length: number }, Index> {
  readonly metrics: StoreMetrics;
  readonly retention: SegmentRetention;
  readonly memoryParts: readonly MemoryPart[];
  readonly #options: SegmentedStoreOptions<Batch, Index>;
  readonly #logger: Logger;
  readonly #nowMs: () => number;
  readonly #hot = new HotBuffer<Batch>();
  readonly #indexes: IndexCache<Index>;
  readonly #filters: BlockFilters;
  #open: Opened<Batch> | undefined;
  #lastPosition = -1;
  /** The newest of the flushes, compactions and expiries, which run one after the other. Never rejects. */
  #work: Promise<void> = Promise.resolve();
  #flushWanted = false;
  #maintenance: Promise<void> | undefined;
  #retryAtMs = 0;
  #maintainedAtMs = performance.now();
  #appendedAtMs = Number.NEGATIVE_INFINITY;
  #stopping = false;
  #ticker: NodeJS.Timeout | undefined;

  constructor(options: SegmentedStoreOptions<Batch, Index>) {
    this.#options = options;
    this.#logger = options.logger;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#indexes = new IndexCache(options.config.index_cache);
    const { logger, registry, codec } = options;
    this.#filters = new BlockFilters({
      column: codec.searchedColumn,
      maxBytes: options.config.block_filters ?? 0,
      logger,
    });
    const nowMs = () => this.#nowMs();
    this.retention = new SegmentRetention(options.config, { signal: codec.signal, logger, registry, nowMs });
    this.metrics = new StoreMetrics(options.registry, options.codec.signal);
    const { signal } = options.codec;
    this.memoryParts = [
      { name: `${signal}_rows`, memoryBytes: () => this.#hot.bytes, flush: () => this.flush() },
      {
        name: `${signal}_index_cache`,
        memoryBytes: () => this.#indexes.bytes,
        shrink: () => this.#indexes.shrink(),
      },
      {
        name: `${signal}_block_filters`,
        memoryBytes: () => this.#filters.bytes,
        shrink: () => this.#filters.shrink(),
      },
      { name: `${signal}_duckdb`, memoryBytes: () => this.#duckdbBytes },
      {
        name: `${signal}_row_cache`,
        memoryBytes: () => this.#open?.rows.bytes ?? 0,
        shrink: () => this.#open?.rows.shrink(),
      },
    ];
  }

  async start(): Promise<void> {
    this.#stopping = false;
    await this.retention.start();
    const { dir, config } = this.#options;
    const directory = await SegmentDirectory.open(dir, this.#logger);
    const { threads } = config.duckdb;
    const memoryLimitBytes = config.duckdb.memory / 2;
    const maxBytes = config.row_cache ?? 0;
    const queryOptions = { dir, temporary: "tmp", memoryLimitBytes: memoryLimitBytes + ROW_CACHE_SLACK * maxBytes };
    const database = await DuckDatabase.open({ ...queryOptions, threads });
    const writerThreads = availableParallelism() <= MAX_CORES_FOR_ONE_WRITER ? 1 : threads;
    const writer = new WriteThread({ dir, temporary: "tmp/writer", memoryLimitBytes, threads: writerThreads });
    const deleter = new RowDeleter({ database, directory, graceMs: config.deletion_grace, nowMs: this.#nowMs });
    const isSound = async (segment: Segment) => (await this.withIndex(segment, () => true)) ?? false;
    const tidy = async () => (this.#stopping ? undefined : this.#wantMaintenance());
    const isAtRest = () => this.#isAtRest && this.#hot.rows < config.flush.idle_rows;
    const { onCopied } = this.#options;
    const rows = new RowCache({
      database,
      directory,
      maxBytes,
      isSound,
      tidy,
      isAtRest,
      onCopied,
      logger: this.#logger,
    });
    rows.opened();
    const upkeep = new SegmentUpkeep({
      database,
      writer,
      directory,
      deleter,
      filters: this.#filters,
      codec: this.#options.codec,
      targetRows: config.compaction.target_rows,
      retention: this.retention,
      metrics: this.metrics,
      nowMs: this.#nowMs,
      isStopping: () => this.#stopping,
      indexOf: (segment) => this.withIndex(segment, (index) => index),
      onWritten: (segment, files) => this.#remember(segment, files),
      onReplaced: (segments) => {
        for (const segment of segments) {
          this.#indexes.delete(segment.info.id);
          this.#filters.forget(segment);
        }
        rows.changed();
      },
    });
    const flusher = new RowFlusher({
      hot: this.#hot,
      writer,
      directory,
      codec: this.#options.codec,
      metrics: this.metrics,
      maxBytes: config.flush.max_bytes,
      onWritten: (segment, files) => this.#remember(segment, files),
      onFlushed: () => rows.changed(),
      onDone: () => this.#report(),
    });
    this.#open = { database, writer, directory, deleter, flusher, rows, upkeep };
    this.#lastPosition = directory.flushedPosition;
    this.#ticker = setInterval(() => this.#tick(), TICK_MS).unref();
    this.#report();
  }

  /** Flushes what is in memory. When that fails the rows stay in the write-ahead log, and the error is thrown. */
  async stop(): Promise<void> {
    clearInterval(this.#ticker);
    this.#stopping = true;
    const open = this.#open;
    if (!open) return;
    try {
      await this.flush();
    } finally {
      this.#open = undefined;
      await this.#work;
      await open.rows.stop();
      await open.writer.close();
      open.database.close();
    }
  }

  get database(): DuckDatabase {
    return this.#opened().database;
  }

  get #duckdbBytes(): number {
    if (!this.#open) return 0;
    const { database, writer, rows } = this.#open;
    return Math.max(0, database.memoryBytes - rows.bytes) + writer.memoryBytes;
  }

  firstUnflushedPosition(): number | undefined {
    return this.#hot.first?.position;
  }

  /** Everything of it happens before it returns; the promise is the port's. */
  async append(tenant: TenantId, batch: Batch, position: number): Promise<AppendResult> {
    const { directory } = this.#opened();
    const { config, codec } = this.#options;
    if (position <= directory.flushedPosition) {
      this.metrics.replayed.inc(batch.length);
      return { accepted: batch.length, rejected: [] };
    }
    this.#checkBacklog();
    this.#lastPosition = Math.max(this.#lastPosition, position);
    const limits = { retention: this.retention.longestMs(tenant), max_future: config.max_future };
    const { kept, minNs, maxNs, rejected } = admit(batch, codec, limits, this.#nowMs());
    this.#count(kept?.length ?? 0, rejected);
    if (!kept) return { accepted: 0, rejected };
    const bytes = codec.approximateBytes(kept);
    const nowMs = performance.now();
    this.#appendedAtMs = nowMs;
    this.#hot.add(tenant, {
      batch: kept,
      position,
      rows: kept.length,
      bytes,
      minNs,
      maxNs,
      arrivedMs: nowMs,
    });
    if (this.#hot.rows >= config.flush.max_rows || this.#hot.bytes >= config.flush.max_bytes) this.#wantFlush();
    return { accepted: kept.length, rejected };
  }

  fullness(): string | undefined {
    return this.#backlogBeyond(FULL_SHARE);
  }

  snapshot(tenant: TenantId): Snapshot<Batch> {
    const { directory } = this.#opened();
    const segments = directory.segmentsOf(tenant);
    directory.hold(segments);
    return { hot: this.#hot.batchesOf(tenant), segments, release: () => directory.release(segments) };
  }

  /** Where to read the rows of a held segment; to be released. */
  lease(segment: Segment): RowLease {
    return this.#opened().rows.lease(segment);
  }

  /** The rows of a held segment among which all are whose searched column has each of `parts`; undefined: any may. */
  spansOf(segment: Segment, parts: readonly string[]): Promise<readonly RowSpan[] | undefined> {
    return this.#filters.spansOf(segment, parts);
  }

  /** Settles when the row cache has all that it has room for; by itself that happens in quiet moments. */
  fillRowCache(): Promise<void> {
    return this.#opened().rows.fill();
  }

  /**
   * Gives `use` the index of a held segment whose rows have been verified (needed before reading them). Undefined when
   * the segment turns out to be damaged: it is put into quarantine, and the query goes on with the others. Throws
   * `UnavailableError` when it just can't be read.
   */
  async withIndex<T>(segment: Segment, use: (index: Index) => T, { verify = true } = {}): Promise<T | undefined> {
    const { directory } = this.#opened();
    try {
      const [index] = await Promise.all([this.#indexOf(segment), verify ? directory.verify(segment) : undefined]);
      return use(index);
    } catch (error) {
      await directory.assertDamage(error, segment);
      if (!segment.dropped) {
        this.metrics.quarantined.inc();
        this.metrics.quarantinedRows.inc(segment.info.rows);
      }
      await directory.quarantine(segment, error);
      this.#report();
      return undefined;
    }
  }

  flush(): Promise<void> {
    return this.#enqueue(() => this.#flushNow());
  }

  /** Drops what is older than the retention and merges what is small, until nothing is left to do. */
  maintain(): Promise<void> {
    return this.#enqueue(async () => {
      await this.#opened().upkeep.maintain();
      this.#report();
    });
  }

  /** `find` is asked for each segment in the range; rows in memory are written to one before. */
  async deleteRows(request: RowDeletion, find: FindRows): Promise<Deletion> {
    const { deleter } = this.#opened();
    let deletion: Deletion | undefined;
    await this.#enqueue(async () => {
      await this.#flushNow();
      deletion = await deleter.delete(request, find);
      this.metrics.deleted.inc(deletion.rows);
    });
    return deletion as unknown as Deletion;
  }

  copyTo(dir: string): Promise<void> {
    return this.#enqueue(async () => {
      await this.#flushNow();
      await this.#opened().directory.copyTo(dir);
    });
  }

  deletions(tenant: TenantId): readonly Deletion[] {
    return this.#opened().deleter.list(tenant);
  }

  async cancelDeletion(tenant: TenantId, id: string): Promise<boolean> {
    const { deleter } = this.#opened();
    let isCancelled = false;
    await this.#enqueue(async () => {
      isCancelled = await deleter.cancel(tenant, id);
    });
    return isCancelled;
  }

  #opened(): Opened<Batch> {
    if (this.#open) return this.#open;
    throw new UnavailableError(`the store of ${this.#options.codec.signal} is not running`, { retryAfterMs: 1_000 });
  }

  /** Throws when the rows that wait to be written are too many already. */
  #checkBacklog(): void {
    const tooMany = this.#backlogBeyond(1);
    if (tooMany === undefined) return;
    const isBusy = performance.now() >= this.#retryAtMs;
    throw new UnavailableError(tooMany, { retryAfterMs: BACKLOG_RETRY_MS, isBusy });
  }

  /** Undefined as long as there are fewer rows than this share of what may wait to be written. */
  #backlogBeyond(share: number): string | undefined {
    const { max_backlog, max_backlog_bytes } = this.#options.config.flush;
    const { rows, bytes } = this.#hot;
    if (rows < share * max_backlog && bytes < share * max_backlog_bytes) return undefined;
    this.#wantFlush();
    const { signal } = this.#options.codec;
    const keys = `storage.${signal}.flush.max_backlog (${max_backlog}) and max_backlog_bytes (${max_backlog_bytes})`;
    return `${rows} rows of ${signal}, about ${bytes} bytes, wait to be written to disk; ${keys} allow no more`;
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => {});
    return done;
  }

  #indexOf(segment: Segment): Promise<Index> {
    return this.#indexes.get(segment.info.id, async () => {
      const { indexPath, info } = segment;
      const parse = (values: readonly unknown[]) => this.#options.codec.parseIndex(values);
      const { value, textBytes } = await readIndexFile(indexPath, info.indexCrc, parse);
      // Parsed objects take a few times the room of their text.
      return { value, bytes: 4 * textBytes };
    });
  }

  /** Has the index of a segment that is about to count ready for the queries that ask for what is new. */
  async #remember(segment: Segment, { indexBytes }: Pick<SegmentFiles, "indexBytes">): Promise<void> {
    if (indexBytes > MAX_REMEMBERED_INDEX_BYTES) return;
    // Whoever needs it will find out why it can't be read.
    await this.#indexOf(segment).catch(() => {});
  }

  /** No rows have come for a moment. */
  get #isAtRest(): boolean {
    return performance.now() - this.#appendedAtMs >= this.#options.config.flush.idle;
  }

  #tick(): void {
    const nowMs = performance.now();
    const { max_age, idle_rows } = this.#options.config.flush;
    const oldest = this.#hot.first;
    const isOld = oldest !== undefined && nowMs - oldest.arrivedMs >= max_age;
    // A few rows are found as fast in memory as in a file, and there would be many of these.
    if (isOld || (this.#isAtRest && this.#hot.rows >= idle_rows)) this.#wantFlush();
    if (nowMs - this.#maintainedAtMs >= MAINTENANCE_MS) void this.#wantMaintenance();
  }

  #wantFlush(): void {
    if (this.#flushWanted || performance.now() < this.#retryAtMs) return;
    this.#flushWanted = true;
    this.flush()
      .catch((error) => {
        this.#retryAtMs = performance.now() + RETRY_MS;
        this.#logger.error("can't write rows to disk; they stay in memory and in the write-ahead log", { error });
      })
      .finally(() => {
        this.#flushWanted = false;
      });
  }

  /** Settles when it is done, or has failed. */
  #wantMaintenance(): Promise<void> {
    this.#maintenance ??= this.maintain()
      .catch((error) => this.#logger.error("can't expire or merge segments; it is tried again later", { error }))
      .finally(() => {
        this.#maintenance = undefined;
        this.#maintainedAtMs = performance.now();
      });
    return this.#maintenance;
  }

  #flushNow(): Promise<void> {
    return this.#opened().flusher.flush(this.#lastPosition);
  }

  #count(rows: number, rejected: readonly Rejection[]): void {
    this.metrics.rows.inc(rows);
    for (const { reason, count } of rejected) this.metrics.rejected.inc({ reason }, count);
    this.metrics.hotRows.set(this.#hot.rows + rows);
  }

  #report(): void {
    this.metrics.hotRows.set(this.#hot.rows);
    this.metrics.hotBytes.set(this.#hot.bytes);
    const { directory } = this.#open ?? {};
    const segments = directory?.tenants.flatMap((tenant) => directory.segmentsOf(tenant)) ?? [];
    this.metrics.segments.set(segments.length);
    this.metrics.segmentBytes.set(segments.reduce((bytes, { info }) => bytes + info.bytes, 0));
  }
}
