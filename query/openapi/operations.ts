import type { z } from "zod";
import type { Method } from "../http/query-api.ts";
import * as schemas from "./schemas.ts";

export type Operation = {
  /** As in OpenAPI: `{name}` is a parameter of the path. */
  readonly path: string;
  readonly methods: readonly Method[];
  readonly tag:
    | "query"
    | "labels"
    | "metadata"
    | "status"
    | "rules"
    | "targets"
    | "admin"
    | "search"
    | "remote"
    | "logs";
  readonly summary: string;
  /** Names of {@link PARAMETERS}; a `!` at the end says that it must be given. */
  readonly parameters?: readonly string[];
  /** Of `data` in the answer. Absent: the answer is not Prometheus' JSON; then `contentTypes` says what, nothing for 204. */
  readonly data?: z.ZodType;
  readonly contentTypes?: readonly string[];
};

const GET = ["GET"] as const;
const GET_POST = ["GET", "POST"] as const;
const POST_PUT = ["POST", "PUT"] as const;
const SEARCH =
  "search[] match[] start end fuzz_threshold fuzz_alg case_sensitive include_score sort_by sort_dir limit batch_size".split(
    " ",
  );
const NDJSON = ["application/x-ndjson"];
const LOG_RANGE = ["query!", "start", "end", "since"];

