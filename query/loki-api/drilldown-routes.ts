import { InvalidInputError, ParseError } from "@sightline/model/errors.ts";
import { parseGoInt } from "../http/go-syntax.ts";
import { type QueryCall, type QueryHandler, type QueryRoute, sendJson } from "../http/query-api.ts";
import { layOutLogql } from "../logql/format/lay-out-logql.ts";
import { parseFilteringSelector, parseLogql } from "../logql/parse/parse-logql.ts";
import type { LogEntry } from "../logql/result.ts";
import { detectFields } from "./detected-fields.ts";
import type { LokiApiDeps } from "./loki-api-deps.ts";
import { sendLokiJson } from "./loki-json.ts";
import { endBeforeStart, readRange, readStep } from "./parameters.ts";

const BOTH = ["GET", "POST"] as const;
const DEFAULT_FIELDS = 1_000;
const DEFAULT_LINES = 100;
/** Labels that Loki always shows, whatever their values look like. */
const STATIC_LABELS: ReadonlySet<string> = new Set(["cluster", "namespace", "instance", "pod"]);
const ID = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What Grafana's Logs Drilldown and its query editor ask beside queries. */
export function drilldownRoutes(deps: LokiApiDeps): QueryRoute[] {
  const fields = "/loki/api/v1/detected_field";
  return [
    { methods: BOTH, url: "/loki/api/v1/detected_labels", gated: true, handler: detectedLabelsHandler(deps) },
    { methods: BOTH, url: `${fields}s`, gated: true, handler: detectedFieldsHandler(deps) },
    { methods: BOTH, url: `${fields}/:name/values`, gated: true, handler: fieldValuesHandler(deps) },
    { methods: ["GET"], url: "/loki/api/v1/drilldown-limits", handler: limitsHandler(deps) },
    { methods: BOTH, url: "/loki/api/v1/format_query", handler: formatHandler(deps) },
  ];
}

function detectedLabelsHandler({ store, config, nowMs = Date.now }: LokiApiDeps): QueryHandler {
  return async ({ parameters, tenant, signal, reply }) => {
    const range = readRange(parameters, nowMs());
    const matchers = parseFilteringSelector(parameters.get("query"), config.logs.max_query_bytes);
    if (range.endNs < range.startNs) throw endBeforeStart();
    const values = new Map<string, Set<string>>();
    for (const { labels } of await store.streams({ tenant, range, matchers }, signal)) {
      for (const [name, value] of labels) {
        const known = values.get(name);
        if (known) known.add(value);
        else values.set(name, new Set([value]));
      }
    }
    const detectedLabels = [...values]
      .filter(([name, found]) => STATIC_LABELS.has(name) || !areIds(found))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([label, found]) => ({ label, cardinality: found.size }));
    return sendLokiJson(reply, detectedLabels.length > 0 ? { detectedLabels } : {});
  };
}

/** Numbers and UUIDs only, of which nobody wants a list; but 0 and 1 may say yes and no. */
function areIds(values: ReadonlySet<string>): boolean {
  if (values.size <= 2 && [...values].every((value) => value === "0" || value === "1")) return false;
  return [...values].every((value) => ID.test(value));
}

function detectedFieldsHandler(deps: LokiApiDeps): QueryHandler {
  return async (call) => {
    const limit = readCount(call, "limit", readCount(call, "field_limit", DEFAULT_FIELDS));
    const found = detectFields(await newestLines(call, deps), limit);
    const fields = [...found].map(([label, { type, values, parsers, jsonPath }]) => ({
      label,
      type,
      cardinality: values.size,
      parsers: parsers.size > 0 ? [...parsers] : null,
      ...(jsonPath && { jsonPath }),
    }));
    return sendLokiJson(call.reply, fields.length > 0 ? { fields, limit } : {});
  };
}

function fieldValuesHandler(deps: LokiApiDeps): QueryHandler {
  return async (call) => {
    const limit = readCount(call, "limit", readCount(call, "field_limit", DEFAULT_FIELDS));
    const found = detectFields(await newestLines(call, deps), Number.POSITIVE_INFINITY);
    const values = [...(found.get(call.path.name ?? "")?.values ?? [])].sort().slice(0, limit);
    return sendLokiJson(call.reply, values.length > 0 ? { values, limit } : {});
  };
}

async function newestLines(call: QueryCall, { engine, nowMs = Date.now }: LokiApiDeps): Promise<readonly LogEntry[]> {
  const { parameters, tenant, signal } = call;
  const range = readRange(parameters, nowMs());
  if (range.endNs < range.startNs) throw endBeforeStart();
  readStep(parameters);
  const limit = readCount(call, "line_limit", DEFAULT_LINES);
  const { value } = await engine.range(parameters.get("query"), {
    ...range,
    limit,
    newestFirst: true,
    stepNs: 1_000_000_000n,
    intervalNs: 0n,
    tenant,
    signal,
  });
  if (value.type !== "streams") throw new InvalidInputError("only log selector is supported");
  return value.entries;
}

function readCount({ parameters }: QueryCall, name: string, otherwise: number): number {
  const text = parameters.get(name);
  if (text === "") return otherwise;
  const count = parseGoInt(text);
  if (count === undefined) {
    throw new InvalidInputError(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  if (count <= 0n) throw new InvalidInputError("limit must be a positive value");
  return Math.min(Number(count), 1_000_000);
}

/** Loki's pkg/loki/drilldown_config.go, with the limits that there are here; 0 means none. */
function limitsHandler({ config, buildInfo, server, hasPatterns = false }: LokiApiDeps): QueryHandler {
  const limits = {
    discover_log_levels: true,
    discover_service_name: ["service", "app", "application", "app_name", "name", "container", "component", "job"],
    log_level_fields: ["level", "severity", "lvl"],
    max_entries_limit_per_query: config.logs.max_limit,
    max_line_size_truncate: false,
    max_query_bytes_read: "0B",
    max_query_length: "0s",
    max_query_lookback: "0s",
    max_query_range: "0s",
    max_query_series: config.logs.max_series,
    metric_aggregation_enabled: false,
    otlp_config: {},
    pattern_persistence_enabled: false,
    query_timeout: `${Math.round(config.timeout_ms / 1_000)}s`,
    retention_period: server?.logRetention ?? "0s",
    retention_stream: [],
    volume_enabled: true,
    volume_max_series: config.logs.max_series,
  };
  return async ({ reply }) =>
    sendJson(reply, { limits, pattern_ingester_enabled: hasPatterns, version: buildInfo.version });
}

function formatHandler({ config }: LokiApiDeps): QueryHandler {
  return async ({ parameters, reply }) => {
    try {
      const expr = parseLogql(parameters.get("query"), config.logs.max_query_bytes);
      return sendLokiJson(reply, { status: "success", data: layOutLogql(expr) });
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      return sendLokiJson(reply.code(400), { status: "invalid-query", error: error.message });
    }
  };
}
