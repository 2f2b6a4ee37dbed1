import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import { reportCardinality } from "../cardinality/cardinality.ts";
import { Churn } from "../cardinality/churn.ts";
import { parseGoInt } from "../http/go-syntax.ts";
import { type QueryCall, type QueryHandler, sendJson } from "../http/query-api.ts";
import type { RequestParameters } from "../http/request-parameters.ts";
import { Turn } from "../http/turn.ts";
import { parseMatcherSets } from "./matcher-sets.ts";
import { optionalTimeMs, requiredDurationMs } from "./parameters.ts";
import type { PrometheusApiDeps } from "./prometheus-api-deps.ts";

/** About what Prometheus has in its head, of which it tells. */
const DEFAULT_RANGE_MS = 7_200_000;
const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 10_000;
/** All that is before the page is sorted, too. */
const MAX_OFFSET = 40_000;
const DEFAULT_CHURN_MS = 3_600_000;

/**
 * `/api/v1/status/tsdb`: what costs most. Beyond Prometheus' `limit`, `offset` gives further pages, and `match[]`, `start` and
 * `end` choose series; those of the last two hours otherwise.
 */
export function tsdbStatusHandler({ store, nowMs = Date.now }: PrometheusApiDeps): QueryHandler {
  return async (call) => {
    const { tenant, parameters, signal, reply } = call;
    const page = { limit: limitOf(parameters), offset: offsetOf(parameters) };
    const endMs = optionalTimeMs(parameters, "end", nowMs());
    const range = { startMs: optionalTimeMs(parameters, "start", endMs - DEFAULT_RANGE_MS), endMs };
    const series = await store.series({ tenant, range, matchers: matchersOf(call) }, signal);
    const report = await reportCardinality(series, page, signal);
    const data = {
      headStats: {
        numSeries: report.series,
        numLabelPairs: report.labelPairs,
        // Every series has at least one; how many more is not known without looking at all of them.
        chunkCount: report.series,
        minTime: range.startMs,
        maxTime: range.endMs,
      },
      seriesCountByMetricName: report.seriesByMetric,
      labelValueCountByLabelName: report.valuesByLabel,
      memoryInBytesByLabelName: report.bytesByLabel,
      seriesCountByLabelValuePair: report.seriesByPair,
    };
    return sendJson(reply, { status: "success", data });
  };
}

/**
 * `/api/v1/status/series_churn`: the series that came and went within `window` (1h), against the window before it, in all
 * and by metric. It reads samples: on many series choose some by `match[]`.
 */
export function churnHandler({ store, config, nowMs = Date.now }: PrometheusApiDeps): QueryHandler {
  return async (call) => {
    const { tenant, parameters, signal, reply } = call;
    const limit = limitOf(parameters);
    const endMs = optionalTimeMs(parameters, "end", nowMs());
    const windowMs = parameters.get("window") === "" ? DEFAULT_CHURN_MS : requiredDurationMs(parameters, "window");
    if (windowMs <= 0) throw new InvalidInputError("window must be a positive duration");
    const churn = new Churn(endMs - windowMs);
    const range = { startMs: Math.ceil(endMs - 2 * windowMs), endMs };
    const turn = new Turn();
    let samples = 0;
    for await (const group of store.select({ tenant, range, matchers: matchersOf(call) }, signal)) {
      for (const series of group) {
        churn.count(series);
        samples += series.timesMs.length;
      }
      if (samples > config.max_samples) {
        throw new InvalidInputError(
          `more than ${config.max_samples} samples (query.max_samples) are in twice the window; choose a shorter one or fewer series`,
        );
      }
      await turn.rest();
    }
    const { kept, added, ended, byMetric } = churn.report(limit);
    const data = { windowSeconds: windowMs / 1_000, kept, added, ended, seriesChurnByMetricName: byMetric };
    return sendJson(reply, { status: "success", data });
  };
}

function limitOf(parameters: RequestParameters): number {
  const text = parameters.get("limit");
  if (text === "") return DEFAULT_LIMIT;
  const limit = parseGoInt(text);
  if (limit === undefined || limit < 1n) throw new InvalidInputError("limit must be a positive number");
  if (limit > MAX_LIMIT) throw new InvalidInputError(`limit must not exceed ${MAX_LIMIT}`);
  return Number(limit);
}

function offsetOf(parameters: RequestParameters): number {
  const text = parameters.get("offset");
  if (text === "") return 0;
  const offset = parseGoInt(text);
  if (offset === undefined || offset < 0n || offset > MAX_OFFSET) {
    throw new InvalidInputError(`offset must be a number from 0 to ${MAX_OFFSET}`);
  }
  return Number(offset);
}

function matchersOf({ parameters }: QueryCall): readonly Matcher[] {
  const sets = parseMatcherSets(parameters.all("match[]"));
  if (sets.length > 1) throw new InvalidInputError("give one match[]; several can't be told apart in the counts");
  return sets[0] ?? [];
}
