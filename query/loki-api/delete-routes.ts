import type { AuditLog } from "@sightline/model/audit-log.ts";
import { InvalidInputError, NotFoundError, ParseError } from "@sightline/model/errors.ts";
import { formatGoDuration, parseGoDuration } from "@sightline/model/go-duration.ts";
import type { Deletion } from "@sightline/model/row-deletion.ts";
import { type LogSelector, parseLogSelector } from "../deletion/deletion-request.ts";
import { parseGoFloat, parseRfc3339Ns, secondsToNs } from "../http/go-syntax.ts";
import { type QueryCall, type QueryHandler, type QueryRoute, sendJson } from "../http/query-api.ts";
import { refuseCrossSite } from "../http/refuse-cross-site.ts";
import type { LokiApiDeps, LokiDeletionDeps } from "./loki-api-deps.ts";

const URL = "/loki/api/v1/delete";
const NS_PER_S = 1_000_000_000n;
const NS_PER_MS = 1_000_000n;
/** Unix seconds have so many characters. */
const SECONDS_LENGTH = 10;
/** Loki's `delete_max_interval`, which is a day unless it is configured. */
const MAX_INTERVAL_NS = 24 * 3_600 * 1e9;
/** Loki's words for the states of a deletion. */
const STATUS: Readonly<Record<Deletion["state"], string>> = {
  hidden: "received",
  removing: "build_in_progress",
  removed: "processed",
};

/**
 * Loki's deletion of log lines (pkg/compactor/deletion/request_handler.go): POST or PUT makes one, GET lists them, DELETE
 * cancels one. Queries stop seeing the lines at once; in Loki only with `deletion_mode: filter-only` or later.
 */
export function deleteRoutes(deps: LokiApiDeps): QueryRoute[] {
  const { deletion } = deps;
  if (!deletion || !deps.config.admin_api) return [];
  const scope = "admin" as const;
  return [
    { methods: ["GET"], url: URL, scope, handler: listHandler(deletion) },
    { methods: ["POST", "PUT"], url: URL, scope, handler: createHandler(deletion, deps) },
    { methods: ["DELETE"], url: URL, scope, handler: cancelHandler(deletion, deps) },
  ];
}

function listHandler({ store }: LokiDeletionDeps): QueryHandler {
  return async ({ tenant, reply }) => {
    const deletions = (await store.deletions(tenant)).toSorted((a, b) => a.createdAtMs - b.createdAtMs);
    return sendJson(
      reply,
      deletions.map(({ id, description, range, createdAtMs, state }) => ({
        request_id: id,
        start_time: seconds(range.startNs),
        end_time: seconds(range.endNs),
        query: description,
        status: STATUS[state],
        created_at: createdAtMs / 1_000,
        user_id: "",
      })),
    );
  };
}

function createHandler({ store, audit }: LokiDeletionDeps, { config, nowMs = Date.now }: LokiApiDeps): QueryHandler {
  return async (call) => {
    refuseCrossSite(call.request);
    const { parameters, tenant, signal, reply } = call;
    const query = parameters.get("query");
    if (query === "") throw new InvalidInputError("query not set");
    const selector = selectorOf(query, config.logs.max_query_bytes);
    const nowNs = BigInt(nowMs()) * NS_PER_MS;
    const startText = parameters.get("start");
    if (startText === "") throw new InvalidInputError("start time not set");
    const startNs = time("start", startText);
    const endNs = parameters.get("end") === "" ? nowNs : time("end", parameters.get("end"));
    if (endNs > nowNs) throw new InvalidInputError("deletes in the future are not allowed");
    if (startNs >= endNs) throw new InvalidInputError("start time can't be greater than or equal to end time");
    if (selector.line.length > 0) checkInterval(parameters.get("max_interval"), Number(endNs - startNs));
    const request = { tenant, range: { startNs, endNs }, ...selector, description: query };
    const { id, rows } = await store.deleteRows(request, signal);
    const range = { start: String(startNs), end: String(endNs) };
    await note(audit, call, nowMs(), "delete", { signal: "logs", id, description: query, rows, ...range });
    return reply.code(204).header("x-delete-request-id", id).send();
  };
}

function cancelHandler({ store, audit }: LokiDeletionDeps, { nowMs = Date.now }: LokiApiDeps): QueryHandler {
  return async (call) => {
    refuseCrossSite(call.request);
    const { tenant, parameters, reply } = call;
    const id = parameters.get("request_id");
    if (!(await store.cancelDeletion(tenant, id))) {
      const isKnown = (await store.deletions(tenant)).some((deletion) => deletion.id === id);
      if (!isKnown) throw new NotFoundError("could not find delete request with given id");
      throw new InvalidInputError("deletion of request which is in process or already processed is not allowed");
    }
    await note(audit, call, nowMs(), "cancel deletion", { signal: "logs", id });
    return reply.code(204).send();
  };
}

function seconds(ns: bigint): number {
  return Number(ns / NS_PER_MS) / Number(NS_PER_S / NS_PER_MS);
}

/** Loki says no more than that a query is invalid. */
function selectorOf(query: string, maxBytes: number): LogSelector {
  try {
    return parseLogSelector(query, maxBytes);
  } catch (error) {
    if (!(error instanceof ParseError || error instanceof InvalidInputError)) throw error;
    throw new InvalidInputError(`invalid query expression: ${error.message}`, { cause: error });
  }
}

/** Loki deletes in portions of so much time; here it is only read. */
function checkInterval(text: string, rangeNs: number): void {
  if (text === "") return;
  const interval = parseGoDuration(text);
  if ("error" in interval || interval.ns < Number(NS_PER_S)) {
    throw new InvalidInputError("invalid max_interval: valid time units are 's', 'm', 'h'");
  }
  if (interval.ns > MAX_INTERVAL_NS) {
    throw new InvalidInputError(`max_interval can't be greater than ${formatGoDuration(MAX_INTERVAL_NS)}`);
  }
  if (interval.ns > rangeNs) {
    const range = formatGoDuration(rangeNs);
    throw new InvalidInputError(`max_interval can't be greater than the interval to be deleted (${range})`);
  }
}

/** Unix seconds, as Loki tells them by their length, or RFC 3339. */
function time(name: "start" | "end", text: string): bigint {
  const unix = text.length === SECONDS_LENGTH ? parseGoFloat(text) : undefined;
  if (unix !== undefined && Number.isFinite(unix) && Math.abs(unix) < 1e11) return secondsToNs(unix);
  const ns = parseRfc3339Ns(text);
  if (ns !== undefined) return (ns / NS_PER_MS) * NS_PER_MS;
  throw new InvalidInputError(`invalid ${name} time: require unix seconds or RFC3339 format`);
}

async function note(
  audit: AuditLog,
  { tenant, keyId, request }: QueryCall,
  atMs: number,
  action: string,
  details: Readonly<Record<string, unknown>>,
): Promise<void> {
  await audit.addEntry({ atMs, tenant, keyId, client: request.ip, action, details });
}
