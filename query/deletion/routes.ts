import type { AuditLog } from "@sightline/model/audit-log.ts";
import { InvalidInputError, NotFoundError } from "@sightline/model/errors.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { MetricStore } from "@sightline/model/metric-store.ts";
import type { DeletesRows, Deletion, RowDeletion } from "@sightline/model/row-deletion.ts";
import type { FastifyInstance } from "fastify";
import { type QueryApiDeps, type QueryCall, type QueryHandler, registerQueryApi, sendJson } from "../http/query-api.ts";
import { refuseCrossSite } from "../http/refuse-cross-site.ts";
import { sendPrometheusFailure } from "../prometheus-api/error-response.ts";
import {
  deletionBody,
  erasureBody,
  type LogSelector,
  parseBody,
  parseLogSelector,
  rangeOf,
} from "./deletion-request.ts";

export type DeletionApiDeps = QueryApiDeps & {
  readonly stores: {
    readonly metrics: Pick<MetricStore, "administration">;
    readonly logs: DeletesRows;
    readonly traces: DeletesRows;
  };
  readonly audit: AuditLog;
  readonly nowMs?: () => number;
};

const EVERYTHING: LogSelector = { matchers: [], line: [], attributes: [] };
const NS_PER_MS = 1_000_000n;
const MAX_AUDIT_ENTRIES = 1_000;

/**
 * For administrators: `/api/v1/admin/deletions` lists (GET), makes (POST) and cancels (DELETE `?signal=&id=`) deletions
 * of logs and spans; `POST /api/v1/admin/erase` deletes what is about a person, by attributes, in every signal;
 * `/api/v1/admin/audit` says who did what. Series are deleted at `/api/v1/admin/tsdb/delete_series`.
 */
export function registerDeletionApi(app: FastifyInstance, deps: DeletionApiDeps): void {
  if (!deps.config.admin_api) return;
  const url = "/api/v1/admin/deletions";
  const scope = "admin" as const;
  registerQueryApi(
    app,
    deps,
    sendPrometheusFailure,
    [
      { methods: ["GET"], url, handler: listHandler(deps), scope },
      { methods: ["POST"], url, handler: deleteHandler(deps), scope },
      { methods: ["DELETE"], url, handler: cancelHandler(deps), scope },
      { methods: ["POST"], url: "/api/v1/admin/erase", handler: eraseHandler(deps), scope },
      { methods: ["GET"], url: "/api/v1/admin/audit", handler: auditHandler(deps), scope },
    ],
    { rawBodies: true },
  );
}

function listHandler({ stores }: DeletionApiDeps): QueryHandler {
  return async ({ tenant, reply }) => {
    const [logs, traces] = await Promise.all([stores.logs.deletions(tenant), stores.traces.deletions(tenant)]);
    const deletions = [...logs.map((each) => shown("logs", each)), ...traces.map((each) => shown("traces", each))];
    return sendJson(reply, { status: "success", data: { deletions } });
  };
}

function deleteHandler(deps: DeletionApiDeps): QueryHandler {
  const { stores, config, nowMs = Date.now } = deps;
  return async (call) => {
    refuseCrossSite(call.request);
    const body = parseBody(deletionBody, call.request.body);
    const { signal: kind, selector } = body;
    if (selector === "" && Object.keys(body.attributes).length === 0) {
      throw new InvalidInputError("say what to delete: give a selector, attributes or both");
    }
    if (kind === "traces" && selector !== "") throw new InvalidInputError("selector: spans are chosen by attributes");
    const selected = selector === "" ? EVERYTHING : parseLogSelector(selector, config.logs.max_query_bytes);
    const range = rangeOf(body.start, body.end, nowMs());
    const deletion = await deleteRows(deps, call, kind, stores[kind], {
      tenant: call.tenant,
      range,
      ...selected,
      attributes: [...selected.attributes, ...equal(body.attributes)],
      description: describe(selector, Object.keys(body.attributes)),
    });
    return sendJson(call.reply, { status: "success", data: shown(kind, deletion) });
  };
}

