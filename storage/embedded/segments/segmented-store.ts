import { availableParallelism } from "node:os";
import { UnavailableError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { MemoryPart } from "@sightline/model/memory-part.ts";
import type { AppendResult, Copyable, Store } from "@sightline/model/ports.ts";
import type { DeletesRows, Deletion, RowDeletion } from "@sightline/model/row-deletion.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { Registry } from "prom-client";
import { BlockFilters } from "./block-filters.ts";
import { DuckDatabase } from "./duck-database.ts";
import { RowCache } from "./row-cache.ts";
import { type FindRows, RowDeleter } from "./row-deleter.ts";
import { RowFlusher } from "./row-flusher.ts";
import { RowIntake } from "./row-intake.ts";
import { RowReader } from "./row-reader.ts";
import type { SegmentCodec } from "./segment-codec.ts";
import { type Segment, SegmentDirectory } from "./segment-directory.ts";
import { SegmentIndexes } from "./segment-indexes.ts";
import { SegmentRetention } from "./segment-retention.ts";
import type { SegmentRows } from "./segment-rows.ts";
import { SegmentUpkeep } from "./segment-upkeep.ts";
import { SegmentWork } from "./segment-work.ts";
import type { SegmentedStoreConfig } from "./segmented-store-config.ts";
import { StoreMetrics } from "./store-metrics.ts";
import { WriteThread } from "./write-thread.ts";

export type SegmentedStoreOptions = {
  /** Belongs to this store alone. */
  readonly dir: string;
  readonly config: SegmentedStoreConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly nowMs?: (() => number) | undefined;
};

/** What there is from start to stop. */
type Opened<Batch extends { readonly length: number }> = {
  readonly database: DuckDatabase;
  readonly writer: WriteThread;
  readonly directory: SegmentDirectory;
  readonly deleter: RowDeleter;
  readonly flusher: RowFlusher<Batch>;
  readonly rows: RowCache;
  readonly upkeep: { maintain(): Promise<void> };
};

/** With so few, a second one would take from queries what it gains: only the first one runs in the background. */
const MAX_CORES_FOR_ONE_WRITER = 2;
/** What DuckDB may take for the rows it keeps, as a multiple of what these may take. */
const ROW_CACHE_SLACK = 1.2;

/**
 * What the stores of logs and of traces have in common. {@link RowIntake} keeps rows in memory as they come ("hot"),
 * {@link RowFlusher} writes them, many at a time, as immutable segments of Parquet, {@link SegmentUpkeep} expires and merges
 * these, {@link SegmentWork} has one flush or other change run at a time, and {@link RowReader} is what queries see. A segment
 * begins to count in the same moment in which its rows stop being hot.
 */
export abstract class SegmentedStore<Batch extends { readonly length: number }, Index>
  implements Store<Batch>, DeletesRows, Copyable
{
  abstract readonly name: string;
  protected readonly reader: RowReader<Batch, Index>;
  readonly #options: SegmentedStoreOptions;
  readonly #codec: SegmentCodec<Batch, Index>;
  readonly #nowMs: () => number;
  readonly #metrics: StoreMetrics;
  readonly #retention: SegmentRetention;
  readonly #indexes: SegmentIndexes<Index>;
  readonly #filters: BlockFilters;
  readonly #work: SegmentWork;
  readonly #intake: RowIntake<Batch>;
  #open: Opened<Batch> | undefined;
  #stopping = false;

  constructor(options: SegmentedStoreOptions, codec: SegmentCodec<Batch, Index>) {
    const { config, logger, registry, nowMs = Date.now } = options;
    const { signal } = codec;
    this.#options = options;
    this.#codec = codec;
    this.#nowMs = nowMs;
    this.#metrics = new StoreMetrics(registry, signal);
    this.#retention = new SegmentRetention(config, { signal, logger, registry, nowMs });
    const [metrics, retention] = [this.#metrics, this.#retention];
    this.#indexes = new SegmentIndexes({
      codec,
      maxBytes: config.index_cache,
      directory: () => this.#opened().directory,
      metrics,
      onQuarantined: () => this.#report(),
    });
    this.#filters = new BlockFilters({ column: codec.searchedColumn, maxBytes: config.block_filters ?? 0, logger });
    this.#work = new SegmentWork({
      flush: () => this.#flushNow(),
      maintain: () => this.#maintainNow(),
      isFlushDue: () => this.#intake.isFlushDue,
      logger,
    });
    this.#intake = new RowIntake({ config, codec, retention, metrics, work: this.#work, nowMs });
    this.reader = new RowReader({
      opened: () => this.#opened(),
      hot: this.#intake.hot,
      indexes: this.#indexes,
      filters: this.#filters,
      retention,
    });
  }

  /** Finds in each segment that it is asked for the rows that a deletion is about. */
  protected abstract findRows(request: RowDeletion, signal: AbortSignal): FindRows;

  /** Called when the rows of a held segment have become quick to read. Must not reject. */
  protected async rowsCopied(_segment: Segment, _rows: SegmentRows): Promise<void> {}

  get memoryParts(): readonly MemoryPart[] {
    const { signal } = this.#codec;
    const shrinkable = (name: string, part: () => { readonly bytes: number; shrink(): void } | undefined) => ({
      name: `${signal}_${name}`,
      memoryBytes: () => part()?.bytes ?? 0,
      shrink: () => part()?.shrink(),
    });
    return [
      { name: `${signal}_rows`, memoryBytes: () => this.#intake.hot.bytes, flush: () => this.flush() },
      shrinkable("index_cache", () => this.#indexes),
      shrinkable("block_filters", () => this.#filters),
      { name: `${signal}_duckdb`, memoryBytes: () => this.#duckdbBytes },
      shrinkable("row_cache", () => this.#open?.rows),
    ];
  }

  async start(): Promise<void> {
    this.#stopping = false;
    await this.#retention.start();
    const { dir, config, logger } = this.#options;
    const directory = await SegmentDirectory.open(dir, logger);
    const { threads } = config.duckdb;
    const memoryLimitBytes = config.duckdb.memory / 2;
    const rowCacheBytes = ROW_CACHE_SLACK * (config.row_cache ?? 0);
    const queryOptions = { dir, temporary: "tmp", memoryLimitBytes: memoryLimitBytes + rowCacheBytes };
    const database = await DuckDatabase.open({ ...queryOptions, threads });
    const writerThreads = availableParallelism() <= MAX_CORES_FOR_ONE_WRITER ? 1 : threads;
    const writer = new WriteThread({ dir, temporary: "tmp/writer", memoryLimitBytes, threads: writerThreads });
    this.#open = this.#wire(database, writer, directory);
    this.#work.start();
    this.#report();
  }

  #wire(database: DuckDatabase, writer: WriteThread, directory: SegmentDirectory): Opened<Batch> {
    const { config, logger } = this.#options;
    const [codec, metrics, nowMs] = [this.#codec, this.#metrics, this.#nowMs];
    const rows = new RowCache({
      database,
      directory,
      maxBytes: config.row_cache ?? 0,
      isSound: async (segment) => (await this.#indexes.with(segment, () => true)) ?? false,
      tidy: async () => (this.#stopping ? undefined : this.#work.wantMaintenance()),
      isAtRest: () => this.#intake.isQuiet,
      onCopied: (segment, copied) => this.rowsCopied(segment, copied),
      logger,
    });
    rows.opened();
    const deleter = new RowDeleter({ database, directory, graceMs: config.deletion_grace, nowMs });
    const upkeep = new SegmentUpkeep({
      database,
      writer,
      directory,
      deleter,
      filters: this.#filters,
      codec,
      targetRows: config.compaction.target_rows,
      retention: this.#retention,
      metrics,
      nowMs,
      isStopping: () => this.#stopping,
      indexOf: (segment) => this.#indexes.with(segment, (index) => index),
      onWritten: (segment, files) => this.#indexes.remember(segment, files),
      onReplaced: (segments) => {
        for (const segment of segments) {
          this.#indexes.forget(segment);
          this.#filters.forget(segment);
        }
        rows.changed();
      },
    });
    const flusher = new RowFlusher({
      hot: this.#intake.hot,
      writer,
      directory,
      codec,
      metrics,
      maxBytes: config.flush.max_bytes,
      onWritten: (segment, files) => this.#indexes.remember(segment, files),
      onFlushed: () => rows.changed(),
      onDone: () => this.#report(),
    });
    return { database, writer, directory, deleter, flusher, rows, upkeep };
  }

  /** Flushes what is in memory. When that fails the rows stay in the write-ahead log, and the error is thrown. */
  async stop(): Promise<void> {
    this.#work.stop();
    this.#stopping = true;
    const open = this.#open;
    if (!open) return;
    try {
      await this.flush();
    } finally {
      this.#open = undefined;
      await this.#work.settled();
      await open.rows.stop();
      await open.writer.close();
      open.database.close();
    }
  }

  /** Everything of it happens before it returns; the promise is the port's. */
  async append(tenant: TenantId, batch: Batch, position: number): Promise<AppendResult> {
    return this.#intake.append(tenant, batch, position, this.#opened().directory.flushedPosition);
  }

  firstUnflushedPosition(): number | undefined {
    return this.#intake.hot.first?.position;
  }

  fullness(): string | undefined {
    return this.#intake.fullness();
  }

  flush(): Promise<void> {
    return this.#work.flush();
  }

  /** Drops expired segments, removes deleted rows and merges small segments now; it happens by itself once a minute. */
  maintain(): Promise<void> {
    return this.#work.maintain();
  }

  /** Keeps rows in memory now, as many as have room; that happens by itself in quiet moments. */
  fillRowCache(): Promise<void> {
    return this.#opened().rows.fill();
  }

  copyTo(dir: string): Promise<void> {
    return this.#work.run(async () => {
      await this.#flushNow();
      await this.#opened().directory.copyTo(dir);
    });
  }

  /** Rows in memory are written to segments before. */
  async deleteRows(request: RowDeletion, signal: AbortSignal): Promise<Deletion> {
    const { deleter } = this.#opened();
    const find = this.findRows(request, signal);
    return this.#work.run(async () => {
      await this.#flushNow();
      const deletion = await deleter.delete(request, find);
      this.#metrics.deleted.inc(deletion.rows);
      return deletion;
    });
  }

  async deletions(tenant: TenantId): Promise<readonly Deletion[]> {
    return this.#opened().deleter.list(tenant);
  }

  async cancelDeletion(tenant: TenantId, id: string): Promise<boolean> {
    const { deleter } = this.#opened();
    return this.#work.run(() => deleter.cancel(tenant, id));
  }

  #opened(): Opened<Batch> {
    if (this.#open) return this.#open;
    throw new UnavailableError(`the store of ${this.#codec.signal} is not running`, { retryAfterMs: 1_000 });
  }

  get #duckdbBytes(): number {
    if (!this.#open) return 0;
    const { database, writer, rows } = this.#open;
    return Math.max(0, database.memoryBytes - rows.bytes) + writer.memoryBytes;
  }

  /** What was taken in before it began, not what comes meanwhile. */
  #flushNow(): Promise<void> {
    return this.#opened().flusher.flush(this.#intake.lastPosition);
  }

  async #maintainNow(): Promise<void> {
    await this.#opened().upkeep.maintain();
    this.#report();
  }

  #report(): void {
    const { directory } = this.#open ?? {};
    const segments = directory?.tenants.flatMap((tenant) => directory.segmentsOf(tenant)) ?? [];
    this.#metrics.setSizes(this.#intake.hot, segments);
  }
}
