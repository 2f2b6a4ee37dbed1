import { downsampling, metricAging, retentionRules } from "@sightline/settings/retention-settings.ts";
import { count, duration, durationText, size, sizeText } from "@sightline/settings/setting-types.ts";
import { z } from "zod";

/** What an overrides file may say of one tenant; absent keys are those of everybody. */
export const retentionOverride = z.strictObject({
  retention: durationText.optional(),
  retention_bytes: sizeText.optional(),
  retention_rules: retentionRules.optional(),
  downsampling: downsampling.optional(),
});

/** What an overrides file may say of one tenant's logs or spans. */
export const rowsRetentionOverride = z.strictObject({
  retention: durationText.optional(),
  retention_rules: retentionRules.optional(),
});

export type RowsRetentionOverride = z.output<typeof rowsRetentionOverride>;

/** Settings of the embedded metric store; durations come out in ms, sizes in bytes. */
export const embeddedMetricsConfig = z.strictObject({
  retention: duration("15d").describe(
    "Samples older than this are refused, no longer found, and deleted with the block they are in.",
  ),
  retention_bytes: size("0").describe(
    "Size of one tenant's block files; above it the oldest blocks, of a day each, are deleted. 0: any size.",
  ),
  ...metricAging,
  retention_overrides_file: z
    .string()
    .default("")
    .describe(
      "YAML file: tenant to retention, retention_bytes, retention_rules and downsampling of its own. Read again when it changes; a wrong one is not used.",
    ),
  out_of_bounds_future: duration("1h").describe("Samples further ahead of the clock than this are refused."),
  max_series: count(4_000_000).describe(
    "Series of one tenant in memory, about 1 KB each; samples of further ones are refused until some have been idle.",
  ),
  head: z
    .strictObject({
      max_samples: count(8_000_000).describe(
        "Samples of all tenants that are kept in memory; when there are more, those of the biggest tenant are written as blocks. 8 to 12 bytes each.",
      ),
      max_age: duration("2h").describe("Samples are written as a block after so long in memory, however few they are."),
    })
    .prefault({}),
  max_exemplars: count(100_000, 0).describe("Exemplars kept per tenant, the newest ones."),
  max_metadata: count(100_000, 0).describe("Metrics of one tenant whose metadata is kept."),
  cache: size("128MiB").describe("Memory for decompressed pages of block files, all tenants together."),
});
export type RetentionConfig = Pick<
  z.output<typeof embeddedMetricsConfig>,
  "retention" | "retention_bytes" | "retention_rules" | "downsampling"
>;
export type EmbeddedMetricsConfig = z.output<typeof embeddedMetricsConfig>;

/** What the stores of logs and of traces have in common; durations come out in ms, sizes in bytes. */
const segmentedStore = (rows: string, retention: string) => ({
  retention_rules: retentionRules
    .default([])
    .describe(
      `${rows} that are kept for another time: a list of selector (of labels, for spans of resource attributes) and keep. The first whose selector matches counts.`,
    ),
  retention_overrides_file: z
    .string()
    .default("")
    .describe(
      "YAML file: tenant to retention and retention_rules of its own. Read again every minute when it has changed; a wrong one is not used.",
    ),
  retention: duration(retention).describe(
    `${rows} older than this are refused, and files that hold only such are deleted.`,
  ),
  max_future: duration("1d").describe(`${rows} further ahead of the clock than this are refused.`),
  deletion_grace: duration("1d").describe(
    `How long a request to delete ${rows.toLowerCase()} can be cancelled. Queries don't see them from the beginning; after this they are removed from the files.`,
  ),
  flush: z
    .strictObject({
      max_rows: count(262_144).describe(`${rows} in memory before they are written to disk.`),
      max_bytes: size("256MiB").describe("Estimated size in memory before they are written to disk."),
      max_age: duration("2m").describe("They are written to disk after so long, however few they are."),
      idle: duration("3s").describe(
        "They are written to disk when none have come for so long, if there are idle_rows.",
      ),
      idle_rows: count(10_000).describe("So few are found as fast in memory."),
      max_backlog: count(1_048_576).describe("When so many wait to be written, senders are told to come back later."),
      max_backlog_bytes: size("1GiB").describe("The same, as estimated size in memory."),
    })
    .prefault({}),
  compaction: z
    .strictObject({
      target_rows: count(1_048_576).describe("Small files are merged up to so many rows, or a quarter more."),
    })
    .prefault({}),
  max_attribute_columns: z
    .number()
    .int()
    .min(0)
    .max(1_000)
    .default(64)
    .describe("The most frequent attributes of a file get a column each; any others are kept together in one column."),
  index_cache: size("64MiB").describe("Memory for what is known of each file: streams, trace ids, operations."),
  duckdb: z
    .strictObject({
      memory: size("1GiB").describe(
        "Memory DuckDB may use, half of it for writing; what needs more is spilled to the data directory.",
      ),
      threads: count(2).describe("Threads DuckDB may use."),
    })
    .prefault({}),
});

/** Settings of the embedded log store. */
export const embeddedLogsConfig = z.strictObject({
  ...segmentedStore("Log records", "15d"),
  row_cache: size("2GiB").describe(
    "Memory for the records of files that were asked about lately, then of the newest files: queries need a fraction of the time there. About 500 bytes a record. 0: none.",
  ),
  block_filters: size("128MiB").describe(
    "Memory for filters of files that tell which rows may have a text: about 4 MiB per million records, on disk as well. Where there is no room they are read from disk for each query. 0: none are made.",
  ),
  stream_times: size("64MiB").describe(
    "Memory for when records of files were: counts by stream, as of volumes and rates, need nothing else. 16 bytes a record. 0: none.",
  ),
  found_rows: size("64MiB").describe(
    "Memory for what queries with a limit have found in files lately, for who asks the same again. 0: none.",
  ),
});
export type EmbeddedLogsConfig = z.output<typeof embeddedLogsConfig>;

/** Settings of the embedded trace store. */
export const embeddedTracesConfig = z.strictObject(segmentedStore("Spans", "7d"));
export type EmbeddedTracesConfig = z.output<typeof embeddedTracesConfig>;

/** Settings of what is known of the patterns of log lines. */
export const embeddedPatternsConfig = z.strictObject({
  enabled: z.boolean().default(true).describe("Find the patterns of log lines as they come in, and count them."),
  retention: duration("7d").describe("How long counts are kept."),
  max_templates: count(20_000, 100).describe(
    "Patterns of all tenants; beyond it those that were not seen for longest are forgotten.",
  ),
  max_bytes: size("128MiB").describe("Memory for them; beyond it counts become coarser earlier, then patterns go."),
  max_streams_per_service: z
    .number()
    .int()
    .min(0)
    .max(10_000)
    .default(50)
    .describe("Streams of a service that are counted apart. A query for one of the others reads its newest lines."),
  max_new_lines_per_second: count(20_000, 0).describe(
    "Lines unlike those before that are looked at closely; more in a second are not counted.",
  ),
});
export type EmbeddedPatternsConfig = z.output<typeof embeddedPatternsConfig>;

/** The section `storage`. */
export const storageConfig = z.strictObject({
  metrics: embeddedMetricsConfig.prefault({}),
  logs: embeddedLogsConfig.prefault({}),
  traces: embeddedTracesConfig.prefault({}),
  patterns: embeddedPatternsConfig.prefault({}),
});
export type StorageConfig = z.output<typeof storageConfig>;
