import { randomBytes } from "node:crypto";
import { InvalidInputError } from "@sightline/model/errors.ts";
import type { MetricAdministration } from "@sightline/model/metric-store.ts";
import { parseGoBool } from "../http/go-syntax.ts";
import { type QueryCall, type QueryHandler, sendJson } from "../http/query-api.ts";
import { refuseCrossSite } from "../http/refuse-cross-site.ts";
import { parseSelector } from "../promql/parse/parse-promql.ts";
import { invalidParameter, optionalRange } from "./parameters.ts";
import type { PrometheusApiDeps } from "./prometheus-api-deps.ts";

/** What a handler of the admin API is given when it is on. */
type AdminHandler = (call: QueryCall, store: MetricAdministration) => Promise<unknown>;

/** `/api/v1/admin/tsdb/delete_series` */
export function deleteSeriesHandler(deps: PrometheusApiDeps): QueryHandler {
  return adminHandler(deps, async ({ tenant, parameters, signal }, store) => {
    const selectors = parameters.all("match[]");
    if (selectors.length === 0) throw new InvalidInputError("no match[] parameter provided");
    const range = optionalRange(parameters);
    for (const written of selectors.map(parseMatchers)) {
      const matchers = await deps.engine.storedMatchers(written, { tenant, range, signal });
      await store.deleteSamples({ tenant, range, matchers });
    }
  });
}

/** `/api/v1/admin/tsdb/clean_tombstones` */
export function cleanTombstonesHandler(deps: PrometheusApiDeps): QueryHandler {
  return adminHandler(deps, ({ tenant }, store) => store.purgeDeleted(tenant));
}

/** `/api/v1/admin/tsdb/snapshot`: of the tenant that asks. A server can be started on the directory. */
export function snapshotHandler(deps: PrometheusApiDeps): QueryHandler {
  return adminHandler(deps, async ({ tenant, parameters }, store) => {
    const skipMemory = optionalBool(parameters.get("skip_head"), "skip_head");
    const name = snapshotName((deps.nowMs ?? Date.now)());
    await store.snapshot(tenant, deps.snapshotDir?.(name) ?? name, { skipMemory });
    return { name };
  });
}

/** Answers 204 when there is nothing to say, and in Prometheus' words and with its status while the API is off. */
function adminHandler({ store, config, snapshotDir }: PrometheusApiDeps, handle: AdminHandler): QueryHandler {
  const { administration } = store;
  if (!config.admin_api || !administration || !snapshotDir) {
    const why = config.admin_api ? "the metric store can't delete" : "see the setting query.admin_api";
    const error = `admin APIs disabled: ${why}`;
    return async ({ reply }) => sendJson(reply.code(500), { status: "error", errorType: "unavailable", error });
  }
  return async (call) => {
    refuseCrossSite(call.request);
    const data = await handle(call, administration);
    return data === undefined ? call.reply.code(204).send() : sendJson(call.reply, { status: "success", data });
  };
}

function parseMatchers(selector: string) {
  try {
    return parseSelector(selector);
  } catch (error) {
    if (error instanceof Error) throw invalidParameter("match[]", error.message, error);
    throw error;
  }
}

function optionalBool(text: string, name: string): boolean {
  if (text === "") return false;
  const value = parseGoBool(text);
  if (value !== undefined) return value;
  const problem = `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`;
  throw invalidParameter(name, `unable to parse boolean: ${problem}`);
}

/** As Prometheus names them: `20060102T150405Z-0123456789abcdef`. */
function snapshotName(nowMs: number): string {
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
  return `${time}-${randomBytes(8).toString("hex")}`;
}
