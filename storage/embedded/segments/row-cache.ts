import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@sightline/model/logger.ts";
import { lull } from "@sightline/model/loop-turns.ts";
import { type DuckDatabase, quoteText } from "./duck-database.ts";
import type { Segment, SegmentDirectory } from "./segment-directory.ts";
import { ROW_NUMBER, type SegmentRows } from "./segment-rows.ts";

export type RowCacheOptions = {
  readonly database: DuckDatabase;
  readonly directory: SegmentDirectory;
  readonly maxBytes: number;
  /** False when the segment turned out to be damaged. Its rows are compared with their checksum. */
  readonly isSound: (segment: Segment) => Promise<boolean>;
  /** Merges what is small, before it is copied: else it would be copied once more when it is merged. Never rejects. */
  readonly tidy: () => Promise<void>;
  /** No rows come in, and none are about to be written. */
  readonly isAtRest: () => boolean;
  /** Rows of a held segment are there, quick to read. Must not reject. */
  readonly onCopied?: ((segment: Segment, rows: SegmentRows) => Promise<void>) | undefined;
  readonly logger: Logger;
};

/** Rows of a segment that somebody reads; {@link release} says that they have been. */
export type RowLease = { readonly rows: SegmentRows; release(): void };

type Entry = { readonly table: string; bytes: number; readers: number };

/** Rows copied at a time, a row group of DuckDB's tables; queries that come meanwhile wait no longer than for these. */
const SLICE_ROWS = 122_880;
/** While rows come fast, a segment is written every few seconds, and some are merged every minute. */
const QUIET_MS = 10_000;
const LOOK_EVERY_MS = 750;
const MAX_WAIT_MS = 15_000;
/** Where somebody asks all the time: the next slice is copied beside queries. */
const MAX_WAIT_FOR_QUERIES_MS = 1_000;
const POLL_MS = 20;
/** Those used in one of these count as used at the same time, so that the newest of them stay. */
const USE_STEP_MS = 60_000;
const USED_LATELY_MS = 600_000;
/** After memory ran short. */
const REDUCED_MS = 60_000;
/** After a failure. */
const RETRY_MS = 60_000;
/** What a row is taken for before the first one has been measured. */
const TYPICAL_ROW_BYTES = 500;

/**
 * Keeps the rows of some segments in tables of DuckDB, uncompressed: to search them takes a fraction of the time that
 * their files do. Those asked about lately, and then the newest, have a place. They are copied in the background, slice by
 * slice, when nothing was written for a moment and nobody waits for an answer to whatever query; until then, and where
 * there is no room, queries read the files. A segment never changes; rows that were deleted are left out of both in the same way.
 */
