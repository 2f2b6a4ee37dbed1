import type { RowsRetentionConfig } from "./segment-retention.ts";

/** The settings that logs and traces share; durations in ms. */
export type SegmentedStoreConfig = RowsRetentionConfig & {
  readonly max_future: number;
  readonly deletion_grace: number;
  readonly flush: FlushConfig;
  readonly compaction: { readonly target_rows: number };
  readonly index_cache: number;
  /** Absent: 0, for none. */
  readonly row_cache?: number;
  /** Absent: 0, for none. */
  readonly block_filters?: number;
  readonly duckdb: { readonly memory: number; readonly threads: number };
};

export type FlushConfig = {
  readonly max_rows: number;
  readonly max_bytes: number;
  readonly max_age: number;
  readonly idle: number;
  readonly idle_rows: number;
  readonly max_backlog: number;
  readonly max_backlog_bytes: number;
};