function cancelHandler(deps: DeletionApiDeps): QueryHandler {
  return async (call) => {
    refuseCrossSite(call.request);
    const { tenant, parameters, reply } = call;
    const kind = parameters.get("signal");
    if (kind !== "logs" && kind !== "traces") throw new InvalidInputError("signal must be logs or traces");
    const id = parameters.get("id");
    if (!(await deps.stores[kind].cancelDeletion(tenant, id))) {
      throw new NotFoundError(`there is no deletion ${JSON.stringify(id)} of ${kind} that can still be cancelled`);
    }
    await note(deps, call, "cancel deletion", { signal: kind, id });
    return reply.code(204).send();
  };
}

/** What a person asked to be forgotten. The audit has the names of the attributes, not their values. */
function eraseHandler(deps: DeletionApiDeps): QueryHandler {
  const { stores, nowMs = Date.now } = deps;
  return async (call) => {
    refuseCrossSite(call.request);
    const { attributes, start, end } = parseBody(erasureBody, call.request.body);
    const { tenant } = call;
    const range = rangeOf(start, end, nowMs());
    const request = { tenant, range, ...EVERYTHING, attributes: equal(attributes) };
    const description = `erasure by ${Object.keys(attributes).join(", ")}`;
    const erased = [];
    for (const kind of ["logs", "traces"] as const) {
      erased.push(shown(kind, await deleteRows(deps, call, kind, stores[kind], { ...request, description })));
    }
    const { administration } = stores.metrics;
    if (administration) {
      const milliseconds = { startMs: Number(range.startNs / NS_PER_MS), endMs: Number(range.endNs / NS_PER_MS) };
      const matchers = equal(attributes).map(({ name, ...rest }) => ({ name: labelOf(name), ...rest }));
      await administration.deleteSamples({ tenant, range: milliseconds, matchers });
      await note(deps, call, "delete", { signal: "metrics", description, ...milliseconds });
    }
    return sendJson(call.reply, { status: "success", data: { erased, metrics: administration !== undefined } });
  };
}

function auditHandler({ audit }: DeletionApiDeps): QueryHandler {
  return async ({ tenant, reply }) => {
    const entries = await audit.entries(tenant, MAX_AUDIT_ENTRIES);
    const data = entries.map(({ atMs, keyId, client, action, details }) => {
      return { time: new Date(atMs).toISOString(), keyId, client, action, details };
    });
    return sendJson(reply, { status: "success", data: { entries: data } });
  };
}

async function deleteRows(
  deps: DeletionApiDeps,
  call: QueryCall,
  kind: "logs" | "traces",
  store: DeletesRows,
  request: RowDeletion,
): Promise<Deletion> {
  const deletion = await store.deleteRows(request, call.signal);
  const { id, description, rows } = deletion;
  await note(deps, call, "delete", { signal: kind, id, description, rows, ...shownRange(request.range) });
  return deletion;
}

async function note(
  { audit, nowMs = Date.now }: DeletionApiDeps,
  { tenant, keyId, request }: QueryCall,
  action: string,
  details: Readonly<Record<string, unknown>>,
): Promise<void> {
  await audit.addEntry({ atMs: nowMs(), tenant, keyId, client: request.ip, action, details });
}

function shown(signal: "logs" | "traces", { id, description, range, rows, createdAtMs, removeAtMs, state }: Deletion) {
  return {
    signal,
    id,
    description,
    ...shownRange(range),
    rows,
    createdAt: new Date(createdAtMs).toISOString(),
    removeAt: new Date(removeAtMs).toISOString(),
    state,
  };
}

function shownRange({ startNs, endNs }: RowDeletion["range"]) {
  const text = (ns: bigint) => new Date(Number(ns / NS_PER_MS)).toISOString();
  return { start: text(startNs), end: text(endNs) };
}

function equal(attributes: Readonly<Record<string, string>>): readonly Matcher[] {
  return Object.entries(attributes).map(([name, value]) => ({ name, op: "=", value }));
}

/** Values may be what is to be forgotten, so only names are remembered. */
function describe(selector: string, attributes: readonly string[]): string {
  return [selector, attributes.length > 0 ? `by ${attributes.join(", ")}` : ""].filter((text) => text !== "").join(" ");
}

/** Attributes are labels under this name. */
function labelOf(attribute: string): string {
  return attribute.replace(/[^a-zA-Z0-9_]/g, "_");
}
