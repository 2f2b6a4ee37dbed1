import type { Config } from "@sightline/config/schema.ts";

/** Bytes that a sample of the metric store's head takes, twice: while a head is written the next one fills. */
const HEAD_SAMPLE_BYTES = 24;
/** Of time and value, while a query holds it. */
const QUERY_SAMPLE_BYTES = 16;
const INTERNED_SERIES_BYTES = 700;
/** Of a span event or an attribute of one, and half of a span. */
const OBJECT_BYTES = 150;
/** In the head, its first samples included. */
const HEAD_SERIES_BYTES = 1_024;

/** Of a log record or a span, while DuckDB sorts it into a larger file. */
const MERGED_ROW_BYTES = 512;

/** What was lowered: dotted key, as it was set, as it is used. */
export type Lowered = { readonly key: string; readonly set: number; readonly used: number };

/** The most that a setting may be under a memory limit: a share of it, in units of so many bytes. */
type Bound = { readonly key: string; readonly share: number; readonly unitBytes?: number };

/**
 * No sum of these shares is below one, because not everything is full at once: the memory guard sees to the sum. They are
 * so large that none is felt where the limit is the default on a machine of 20 GB or more.
 */
const BOUNDS: readonly Bound[] = [
  { key: "collector.limits.max_in_flight_bytes", share: 0.1 },
  { key: "collector.limits.max_decompressed_bytes", share: 0.06 },
  { key: "collector.limits.max_request_bytes", share: 0.04 },
  { key: "collector.limits.max_request_objects", share: 0.05, unitBytes: OBJECT_BYTES },
  { key: "collector.limits.max_series_interned", share: 0.35, unitBytes: INTERNED_SERIES_BYTES },
  { key: "storage.metrics.max_series", share: 0.4, unitBytes: HEAD_SERIES_BYTES },
  { key: "storage.metrics.head.max_samples", share: 0.1, unitBytes: HEAD_SAMPLE_BYTES },
  { key: "storage.metrics.cache", share: 0.06 },
  { key: "storage.metrics.timescale.page_cache", share: 0.06 },
  { key: "storage.logs.flush.max_bytes", share: 0.04 },
  { key: "storage.logs.flush.max_backlog_bytes", share: 0.1 },
  { key: "storage.logs.index_cache", share: 0.03 },
  { key: "storage.logs.row_cache", share: 0.17 },
  { key: "storage.logs.found_rows", share: 0.03 },
  { key: "storage.logs.duckdb.memory", share: 0.2 },
  { key: "storage.logs.compaction.target_rows", share: 0.1, unitBytes: MERGED_ROW_BYTES },
  { key: "storage.traces.flush.max_bytes", share: 0.04 },
  { key: "storage.traces.flush.max_backlog_bytes", share: 0.1 },
  { key: "storage.traces.index_cache", share: 0.03 },
  { key: "storage.traces.duckdb.memory", share: 0.2 },
  { key: "storage.traces.compaction.target_rows", share: 0.1, unitBytes: MERGED_ROW_BYTES },
  { key: "storage.opensearch.flush.max_bytes", share: 0.04 },
  { key: "storage.opensearch.flush.max_backlog_bytes", share: 0.1 },
  { key: "storage.patterns.max_bytes", share: 0.03 },
  { key: "query.max_samples", share: 0.2, unitBytes: QUERY_SAMPLE_BYTES },
  { key: "query.max_memory", share: 0.25 },
  { key: "query.remote_read.max_samples", share: 0.2, unitBytes: QUERY_SAMPLE_BYTES },
  { key: "query.remote_read.max_bytes", share: 0.05 },
  { key: "query.results_cache.max_bytes", share: 0.06 },
];

/**
 * A configuration whose sizes can be had within the memory limit: what the settings allow beyond it is lowered. So one
 * setting is enough to run in little memory. `config` stays as it is.
 */
export function fitConfig(
  config: Config,
  limitBytes: number,
): { readonly config: Config; readonly lowered: Lowered[] } {
  const fitted = structuredClone(config) as unknown as Section;
  const lowered: Lowered[] = [];
  for (const { key, share, unitBytes = 1 } of BOUNDS) {
    const path = key.split(".");
    const name = path.pop() as string;
    const section = path.reduce((at, part) => at[part] as Section, fitted);
    const set = section[name] as number;
    const used = Math.min(set, Math.floor((share * limitBytes) / unitBytes));
    if (used === set) continue;
    section[name] = used;
    lowered.push({ key, set, used });
  }
  return { config: fitted as unknown as Config, lowered };
}
type Section = { [key: string]: Section | number };
