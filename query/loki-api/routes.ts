import { InvalidInputError } from "@sightline/model/errors.ts";
import { labelsKey, labelValue } from "@sightline/model/labels.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { FastifyInstance } from "fastify";
import { labelsJson } from "../http/labels-json.ts";
import { type QueryCall, type QueryHandler, type QueryRoute, registerQueryApi } from "../http/query-api.ts";
import { sendChunks } from "../http/send-chunks.ts";
import { parseFilteringSelector, parseStreamSelector } from "../logql/parse/parse-logql.ts";
import type { LogqlResult } from "../logql/result.ts";
import { deleteRoutes } from "./delete-routes.ts";
import { drilldownRoutes } from "./drilldown-routes.ts";
import { encodeLogqlResult } from "./encode-result.ts";
import { encodingFlags } from "./encoding-flags.ts";
import { sendLokiFailure } from "./error-response.ts";
import type { LokiApiDeps } from "./loki-api-deps.ts";
import { LOKI_JSON } from "./loki-json.ts";
import {
  emptyQueryError,
  endBeforeStart,
  readLimit,
  readNewestFirst,
  readRange,
  readRangeQuery,
  readTime,
} from "./parameters.ts";
import { serverRoutes } from "./server-routes.ts";
import { registerTail } from "./tail-routes.ts";
import { volumeRoutes } from "./volume-routes.ts";

/** Loki's query API below `/loki/api/v1`. */
export function registerLokiApi(app: FastifyInstance, deps: LokiApiDeps): void {
  registerQueryApi(app, deps, sendLokiFailure, routes(deps).map(refusingBrokenForms));
  registerTail(app, deps);
}

function routes(deps: LokiApiDeps): QueryRoute[] {
  const both = ["GET", "POST"] as const;
  return [
    { methods: both, url: "/loki/api/v1/query", gated: true, handler: instantHandler(deps) },
    { methods: both, url: "/loki/api/v1/query_range", gated: true, handler: rangeHandler(deps) },
    { methods: both, url: "/loki/api/v1/labels", gated: true, handler: labelNamesHandler(deps) },
    // The name Loki had for it first; some clients still use it.
    { methods: both, url: "/loki/api/v1/label", gated: true, handler: labelNamesHandler(deps) },
    { methods: both, url: "/loki/api/v1/label/:name/values", gated: true, handler: labelValuesHandler(deps) },
    { methods: both, url: "/loki/api/v1/series", gated: true, handler: seriesHandler(deps) },
    ...serverRoutes(deps),
    ...volumeRoutes(deps),
    ...drilldownRoutes(deps),
    ...deleteRoutes(deps),
  ];
}

/** Go's ParseForm fails where other APIs just leave the parameter out. */
function refusingBrokenForms(route: QueryRoute): QueryRoute {
  const handler: QueryHandler = async (call) => {
    const problem = call.parameters.problem;
    if (problem !== undefined) throw new InvalidInputError(problem);
    return route.handler(call);
  };
  return { ...route, handler };
}

function rangeHandler({ engine, nowMs = Date.now }: LokiApiDeps): QueryHandler {
  return async (call) => {
    const { parameters, tenant, signal } = call;
    const query = readRangeQuery(parameters, nowMs());
    return sendResult(call, await engine.range(parameters.get("query"), { ...query, tenant, signal }));
  };
}

function instantHandler({ engine, nowMs = Date.now }: LokiApiDeps): QueryHandler {
  return async (call) => {
    const { parameters, tenant, signal } = call;
    const limit = readLimit(parameters);
    const timeNs = readTime(parameters, nowMs());
    const newestFirst = readNewestFirst(parameters);
    const query = { tenant, signal, limit, timeNs, newestFirst };
    return sendResult(call, await engine.instant(parameters.get("query"), query));
  };
}

function sendResult({ request, reply }: QueryCall, result: LogqlResult) {
  const pieces = encodeLogqlResult(result, encodingFlags(request));
  return sendChunks(request, reply, LOKI_JSON, pieces);
}

function labelNamesHandler(deps: LokiApiDeps): QueryHandler {
  return async (call) => {
    const names = new Set<string>();
    for (const { labels } of await streams(call, deps)) for (const [name] of labels) names.add(name);
    return sendTexts(call, names);
  };
}

function labelValuesHandler(deps: LokiApiDeps): QueryHandler {
  return async (call) => {
    const name = call.path.name ?? "";
    const values = new Set<string>();
    for (const { labels } of await streams(call, deps)) values.add(labelValue(labels, name));
    values.delete("");
    return sendTexts(call, values);
  };
}

/** Streams within the request's time that its `query` selects, all of them without one. */
function streams({ parameters, tenant, signal }: QueryCall, { store, config, nowMs = Date.now }: LokiApiDeps) {
  const range = readRange(parameters, nowMs());
  const matchers = parseFilteringSelector(parameters.get("query"), config.logs.max_query_bytes);
  if (range.endNs < range.startNs) throw endBeforeStart();
  return store.streams({ tenant, range, matchers }, signal);
}

/** Loki leaves an empty list away. */
function sendTexts({ request, reply }: QueryCall, texts: ReadonlySet<string>) {
  if (texts.size === 0) return reply.type(LOKI_JSON).send('{"status":"success"}\n');
  const sorted = [...texts].sort((a, b) => (a < b ? -1 : 1));
  return sendChunks(request, reply, LOKI_JSON, encodeList(sorted, JSON.stringify));
}

function seriesHandler({ store, config, nowMs = Date.now }: LokiApiDeps): QueryHandler {
  return async ({ parameters, tenant, signal, request, reply }) => {
    const range = readRange(parameters, nowMs());
    if (range.endNs < range.startNs) throw endBeforeStart();
    const selectors = [...new Set([...parameters.all("match"), ...parameters.all("match[]")])];
    const groups: (readonly Matcher[])[] = selectors.map((text) =>
      parseSeriesSelector(text, config.logs.max_query_bytes),
    );
    if (groups.length > 1 && groups.some((matchers) => matchers.length === 0)) {
      throw new InvalidInputError("0 matchers in group: {}");
    }
    const found = new Map<string, string>();
    for (const matchers of groups.length > 0 ? groups : [[]]) {
      for (const { labels } of await store.streams({ tenant, range, matchers }, signal)) {
        found.set(labelsKey(labels), labelsJson(labels));
      }
    }
    return sendChunks(
      request,
      reply,
      LOKI_JSON,
      encodeList([...found.values()], (json) => json),
    );
  };
}

function parseSeriesSelector(text: string, maxQueryBytes: number): readonly Matcher[] {
  if (text === "") throw emptyQueryError();
  return parseStreamSelector(text, maxQueryBytes);
}

function* encodeList<T>(items: readonly T[], encode: (item: T) => string): Generator<string> {
  yield '{"status":"success","data":[';
  for (let i = 0; i < items.length; i++) yield (i === 0 ? "" : ",") + encode(items[i] as T);
  yield "]}\n";
}
