import { orderedTiers, STANDARD_TIERS, type Tier } from "@sightline/model/downsampling/tiers.ts";
import { parseSelector } from "@sightline/model/parse-selector.ts";
import { parseBytes, parseDurationMs } from "@sightline/model/units.ts";
import { z } from "zod";

/** Text such as `15d`, parsed to milliseconds. */
const duration = (text: string) => z.string().default(text).transform(asIssue(parseDurationMs));
const setDuration = () => z.string().transform(asIssue(parseDurationMs));
/** Text such as `64MiB`, parsed to bytes. */
const size = (text: string) => z.string().default(text).transform(asIssue(parseBytes));

const retentionRules = () =>
  z
    .array(
      z.strictObject({
        selector: z
          .string()
          .transform(asIssue(parseSelector))
          .describe('Which ones: debug_metric{env="dev"} or {service_name=~"test-.*"}'),
        keep: setDuration().describe("How long their samples are kept"),
      }),
    )
    .max(200);

const tier = z.strictObject({
  resolution: setDuration().describe("Length of the windows: 1m, 5m, 1h"),
  after: setDuration().describe("How long a day ended ago"),
});

function tiersOf(tiers: "off" | "standard" | z.output<typeof tier>[], context: z.RefinementCtx): readonly Tier[] {
  if (tiers === "off") return [];
  if (tiers === "standard") return STANDARD_TIERS;
  try {
    return orderedTiers(tiers.map(({ resolution, after }) => ({ resolutionMs: resolution, afterMs: after })));
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
    return z.NEVER;
  }
}

const downsampling = z.union([z.enum(["off", "standard"]), z.array(tier).max(8)]);

/** What an overrides file may say of one tenant; absent keys are those of everybody. */
export const retentionOverride = z.strictObject({
  retention: setDuration().optional(),
  retention_bytes: z.string().transform(asIssue(parseBytes)).optional(),
  retention_rules: retentionRules().optional(),
  downsampling: downsampling.transform(tiersOf).optional(),
});

/** What an overrides file may say of one tenant's logs or spans. */
export const rowsRetentionOverride = z.strictObject({
  retention: setDuration().optional(),
  retention_rules: retentionRules().optional(),
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
  retention_rules: retentionRules()
    .default([])
    .describe(
      "Series that are kept for another time: a list of selector and keep. The first whose selector matches counts.",
    ),
  downsampling: downsampling
    .default("off")
    .transform(tiersOf)
    .describe(
      "Days that are over become coarser: a list of resolution and after (how long a day ended ago). standard: 1m after 24h, 5m after 7d; retention says how long all of it is kept.",
    ),
  retention_overrides_file: z
    .string()
    .default("")
    .describe(
      "YAML file: tenant to retention, retention_bytes, retention_rules and downsampling of its own. Read again when it changes; a wrong one is not used.",
    ),
  out_of_bounds_future: duration("1h").describe("Samples further ahead of the clock than this are refused."),
  max_series: z
    .number()
    .int()
    .min(1)
    .default(4_000_000)
    .describe(
      "Series of one tenant in memory, about 1 KB each; samples of further ones are refused until some have been idle.",
    ),
  head: z
    .strictObject({
      max_samples: z
        .number()
        .int()
        .min(1)
        .default(8_000_000)
        .describe(
          "Samples of all tenants that are kept in memory; when there are more, those of the biggest tenant are written as blocks. 12 bytes each.",
        ),
      max_age: duration("2h").describe("Samples are written as a block after so long in memory, however few they are."),
    })
    .prefault({}),
  max_exemplars: z.number().int().min(0).default(100_000).describe("Exemplars kept per tenant, the newest ones."),
  max_metadata: z.number().int().min(0).default(100_000).describe("Metrics of one tenant whose metadata is kept."),
  cache: size("128MiB").describe("Memory for decompressed pages of block files, all tenants together."),
});
export type RetentionConfig = Pick<
  z.output<typeof embeddedMetricsConfig>,
  "retention" | "retention_bytes" | "retention_rules" | "downsampling"
>;
export type EmbeddedMetricsConfig = z.output<typeof embeddedMetricsConfig>;

/** What the stores of logs and of traces have in common; durations come out in ms, sizes in bytes. */
const segmentedStore = (rows: string, retention: string) => ({
  retention_rules: retentionRules()
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
      max_rows: z.number().int().min(1).default(262_144).describe(`${rows} in memory before they are written to disk.`),
      max_bytes: size("256MiB").describe("Estimated size in memory before they are written to disk."),
      max_age: duration("2m").describe("They are written to disk after so long, however few they are."),
      idle: duration("3s").describe(
        "They are written to disk when none have come for so long, if there are idle_rows.",
      ),
      idle_rows: z.number().int().min(1).default(10_000).describe("So few are found as fast in memory."),
      max_backlog: z
        .number()
        .int()
        .min(1)
        .default(1_048_576)
        .describe("When so many wait to be written, senders are told to come back later."),
      max_backlog_bytes: size("1GiB").describe("The same, as estimated size in memory."),
    })
    .prefault({}),
  compaction: z
    .strictObject({
      target_rows: z
        .number()
        .int()
        .min(1)
        .default(1_048_576)
        .describe("Small files are merged up to so many rows, or a quarter more."),
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
      threads: z.number().int().min(1).default(2).describe("Threads DuckDB may use."),
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
  max_templates: z
    .number()
    .int()
    .min(100)
    .default(20_000)
    .describe("Patterns of all tenants; beyond it those that were not seen for longest are forgotten."),
  max_bytes: size("128MiB").describe("Memory for them; beyond it counts become coarser earlier, then patterns go."),
  max_streams_per_service: z
    .number()
    .int()
    .min(0)
    .max(10_000)
    .default(50)
    .describe("Streams of a service that are counted apart. A query for one of the others reads its newest lines."),
  max_new_lines_per_second: z
    .number()
    .int()
    .min(0)
    .default(20_000)
    .describe("Lines unlike those before that are looked at closely; more in a second are not counted."),
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

/** A parser that throws, as a transform that reports. */
function asIssue<T>(parse: (text: string) => T) {
  return (text: string, context: z.RefinementCtx): T => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: (error as Error).message });
      return z.NEVER;
    }
  };
}
