import { InvalidInputError } from "@sightline/model/errors.ts";
import { labelValue } from "@sightline/model/labels.ts";
import { parseSecondsOrDuration } from "../http/go-syntax.ts";
import { type QueryHandler, sendJson } from "../http/query-api.ts";
import type { RequestParameters } from "../http/request-parameters.ts";
import { DETECTED_LEVEL } from "../logql/detected-level.ts";
import type { LogsApiDeps } from "./logs-api-deps.ts";
import { parseLogQuery, readOrderedRange } from "./read-parameters.ts";

const NS_PER_MS = 1_000_000n;
const DEFAULT_BUCKETS = 60;
const MAX_BUCKETS = 11_000;
const NICE_STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400].map(
  (seconds) => seconds * 1_000,
);

/** How many lines a query selects, by level, in intervals that begin at multiples of the step and are whole. */
export function histogramHandler({ engine, config, nowMs = Date.now }: LogsApiDeps): QueryHandler {
  return async ({ parameters, tenant, signal, reply }) => {
    const query = parameters.get("query");
    parseLogQuery(query, config.logs.max_query_bytes);
    const { startNs, endNs } = readOrderedRange(parameters, nowMs());
    const stepMs = readStepMs(parameters, Number((endNs - startNs) / NS_PER_MS));
    const stepNs = BigInt(stepMs) * NS_PER_MS;
    const first = startNs / stepNs;
    const count = Number((endNs + stepNs - 1n) / stepNs - first);
    if (count > MAX_BUCKETS) {
      throw new InvalidInputError(`there would be ${count} intervals, at most ${MAX_BUCKETS} can be: raise "step"`);
    }
    // A sample counts what came in the step before it, its end included, here its beginning instead. A comment may end
    // the query, so a line ends it first.
    const counting = `sum by (${DETECTED_LEVEL}) (count_over_time(${query}\n[${stepMs}ms] offset 1ns))`;
    const grid = { startNs: (first + 1n) * stepNs, endNs: (first + BigInt(count)) * stepNs, stepNs, intervalNs: 0n };
    const { value } = await engine.range(counting, { ...grid, limit: 1, newestFirst: false, tenant, signal });
    const series = value.type === "matrix" ? value.series : [];
    const firstMs = Number(first) * stepMs;
    const levels = series.map(({ labels, timesMs, values }) => {
      const counts = new Array<number>(count).fill(0);
      for (const [i, timeMs] of timesMs.entries()) counts[Math.round((timeMs - firstMs) / stepMs) - 1] = values[i] ?? 0;
      const total = counts.reduce((sum, each) => sum + each, 0);
      return { level: labelValue(labels, DETECTED_LEVEL), total, counts };
    });
    levels.sort((a, b) => b.total - a.total || (a.level < b.level ? -1 : 1));
    const total = levels.reduce((sum, level) => sum + level.total, 0);
    return sendJson(reply, { status: "success", data: { startMs: firstMs, stepMs, total, levels } });
  };
}

/** By default so that there are about sixty. */
function readStepMs(parameters: RequestParameters, rangeMs: number): number {
  const text = parameters.get("step");
  if (text === "") {
    return (
      NICE_STEPS_MS.find((stepMs) => rangeMs / stepMs <= DEFAULT_BUCKETS) ??
      Math.ceil(rangeMs / 86_400_000 / 60) * 86_400_000
    );
  }
  const duration = parseSecondsOrDuration(text);
  if ("error" in duration) throw new InvalidInputError(duration.error);
  if (!(duration.ms >= 1)) throw new InvalidInputError('"step" must be at least 1ms');
  return Math.floor(duration.ms);
}
