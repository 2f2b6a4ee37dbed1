import { InvalidInputError } from "@sightline/model/errors.ts";
import type { FastifyInstance } from "fastify";
import { parseGoInt } from "../http/go-syntax.ts";
import { type QueryApiDeps, type QueryHandler, registerQueryApi, sendJson } from "../http/query-api.ts";
import type { RequestParameters } from "../http/request-parameters.ts";
import { sendPrometheusFailure } from "../prometheus-api/error-response.ts";
import type { QueryTracker } from "./query-tracker.ts";
import type { TopOrder } from "./top-queries.ts";

export type ActiveQueriesDeps = QueryApiDeps & { readonly tracker: QueryTracker };

const ORDERS: readonly TopOrder[] = ["time", "samples", "count"];
const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 1_000;

/**
 * A tenant's own queries: `/api/v1/status/active_queries`, and `…/cancel?id=` for one of them;
 * `/api/v1/status/top_queries?by=time|samples|count&limit=` for those that cost most lately.
 */
export function registerActiveQueries(app: FastifyInstance, deps: ActiveQueriesDeps): void {
  const { tracker } = deps;
  const active: QueryHandler = async ({ tenant, reply }) => {
    const queries = tracker.active(tenant).map(({ id, state, route, text, parameters, clientIp, ...times }) => ({
      id,
      state,
      route,
      query: text,
      parameters,
      clientIP: clientIp,
      startTime: new Date(times.startedAtMs).toISOString(),
      elapsedSeconds: times.elapsedMs / 1_000,
    }));
    return sendJson(reply, { status: "success", data: { queries } });
  };
  const cancel: QueryHandler = async ({ tenant, parameters, reply }) => {
    const id = parseGoInt(parameters.get("id"));
    if (id === undefined) throw new InvalidInputError("id must be the number of an active query");
    tracker.cancel(tenant, Number(id));
    return reply.code(204).send();
  };
  const top: QueryHandler = async ({ tenant, parameters, reply }) => {
    const queries = tracker.top(tenant, orderOf(parameters), limitOf(parameters)).map((query) => ({
      route: query.route,
      query: query.text,
      count: query.count,
      errors: query.errors,
      totalSeconds: query.totalMs / 1_000,
      maxSeconds: query.maxMs / 1_000,
      samples: query.samples,
      peakSamples: query.peakSamples,
      cachedSteps: query.cachedSteps,
      lastTime: new Date(query.lastAtMs).toISOString(),
    }));
    return sendJson(reply, { status: "success", data: { queries } });
  };
  registerQueryApi(app, deps, sendPrometheusFailure, [
    { methods: ["GET"], url: "/api/v1/status/active_queries", handler: active },
    { methods: ["POST"], url: "/api/v1/status/active_queries/cancel", handler: cancel },
    { methods: ["GET"], url: "/api/v1/status/top_queries", handler: top },
  ]);
}

function orderOf(parameters: RequestParameters): TopOrder {
  const text = parameters.get("by");
  if (text === "") return "time";
  const order = ORDERS.find((name) => name === text);
  if (!order) throw new InvalidInputError(`by must be one of ${ORDERS.join(", ")}, not ${JSON.stringify(text)}`);
  return order;
}

function limitOf(parameters: RequestParameters): number {
  const text = parameters.get("limit");
  if (text === "") return DEFAULT_LIMIT;
  const limit = parseGoInt(text);
  if (limit === undefined || limit < 1n || limit > MAX_LIMIT) {
    throw new InvalidInputError(`limit must be a number from 1 to ${MAX_LIMIT}`);
  }
  return Number(limit);
}