export const OPERATIONS: readonly Operation[] = [
  {
    path: "/query",
    methods: GET_POST,
    tag: "query",
    summary: "Evaluate PromQL at one moment",
    parameters: ["query!", "time", "timeout", "limit", "lookback_delta", "stats"],
    data: schemas.queryData,
  },
  {
    path: "/query_range",
    methods: GET_POST,
    tag: "query",
    summary: "Evaluate PromQL at every step of a range of time",
    parameters: ["query!", "start!", "end!", "step!", "timeout", "limit", "lookback_delta", "stats", "nocache"],
    data: schemas.queryData,
  },
  {
    path: "/query_exemplars",
    methods: GET_POST,
    tag: "query",
    summary: "Exemplars of the series that an expression selects",
    parameters: ["query!", "start", "end"],
    data: schemas.exemplars,
  },
  {
    path: "/format_query",
    methods: GET_POST,
    tag: "query",
    summary: "Lay out an expression",
    parameters: ["query!"],
    data: schemas.text,
  },
  {
    path: "/parse_query",
    methods: GET_POST,
    tag: "query",
    summary: "The syntax tree of an expression",
    parameters: ["query!"],
    data: schemas.anyObject,
  },
  {
    path: "/labels",
    methods: GET_POST,
    tag: "labels",
    summary: "Names of labels",
    parameters: ["match[]", "start", "end", "limit"],
    data: schemas.texts,
  },
  {
    path: "/label/{name}/values",
    methods: GET,
    tag: "labels",
    summary: "Values of a label; names beyond the old kind may be escaped as U__",
    parameters: ["match[]", "start", "end", "limit"],
    data: schemas.texts,
  },
  {
    path: "/series",
    methods: GET_POST,
    tag: "labels",
    summary: "Series by their labels",
    parameters: ["match[]!", "start", "end", "limit"],
    data: schemas.series,
  },
  {
    path: "/metadata",
    methods: GET,
    tag: "metadata",
    summary: "Type, unit and help of metrics",
    parameters: ["metric", "limit", "limit_per_metric"],
    data: schemas.metricMetadata,
  },
  {
    path: "/rules",
    methods: GET,
    tag: "rules",
    summary: "Groups of rules",
    parameters: "type rule_name[] rule_group[] file[] match[] exclude_alerts group_limit group_next_token".split(" "),
    data: schemas.rules,
  },
  { path: "/alerts", methods: GET, tag: "rules", summary: "Active alerts", data: schemas.alerts },
  { path: "/alertmanagers", methods: GET, tag: "rules", summary: "Alertmanagers", data: schemas.alertmanagers },
  {
    path: "/targets",
    methods: GET,
    tag: "targets",
    summary: "Targets of scraping: none, as everything is pushed",
    parameters: ["state", "scrapePool"],
    data: schemas.targets,
  },
  {
    path: "/targets/metadata",
    methods: GET,
    tag: "targets",
    summary: "Metadata by target",
    parameters: ["match_target", "metric", "limit"],
    data: schemas.targetMetadata,
  },
  {
    path: "/targets/relabel_steps",
    methods: GET,
    tag: "targets",
    summary: "What relabelling does to a target",
    parameters: ["scrapePool!", "labels!"],
    data: schemas.anyObject,
  },
  { path: "/scrape_pools", methods: GET, tag: "targets", summary: "Scrape pools", data: schemas.scrapePools },
  {
    path: "/scrape_pools/config",
    methods: GET,
    tag: "targets",
    summary: "The configuration of a scrape pool",
    parameters: ["scrapePool!"],
    data: schemas.config,
  },
  { path: "/status/buildinfo", methods: GET, tag: "status", summary: "Version", data: schemas.buildInfo },
  { path: "/status/config", methods: GET, tag: "status", summary: "Configuration in effect", data: schemas.config },
  { path: "/status/flags", methods: GET, tag: "status", summary: "Settings as flags", data: schemas.flags },
  { path: "/status/runtimeinfo", methods: GET, tag: "status", summary: "The process", data: schemas.runtimeInfo },
  { path: "/status/walreplay", methods: GET, tag: "status", summary: "Replay of the log", data: schemas.walReplay },
  {
    path: "/status/tsdb",
    methods: GET,
    tag: "status",
    summary: "Metrics and labels that cost most",
    parameters: ["limit", "offset", "match[]", "start", "end"],
    data: schemas.tsdbStatus,
  },
  {
    path: "/status/series_churn",
    methods: GET,
    tag: "status",
    summary: "Series that came and went",
    parameters: ["window", "limit", "match[]", "end"],
    data: schemas.churn,
  },
  {
    path: "/status/active_queries",
    methods: GET,
    tag: "status",
    summary: "Queries that wait or run",
    data: schemas.activeQueries,
  },
  {
    path: "/status/active_queries/cancel",
    methods: ["POST"],
    tag: "status",
    summary: "Stop a query",
    parameters: ["id!"],
    contentTypes: [],
  },
  {
    path: "/status/top_queries",
    methods: GET,
    tag: "status",
    summary: "Queries that cost most lately",
    parameters: ["by", "limit"],
    data: schemas.topQueries,
  },
  { path: "/features", methods: GET, tag: "status", summary: "What is supported", data: schemas.features },
  { path: "/notifications", methods: GET, tag: "status", summary: "Notifications: none", data: schemas.targetMetadata },
  { path: "/notifications/live", methods: GET, tag: "status", summary: "Notifications as events", contentTypes: [] },
  { path: "/openapi.yaml", methods: GET, tag: "status", summary: "This", contentTypes: ["application/yaml"] },
  {
    path: "/search/metric_names",
    methods: GET_POST,
    tag: "search",
    summary: "Names of metrics like what was typed",
    parameters: [...SEARCH, "include_metadata"],
    contentTypes: NDJSON,
  },
  {
    path: "/search/label_names",
    methods: GET_POST,
    tag: "search",
    summary: "Names of labels like what was typed",
    parameters: SEARCH,
    contentTypes: NDJSON,
  },
  {
    path: "/search/label_values",
    methods: GET_POST,
    tag: "search",
    summary: "Values of a label like what was typed",
    parameters: ["label!", ...SEARCH],
    contentTypes: NDJSON,
  },
  {
    path: "/logs/facets",
    methods: GET_POST,
    tag: "logs",
    summary: "Most frequent values of the attributes of log records, and how numbers are distributed",
    parameters: [...LOG_RANGE, "name", "limit", "records"],
    data: schemas.logFacets,
  },
  {
    path: "/logs/histogram",
    methods: GET_POST,
    tag: "logs",
    summary: "How many log records there are by level, over time",
    parameters: [...LOG_RANGE, "step"],
    data: schemas.logHistogram,
  },
  {
    path: "/logs/context",
    methods: GET_POST,
    tag: "logs",
    summary: "Log records before and after one, of its stream, service or host",
    parameters: ["query!", "time!", "line", "scope", "before", "after", "window"],
    data: schemas.logContext,
  },
  {
    path: "/logs/patterns",
    methods: GET_POST,
    tag: "logs",
    summary: "Patterns of log lines that are new, gone, more or less than in a baseline period",
    parameters: [...LOG_RANGE, "baselineStart", "baselineEnd", "factor", "limit"],
    data: schemas.changedPatterns,
  },
  {
    path: "/attributes",
    methods: GET_POST,
    tag: "search",
    summary: "Attributes of logs, traces or metrics: names, types, how many have them; with name the values of one",
    parameters: ["signal!", "prefix", "name", "query", "start", "end", "since", "limit"],
    data: schemas.attributes,
  },
  {
    path: "/read",
    methods: ["POST"],
    tag: "remote",
    summary: "Remote read: a prometheus.ReadRequest in snappy",
    contentTypes: ["application/x-protobuf", "application/x-streamed-protobuf"],
  },
  {
    path: "/admin/tsdb/delete_series",
    methods: POST_PUT,
    tag: "admin",
    summary: "Delete the samples of the matching series in a range of time",
    parameters: ["match[]!", "start", "end"],
    contentTypes: [],
  },
  {
    path: "/admin/tsdb/clean_tombstones",
    methods: POST_PUT,
    tag: "admin",
    summary: "Free the space of deleted samples now",
    contentTypes: [],
  },
  {
    path: "/admin/tsdb/snapshot",
    methods: POST_PUT,
    tag: "admin",
    summary: "Make a copy of the metrics that a server can be started on",
    parameters: ["skip_head"],
    data: schemas.snapshot,
  },
];
