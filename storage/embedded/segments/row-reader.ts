import type { TenantId } from "@sightline/model/tenant.ts";
import type { BlockFilters } from "./block-filters.ts";
import type { RowSpan } from "./block-grams.ts";
import type { DuckDatabase } from "./duck-database.ts";
import type { HotBatch, HotBuffer } from "./hot-buffer.ts";
import type { RowCache, RowLease } from "./row-cache.ts";
import type { Segment, SegmentDirectory } from "./segment-directory.ts";
import type { SegmentIndexes } from "./segment-indexes.ts";
import type { SegmentRetention } from "./segment-retention.ts";

/** All rows of a tenant at one moment, each exactly once. Must be released. */
export type Snapshot<Batch> = {
  readonly hot: readonly HotBatch<Batch>[];
  readonly segments: readonly Segment[];
  release(): void;
};

export type RowReaderOptions<Batch, Index> = {
  /** Throws `UnavailableError` while the store is not running. */
  readonly opened: () => {
    readonly database: DuckDatabase;
    readonly directory: SegmentDirectory;
    readonly rows: RowCache;
  };
  readonly hot: HotBuffer<Batch>;
  readonly indexes: SegmentIndexes<Index>;
  readonly filters: BlockFilters;
  readonly retention: SegmentRetention;
};

/**
 * What queries see of a store: a {@link Snapshot} of the rows, and of each of its segments the index, which rows may have a
 * text, and where they are. Throws `UnavailableError` while the store is not running.
 */
export class RowReader<Batch, Index> {
  /** Files may still have rows that are too old. */
  readonly retention: SegmentRetention;
  readonly #options: RowReaderOptions<Batch, Index>;

  constructor(options: RowReaderOptions<Batch, Index>) {
    this.#options = options;
    this.retention = options.retention;
  }

  get database(): DuckDatabase {
    return this.#options.opened().database;
  }

  snapshot(tenant: TenantId): Snapshot<Batch> {
    const { directory } = this.#options.opened();
    const segments = directory.segmentsOf(tenant);
    directory.hold(segments);
    return { hot: this.#options.hot.batchesOf(tenant), segments, release: () => directory.release(segments) };
  }

  /** Of a held segment: see {@link SegmentIndexes.with}. */
  withIndex<T>(segment: Segment, use: (index: Index) => T, options?: { verify?: boolean }): Promise<T | undefined> {
    return this.#options.indexes.with(segment, use, options);
  }

  /** The rows of a held segment among which all are whose searched column has each of `parts`; undefined: any may. */
  spansOf(segment: Segment, parts: readonly string[]): Promise<readonly RowSpan[] | undefined> {
    return this.#options.filters.spansOf(segment, parts);
  }

  /** Where to read the rows of a held segment; to be released. */
  lease(segment: Segment): RowLease {
    return this.#options.opened().rows.lease(segment);
  }
}
