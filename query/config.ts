import { positive } from "@sightline/settings/setting-types.ts";
import { z } from "zod";
import { promLimitsSchema } from "./promql/config.ts";

const logQueryLimitsSchema = z.strictObject({
  max_limit: positive.default(5_000).describe("Most log lines that one LogQL query may ask for (Loki's limit)"),
  max_query_bytes: positive.default(131_072).describe("Length of the text of one LogQL query"),
  max_scanned_rows: positive
    .default(50_000_000)
    .describe("Log records that one LogQL query may look at when the store can't apply its filters itself"),
  max_series: positive.default(500).describe("Series that a LogQL metric query may give (Loki's limit)"),
  max_samples: positive
    .default(50_000_000)
    .describe("Samples, of lines and of results, that one LogQL metric query may hold in memory at a time"),
  max_mined_lines: positive
    .default(100_000)
    .describe(
      "Newest lines that are read for a question about patterns, facets or attributes which was not counted at ingest",
    ),
  max_template_chars: positive
    .default(1_048_576)
    .describe("Characters that a template of line_format or label_format may make of one line"),
});

const traceQueryLimitsSchema = z.strictObject({
  max_spans: positive.default(200_000).describe("Spans of one trace that are given out; a larger trace is refused"),
});

const remoteReadLimitsSchema = z.strictObject({
  max_samples: positive.default(50_000_000).describe("Samples that one remote read without streaming may give"),
  max_bytes: positive
    .default(268_435_456)
    .describe("Size of one remote read's answer, encoded: it is held in memory until all of it is known"),
});

const searchLimitsSchema = z.strictObject({
  max_limit: positive.default(10_000).describe("Most names or values that one search may ask for"),
});

const queryLogSchema = z.strictObject({
  to: z
    .enum(["none", "logger", "file"])
    .default("none")
    .describe("Where every finished query is written: nowhere, to the process' own log, or to `file`"),
  file: z
    .string()
    .default("")
    .describe("A line of JSON per query is appended to it, in the form of Prometheus' query log"),
  min_duration_ms: z.number().min(0).default(0).describe("Queries that took less, waiting included, are left out"),
});

const topQueriesSchema = z.strictObject({
  max_entries: positive.default(1_000).describe("Texts that are kept apart for the list of the costliest queries"),
  window_ms: positive.default(3_600_000).describe("The list covers the last one to two of these, in milliseconds"),
});

const resultsCacheSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe("Keep results of PromQL range queries, so that asking again evaluates only what is new or has changed"),
  max_bytes: positive.default(134_217_728).describe("Memory for the results, of all tenants together"),
  recent_ms: z
    .number()
    .min(0)
    .default(600_000)
    .describe("The newest steps are not kept, as samples for them are still to come: so many milliseconds"),
});

/** The section `query`: PromQL's limits at its top, those of the other languages below it. */
export const queryConfig = z.strictObject({
  ...promLimitsSchema.shape,
  max_regex_work: positive
    .default(4_000_000)
    .describe(
      "Characters, times instructions of the regular expression, that finding a match may look at; of longer texts only " +
        "the beginning is looked at. Telling whether there is a match may take twice as many. 1024 and 65536 characters " +
        "always are looked at. Filters that the log store applies itself see all of a line",
    ),
  max_concurrency: positive.default(20).describe("Queries evaluated at a time, over all query APIs"),
  max_concurrency_per_tenant: positive
    .default(16)
    .describe("Queries of one tenant evaluated at a time, so that one tenant's long queries leave places to others"),
  max_costly_per_tenant: positive
    .default(12)
    .describe(
      "Of these, queries that are likely to take long, by their earlier runs or their number of steps: the other places are for short ones",
    ),
  max_memory: positive
    .default(2_147_483_648)
    .describe(
      "Bytes that the samples of all PromQL and LogQL queries may take at a time; a quarter of memory_limit if less",
    ),
  max_waiting: positive.default(500).describe("Queries that may wait for their turn; more are answered with 503"),
  max_form_bytes: positive.default(1_048_576).describe("Size of a form posted to a query API"),
  cors_origin: z
    .string()
    .default("")
    .describe(
      "Regular expression of the origins whose pages may read answers in a browser (Prometheus: --web.cors.origin). Empty: none, as otherwise pages of strangers could read from a server on your machine",
    ),
  admin_api: z
    .boolean()
    .default(true)
    .describe("Serve /api/v1/admin/tsdb: deleting series and making snapshots, for keys with the scope admin"),
  warm_up: z
    .boolean()
    .default(true)
    .describe(
      "Ask made-up questions of a small store of their own after a start, and some of the newest metrics and logs, so that the first real ones find compiled code. " +
        "Costs two to four seconds of one core, and one or two more where there are logs, mostly in the background: not while others ask, and a tenth of the time while the process is busy.",
    ),
  logs: logQueryLimitsSchema.prefault({}).describe("LogQL"),
  log: queryLogSchema.prefault({}).describe("A record of every query"),
  top_queries: topQueriesSchema.prefault({}).describe("The costliest queries, at /api/v1/status/top_queries"),
  results_cache: resultsCacheSchema.prefault({}).describe("Results of range queries"),
  remote_read: remoteReadLimitsSchema.prefault({}).describe("Prometheus' remote read"),
  search: searchLimitsSchema.prefault({}).describe("Searching for names and label values while they are typed"),
  traces: traceQueryLimitsSchema.prefault({}).describe("Looking up traces"),
});
export type QueryConfig = z.infer<typeof queryConfig>;
export type LogQueryLimits = QueryConfig["logs"];
export type TraceQueryLimits = QueryConfig["traces"];
export type RemoteReadLimits = QueryConfig["remote_read"];
export type QueryLogConfig = QueryConfig["log"];
export type ResultsCacheConfig = QueryConfig["results_cache"];
