import type { AuditLog } from "@sightline/model/audit-log.ts";
import { InvalidInputError, NotFoundError } from "@sightline/model/errors.ts";
import type { Deletion } from "@sightline/model/row-deletion.ts";
import { parseLogSelector } from "../deletion/deletion-request.ts";
import { parseGoFloat, parseRfc3339Ns, secondsToNs } from "../http/go-syntax.ts";
import { type QueryCall, type QueryHandler, type QueryRoute, sendJson } from "../http/query-api.ts";
import { refuseCrossSite } from "../http/refuse-cross-site.ts";
import type { LokiApiDeps, LokiDeletionDeps } from "./loki-api-deps.ts";

const URL = "/loki/api/v1/delete";
const NS_PER_S = 1_000_000_000n;
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
    const deletions = await store.deletions(tenant);
    return sendJson(
      reply,
      deletions.map(({ id, description, range, createdAtMs, state }) => ({
        request_id: id,
        start_time: Number(range.startNs / NS_PER_S),
        end_time: Number(range.endNs / NS_PER_S),
        query: description,
        status: STATUS[state],
        created_at: createdAtMs / 1_000,
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
    const selector = parseLogSelector(query, config.logs.max_query_bytes);
    const nowNs = BigInt(nowMs()) * 1_000_000n;
    const startText = parameters.get("start");
    if (startText === "") throw new InvalidInputError("start time not set");
    const startNs = time("start", startText);
    const endNs = parameters.get("end") === "" ? nowNs : time("end", parameters.get("end"));
    if (endNs > nowNs) throw new InvalidInputError("deletes in the future are not allowed");
    if (startNs > endNs) throw new InvalidInputError("start time can't be greater than end time");
    const request = { tenant, range: { startNs, endNs }, ...selector, description: query };
    const { id, rows } = await store.deleteRows(request, signal);
    const range = { start: String(startNs), end: String(endNs) };
    await note(audit, call, nowMs(), "delete", { signal: "logs", id, description: query, rows, ...range });
    return reply.code(204).send();
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

/** Unix seconds or RFC 3339. */
function time(name: "start" | "end", text: string): bigint {
  const seconds = parseGoFloat(text);
  if (seconds !== undefined && Math.abs(seconds) < 1e11) return secondsToNs(seconds);
  const ns = parseRfc3339Ns(text);
  if (ns !== undefined) return ns;
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