export class RowCache {
  readonly #options: RowCacheOptions;
  readonly #entries = new Map<Segment, Entry>();
  readonly #usedAtMs = new WeakMap<Segment, number>();
  readonly #damaged = new WeakSet<Segment>();
  #tables = 0;
  #bytesPerRow = TYPICAL_ROW_BYTES;
  #maxBytes: number;
  #reducedUntilMs = 0;
  #retryAtMs = 0;
  #changedAtMs = Number.NEGATIVE_INFINITY;
  #tidiedAtMs = Number.NEGATIVE_INFINITY;
  #usedLatelyAtMs = Number.NEGATIVE_INFINITY;
  #work: Promise<void> | undefined;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RowCacheOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes;
  }

  get bytes(): number {
    let sum = 0;
    for (const { bytes } of this.#entries.values()) sum += bytes;
    return sum;
  }

  /** The segment must be held for so long. */
  lease(segment: Segment): RowLease {
    const nowMs = performance.now();
    this.#usedAtMs.set(segment, Math.floor(nowMs / USE_STEP_MS));
    this.#usedLatelyAtMs = nowMs;
    const entry = this.#entries.get(segment);
    const { dataPath, deletedPaths } = segment;
    if (entry) entry.readers++;
    else this.#schedule();
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      if (entry) entry.readers--;
    };
    return { rows: { dataPath, deletedPaths, table: entry?.table }, release };
  }

  /** Segments are there, at the start; see {@link changed}. */
  opened(): void {
    this.#schedule();
  }

  /** Segments have come or gone. */
  changed(): void {
    this.#changedAtMs = performance.now();
    this.#schedule();
  }

  /** Lets go of half of it, soon, and keeps no more for a minute. */
  shrink(): void {
    this.#maxBytes = Math.min(this.#maxBytes, this.bytes / 2);
    this.#reducedUntilMs = performance.now() + REDUCED_MS;
    this.#run();
  }

  /** Settles when all that has a place is there. */
  async fill(): Promise<void> {
    while (this.#work) await this.#work;
    this.#run();
    await this.#work;
  }

  /** Before the database is closed. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#work;
  }

  #schedule(): void {
    if (this.#isStopped || this.#timer || this.#options.maxBytes === 0) return;
    const firstMs = performance.now();
    const look = () => {
      const nowMs = performance.now();
      const isQuiet = nowMs - this.#changedAtMs >= QUIET_MS || this.#options.isAtRest();
      const isUrgent = nowMs - this.#usedLatelyAtMs < USED_LATELY_MS && nowMs - firstMs >= MAX_WAIT_MS;
      this.#timer = undefined;
      const hasNew = this.#changedAtMs > this.#tidiedAtMs;
      if (isQuiet || isUrgent) this.#run({ tidyFirst: isQuiet && hasNew });
      else this.#timer = setTimeout(look, LOOK_EVERY_MS).unref();
    };
    this.#timer = setTimeout(look, LOOK_EVERY_MS).unref();
  }

  #run({ tidyFirst = false } = {}): void {
    if (this.#isStopped || this.#work || performance.now() < this.#retryAtMs) return;
    this.#work = (tidyFirst ? this.#tidy() : Promise.resolve())
      .then(() => this.#settle())
      .catch((error) => {
        this.#retryAtMs = performance.now() + RETRY_MS;
        if (!this.#isStopped) this.#options.logger.warn("can't keep rows in memory; queries read files", { error });
      })
      .finally(() => {
        this.#work = undefined;
      });
  }

  async #tidy(): Promise<void> {
    await this.#options.tidy();
    // What it made is new, but tidy.
    this.#tidiedAtMs = performance.now();
  }

  async #settle(): Promise<void> {
    while (!this.#isStopped) {
      const wanted = this.#wanted();
      await this.#dropAllBut(new Set(wanted));
      const next = wanted.find((segment) => !this.#entries.has(segment));
      if (!next) return;
      await lull(MAX_WAIT_FOR_QUERIES_MS);
      if (this.#isStopped || !(await this.#load(next))) return;
    }
  }

  /** The most important first, as many as have room. */
  #wanted(): readonly Segment[] {
    if (performance.now() >= this.#reducedUntilMs) this.#maxBytes = this.#options.maxBytes;
    const { directory } = this.#options;
    const usedAt = (segment: Segment) => this.#usedAtMs.get(segment) ?? -1;
    const segments = directory.tenants
      .flatMap((tenant) => directory.segmentsOf(tenant))
      .filter((segment) => !segment.dropped && !this.#damaged.has(segment))
      .sort((a, b) => usedAt(b) - usedAt(a) || (a.info.maxNs < b.info.maxNs ? 1 : -1));
    const wanted: Segment[] = [];
    let bytes = 0;
    for (const segment of segments) {
      bytes += this.#entries.get(segment)?.bytes ?? segment.info.rows * this.#bytesPerRow;
      if (bytes > this.#maxBytes) break;
      wanted.push(segment);
    }
    return wanted;
  }

  async #dropAllBut(wanted: ReadonlySet<Segment>): Promise<void> {
    for (const [segment, entry] of this.#entries) {
      if (wanted.has(segment)) continue;
      this.#entries.delete(segment);
      while (entry.readers > 0 && !this.#isStopped) await sleep(POLL_MS);
      if (!this.#isStopped) await this.#drop(entry.table);
    }
  }

  /** False when it has to be tried later. */
  async #load(segment: Segment): Promise<boolean> {
    const { directory, isSound } = this.#options;
    directory.hold([segment]);
    const table = `rows_${++this.#tables}`;
    try {
      if (!(await isSound(segment))) {
        this.#damaged.add(segment);
        return true;
      }
      const before = await this.#tableBytes();
      if (!(await this.#copy(segment, table))) {
        await this.#drop(table);
        return !this.#isStopped;
      }
      const bytes = Math.max(1, (await this.#tableBytes()) - before);
      // Of small ones most is what any table takes.
      if (segment.info.rows >= SLICE_ROWS) this.#bytesPerRow = bytes / segment.info.rows;
      const entry = { table, bytes, readers: 0 };
      this.#entries.set(segment, entry);
      await this.#tellCopied(segment, entry);
      return true;
    } catch (error) {
      await this.#drop(table).catch(() => {});
      throw error;
    } finally {
      directory.release([segment]);
    }
  }

  async #tellCopied(segment: Segment, entry: Entry): Promise<void> {
    const { onCopied } = this.#options;
    if (!onCopied || this.#isStopped) return;
    // That is no use of them which others should give way to.
    entry.readers++;
    const { dataPath, deletedPaths } = segment;
    await onCopied(segment, { dataPath, deletedPaths, table: entry.table }).finally(() => entry.readers--);
  }

  /** False when the segment is gone before it is done. */
  async #copy(segment: Segment, table: string): Promise<boolean> {
    const { dataPath, info } = segment;
    const rows = `read_parquet(${quoteText(dataPath)}, ${ROW_NUMBER} = true)`;
    await this.#execute(`CREATE TABLE ${table} AS SELECT * FROM ${rows} LIMIT 0`);
    for (let from = 0; from < info.rows; from += SLICE_ROWS) {
      if (from > 0) await lull(MAX_WAIT_FOR_QUERIES_MS);
      if (this.#isStopped || segment.dropped) return false;
      const slice = `${ROW_NUMBER} >= ${from} AND ${ROW_NUMBER} < ${from + SLICE_ROWS}`;
      await this.#execute(`INSERT INTO ${table} SELECT * FROM ${rows} WHERE ${slice}`);
    }
    return true;
  }

  #drop(table: string): Promise<void> {
    return this.#execute(`DROP TABLE IF EXISTS ${table}`);
  }

  #execute(sql: string): Promise<void> {
    return this.#options.database.withConnection(async (connection) => {
      await connection.run(sql);
    });
  }

  async #tableBytes(): Promise<number> {
    return this.#options.database.withConnection(async (connection) => {
      const sql = "SELECT sum(memory_usage_bytes)::DOUBLE FROM duckdb_memory() WHERE tag = 'IN_MEMORY_TABLE'";
      return Number((await connection.runAndReadAll(sql)).getRows()[0]?.[0] ?? 0);
    });
  }
}
