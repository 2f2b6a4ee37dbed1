import { clientTls } from "@sightline/settings/client-tls.ts";
import { downsampling, metricAging, retentionRules } from "@sightline/settings/retention-settings.ts";
import { count, duration, durationText, size } from "@sightline/settings/setting-types.ts";
import { z } from "zod";

/** How to reach PostgreSQL. There is no key for a password, so that no file with settings has one in it. */
export const postgresConfig = z.strictObject({
  host: z
    .string()
    .default("127.0.0.1")
    .describe("Of the primary: where is written, and read when there are no replicas."),
  port: z.number().int().min(1).max(65_535).default(5432).describe("Of the primary."),
  replicas: z
    .array(z.string().regex(/^[^\s:]+(:\d+)?$/, "write HOST or HOST:PORT"))
    .max(32)
    .default([])
    .describe("Read replicas, as HOST or HOST:PORT: queries go to them in turn, and to the primary when none answers."),
  database: z.string().default("sightline").describe("It must be there."),
  schema: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,40}$/, "use lower case letters, digits and _")
    .default("sightline")
    .describe("Of all tables; it is made when it is not there."),
  user: z.string().default("sightline").describe("Whom to log in as."),
  password_file: z
    .string()
    .default("")
    .describe("File with the password alone; read for every new connection. Empty: the variable PGPASSWORD, if set."),
  ...clientTls,
  max_connections: count(10).describe(
    "Open connections for queries to the primary, and to each replica; four more are for writing. 1: one for all.",
  ),
  connect_timeout: duration("5s").describe("Waiting for a connection, new or from the pool."),
  restart_wait: duration("10s").describe(
    "Reads wait so long for a server that went away, as while it restarts, before they fail; in a longer outage only its first ones. 0s: never.",
  ),
  read_timeout: duration("1m").describe("A statement of a query that takes longer is cancelled."),
  write_timeout: duration("2m").describe(
    "A statement of a write, of packing or of a migration that takes longer is cancelled.",
  ),
  migrate: z
    .boolean()
    .default(true)
    .describe("Bring the tables up to date at the start. Otherwise a start fails until `migrate up` has been run."),
});
export type PostgresConfig = z.output<typeof postgresConfig>;

/** What an overrides file may say of one tenant; absent keys are those of everybody. */
export const retentionOverride = z.strictObject({
  retention: durationText.optional(),
  retention_rules: retentionRules.optional(),
  downsampling: downsampling.optional(),
});
export type RetentionOverride = z.output<typeof retentionOverride>;

/** Settings of the metric store in PostgreSQL; durations come out in ms. */
export const timescaleMetricsConfig = z.strictObject({
  ...postgresConfig.shape,
  extension: z
    .enum(["auto", "off"])
    .default("auto")
    .describe(
      "auto: use TimescaleDB when the database has it; decided when the tables are made. off: plain PostgreSQL.",
    ),
  retention: duration("15d").describe(
    "Samples older than this are refused, no longer found, and deleted some time later.",
  ),
  tenant_retention: z
    .record(z.string(), durationText)
    .default({})
    .describe("Tenant to a retention of its own, shorter or longer, such as {team-a: 90d}."),
  ...metricAging,
  retention_overrides_file: z
    .string()
    .default("")
    .describe(
      "YAML file: tenant to retention, retention_rules and downsampling of its own. Read again when it changes; a wrong one is not used. The same for all processes.",
    ),
  out_of_bounds_future: duration("1h").describe("Samples further ahead of the clock than this are refused."),
  flush: z
    .strictObject({
      max_samples: count(250_000).describe(
        "Samples in memory before they are written; twice as many hold senders back.",
      ),
      max_age: duration("1s").describe("They are written after so long, however few they are."),
    })
    .prefault({}),
  max_series: count(2_000_000).describe(
    "Series that a writer remembers, about 0.5 KB each; others are looked up again.",
  ),
  pack_after: duration("2m").describe(
    "Plain PostgreSQL: ten minutes that ended so long ago are packed into compressed pages; what comes later is added later.",
  ),
  merge_after: duration("30m").describe(
    "Plain PostgreSQL: two hours of pages that ended so long ago are merged into longer ones, which are read faster.",
  ),
  page_cache: size("128MiB").describe(
    "Plain PostgreSQL: pages that are kept decompressed for the next query; a day of 2,000 series scraped every 15 s is about 40 MiB. 0: none.",
  ),
  chunk: duration("4h").describe(
    "TimescaleDB: length of a chunk of samples; decided when the tables are made. Some chunks of it should fit into memory.",
  ),
  compress_after: duration("2h").describe("TimescaleDB: chunks older than this go to the columnstore."),
  max_exemplars: count(100_000, 0).describe("Exemplars kept per tenant, the newest ones."),
});
export type TimescaleMetricsConfig = z.output<typeof timescaleMetricsConfig>;

/** The section `catalog`: API keys and the audit log. */
export const catalogConfig = z.strictObject({
  kind: z
    .enum(["sqlite", "postgres"])
    .default("sqlite")
    .describe(
      "Where API keys and the audit log are. sqlite: a file of the data directory. postgres: as several processes need it.",
    ),
  postgres: postgresConfig.prefault({}).describe("PostgreSQL 15 or newer; it may be that of the metrics"),
});
export type CatalogConfig = z.output<typeof catalogConfig>;
