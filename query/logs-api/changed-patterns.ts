import { InvalidInputError } from "@sightline/model/errors.ts";
import { parseGoFloat } from "../http/go-syntax.ts";
import { type QueryHandler, sendJson } from "../http/query-api.ts";
import type { RequestParameters } from "../http/request-parameters.ts";
import { comparePatterns } from "../log-patterns/compare-patterns.ts";
import { selectPatterns } from "../log-patterns/select-patterns.ts";
import { readTimeOf } from "../loki-api/parameters.ts";
import type { LogsApiDeps } from "./logs-api-deps.ts";
import { readCount, readOrderedRange } from "./read-parameters.ts";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
const DEFAULT_FACTOR = 2;

/** Patterns of a period beside those of a baseline, by default the time of the same length before it. */
export function changedPatternsHandler({ patterns, logs, config, nowMs = Date.now }: LogsApiDeps): QueryHandler {
  return async ({ parameters, tenant, signal, reply }) => {
    const range = readOrderedRange(parameters, nowMs());
    const baseline = readBaseline(parameters, range);
    const limit = readCount(parameters, "limit", DEFAULT_LIMIT, MAX_LIMIT);
    const factor = readFactor(parameters);
    const query = parameters.get("query");
    const options = { patterns, store: logs, limits: config.logs, tenant, signal };
    const now = await selectPatterns(query, { ...options, range });
    const before = await selectPatterns(query, { ...options, range: baseline });
    const found = comparePatterns(now.patterns, before.patterns, factor).slice(0, limit);
    const isComplete = now.isComplete && before.isComplete;
    return sendJson(reply, { status: "success", data: { isComplete, patterns: found } });
  };
}

function readBaseline(parameters: RequestParameters, { startNs, endNs }: { startNs: bigint; endNs: bigint }) {
  const baseline = {
    startNs: readTimeOf(parameters, "baselineStart", startNs - (endNs - startNs)),
    endNs: readTimeOf(parameters, "baselineEnd", startNs),
  };
  if (baseline.endNs <= baseline.startNs) throw new InvalidInputError('"baselineEnd" must be after "baselineStart"');
  return baseline;
}

function readFactor(parameters: RequestParameters): number {
  const text = parameters.get("factor");
  const factor = text === "" ? DEFAULT_FACTOR : parseGoFloat(text);
  if (factor === undefined || !(factor >= 1)) throw new InvalidInputError('"factor" must be a number of at least 1');
  return factor;
}
