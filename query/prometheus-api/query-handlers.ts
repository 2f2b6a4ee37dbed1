import { InvalidInputError, ParseError } from "@sightline/model/errors.ts";
import { parseGoBool } from "../http/go-syntax.ts";
import type { QueryCall, QueryHandler } from "../http/query-api.ts";
import type { RequestParameters } from "../http/request-parameters.ts";
import { sendChunks } from "../http/send-chunks.ts";
import type { QueryResult } from "../promql/result.ts";
import { encodeQueryResult } from "./encode-query-result.ts";
import {
  invalidParameter,
  optionalLimit,
  optionalLookbackMs,
  optionalTimeMs,
  optionalTimeoutMs,
  requiredSteps,
} from "./parameters.ts";
import type { PrometheusApiDeps } from "./prometheus-api-deps.ts";

/** `/api/v1/query` */
export function instantHandler({ engine, nowMs = Date.now }: PrometheusApiDeps): QueryHandler {
  return async (call) => {
    const { parameters } = call;
    const limit = optionalLimit(parameters);
    const timeMs = optionalTimeMs(parameters, "time", nowMs());
    const options = evaluationOptions(call);
    const result = await evaluate(() => engine.instant(parameters.get("query"), { ...options, timeMs, limit }));
    return sendResult(call, result);
  };
}

/** `/api/v1/query_range` */
export function rangeHandler({ engine }: PrometheusApiDeps): QueryHandler {
  return async (call) => {
    const { parameters } = call;
    const limit = optionalLimit(parameters);
    const steps = requiredSteps(parameters);
    const options = evaluationOptions(call);
    const noCache = wantsFreshResult(call);
    const result = await evaluate(() =>
      engine.range(parameters.get("query"), { ...options, ...steps, limit, noCache }),
    );
    return sendResult(call, result);
  };
}

/** By `nocache=1` as VictoriaMetrics knows it, by the header as Mimir does, or because statistics are those of evaluating. */
function wantsFreshResult({ parameters, request }: QueryCall): boolean {
  if (parameters.get("stats") !== "" || parseGoBool(parameters.get("nocache"))) return true;
  return /\bno-(?:store|cache)\b/i.test(request.headers["cache-control"] ?? "");
}

function evaluationOptions({ parameters, tenant, signal }: QueryCall) {
  const timeoutMs = optionalTimeoutMs(parameters);
  const lookbackMs = optionalLookbackMs(parameters);
  // Prometheus notices such a timeout when it makes the query, before it evaluates it.
  if (timeoutMs !== undefined && timeoutMs <= 0) throw invalidParameter("query", "context deadline exceeded");
  return {
    tenant,
    signal,
    countSamples: parameters.get("stats") !== "",
    timeoutMs,
    lookbackMs,
  };
}

async function evaluate(query: () => Promise<QueryResult>): Promise<QueryResult> {
  try {
    return await query();
  } catch (error) {
    if (error instanceof ParseError || error instanceof InvalidInputError) {
      throw invalidParameter("query", error.message, error);
    }
    throw error;
  }
}

function sendResult({ request, reply, parameters, usage }: QueryCall, result: QueryResult) {
  usage.samples = result.stats.samplesTotal;
  usage.peakSamples = result.stats.samplesPeak;
  usage.cachedSteps = result.stats.cachedSteps ?? 0;
  const stats = parameters.get("stats");
  const pieces = encodeQueryResult(result, statsWarnings(parameters), statsOf(stats));
  return sendChunks(request, reply, "application/json", pieces);
}

/** `all` has counts by step, for which Prometheus wants a feature flag. */
function statsOf(parameter: string): "none" | "totals" | "by-step" {
  if (parameter === "") return "none";
  return parameter === "all" ? "by-step" : "totals";
}

function statsWarnings(parameters: RequestParameters): string[] {
  const stats = parameters.get("stats");
  if (stats === "" || stats === "true" || stats === "all") return [];
  return [
    `value ${JSON.stringify(stats)} for parameter "stats" is deprecated and will be rejected in the next major release, use "true" or "all"`,
  ];
}
