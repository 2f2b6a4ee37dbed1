import type { Method } from "../http/query-api.ts";
import type { Parameter } from "./parameters.ts";

/** An endpoint of Loki's API. `path` is that of the server; parameters are named in {@link LOKI_PARAMETERS}. */
export type LokiOperation = {
  readonly path: string;
  readonly methods: readonly Method[];
  readonly tag: "logs" | "logs status" | "logs admin" | "logs ingest";
  readonly summary: string;
  readonly parameters?: readonly string[];
  /** Of the answer; nothing for 204. */
  readonly contentTypes?: readonly string[];
};

const STRING = { type: "string" };
const COUNT = { type: "integer", minimum: 1 };
const TIME = {
  oneOf: [
    { type: "string", format: "date-time" },
    { type: "number", format: "unixtime" },
  ],
};
const DURATION = { oneOf: [{ type: "string", format: "duration" }, { type: "number" }] };
const AT = "nanoseconds since the epoch, seconds, or RFC 3339";

/** As in Loki; some are called as parameters of Prometheus' API are, and mean something else. */
export const LOKI_PARAMETERS: Readonly<Record<string, Parameter>> = {
  query: { description: "Text in LogQL", schema: STRING },
  time: { description: `When to evaluate, now if missing: ${AT}`, schema: TIME },
  start: { description: `First moment, an hour before the end if missing: ${AT}`, schema: TIME },
  end: { description: `Last moment, now if missing; no line of that moment: ${AT}`, schema: TIME },
  since: { description: "How long before the end to start, when there is no start", schema: DURATION },
  step: { description: "Time between two steps: a duration or seconds", schema: DURATION },
  interval: { description: "Lines that come sooner after another are left out", schema: DURATION },
  limit: { description: "Most lines, fields or volumes of the answer", schema: COUNT },
  direction: { description: "Newest lines first or last", schema: { type: "string", enum: ["backward", "forward"] } },
  "match[]": { description: "Stream selectors", schema: { type: "array", items: STRING } },
  targetLabels: { description: "Labels that tell volumes apart, with commas in between", schema: STRING },
  aggregateBy: { description: "What a volume is of", schema: { type: "string", enum: ["series", "labels"] } },
  line_limit: { description: "Newest lines that are looked at", schema: COUNT },
  field_limit: { description: "Most fields", schema: COUNT },
  delay_for: { description: "Seconds that lines are held back, so that late ones come in order", schema: COUNT },
  request_id: { description: "Id of the deletion to cancel", schema: STRING },
  name: { description: "Name of a label or field", schema: STRING },
};

const GET = ["GET"] as const;
const BOTH = ["GET", "POST"] as const;
const JSON_TYPE = ["application/json"];
const TEXT = ["text/plain"];
const RANGE = ["start", "end", "since"];
const logs = (path: string, summary: string, parameters: readonly string[]): LokiOperation => {
  return { path: `/loki/api/v1/${path}`, methods: BOTH, tag: "logs", summary, parameters, contentTypes: JSON_TYPE };
};
const ingest = (path: string, summary: string): LokiOperation => {
  return { path, methods: ["POST"], tag: "logs ingest", summary };
};
const status = (path: string, summary: string, contentTypes: readonly string[]): LokiOperation => {
  return { path, methods: GET, tag: "logs status", summary, contentTypes };
};

export const LOKI_OPERATIONS: readonly LokiOperation[] = [
  logs("query", "Evaluate LogQL at one moment", ["query!", "time", "limit", "direction"]),
  logs("query_range", "Lines, or samples at every step of a range of time", [
    "query!",
    ...RANGE,
    "step",
    "interval",
    "limit",
    "direction",
  ]),
  logs("labels", "Names of stream labels", [...RANGE, "query"]),
  logs("label", "Names of stream labels, as /loki/api/v1/labels", [...RANGE, "query"]),
  logs("label/{name}/values", "Values of a stream label", [...RANGE, "query"]),
  logs("series", "Label sets of streams", ["match[]", ...RANGE]),
  logs("index/stats", "How many streams, lines and bytes there are", ["query!", ...RANGE]),
  logs("index/shards", "Parts in which a client may ask: always one", ["query!", ...RANGE]),
  logs("index/volume", "Bytes by label", ["query!", ...RANGE, "limit", "targetLabels", "aggregateBy"]),
  logs("index/volume_range", "Bytes by label over time", [
    "query!",
    ...RANGE,
    "step",
    "limit",
    "targetLabels",
    "aggregateBy",
  ]),
  logs("patterns", "Forms that many lines share, counted over time", ["query!", ...RANGE, "step"]),
  logs("detected_labels", "Stream labels and how many values they have", ["query", ...RANGE]),
  logs("detected_fields", "Fields of lines and of structured metadata", [
    "query!",
    ...RANGE,
    "limit",
    "line_limit",
    "field_limit",
  ]),
  logs("detected_field/{name}/values", "Values of such a field", [
    "query!",
    ...RANGE,
    "limit",
    "line_limit",
    "field_limit",
  ]),
  logs("format_query", "Lay out a query", ["query!"]),
  {
    path: "/loki/api/v1/tail",
    methods: GET,
    tag: "logs",
    summary: "Lines as they come in: a WebSocket",
    parameters: ["query!", "start", "limit", "delay_for"],
    contentTypes: JSON_TYPE,
  },
  {
    path: "/loki/api/v2alpha/tail",
    methods: GET,
    tag: "logs",
    summary: "As /loki/api/v1/tail",
    parameters: ["query!", "start", "limit", "delay_for"],
    contentTypes: JSON_TYPE,
  },
  {
    path: "/loki/api/v1/delete",
    methods: ["GET", "POST", "PUT", "DELETE"],
    tag: "logs admin",
    summary: "List deletions of lines, delete lines (POST, PUT), cancel a deletion (DELETE)",
    parameters: ["query", "start", "end", "request_id"],
    contentTypes: JSON_TYPE,
  },
  ingest("/loki/api/v1/push", "Push lines: protobuf in snappy, or JSON"),
  ingest("/api/prom/push", "As /loki/api/v1/push"),
  ingest("/otlp/v1/logs", "OTLP: ExportLogsServiceRequest in protobuf or JSON"),
  status("/loki/api/v1/drilldown-limits", "Limits that Grafana's Logs Drilldown asks for", JSON_TYPE),
  status("/loki/api/v1/status/buildinfo", "Version of the server", JSON_TYPE),
  status("/config", "The configuration in effect, without secrets", TEXT),
  status("/services", "Parts of the process and how they are", TEXT),
  status("/log_level", "The level of the server's own log", JSON_TYPE),
];
