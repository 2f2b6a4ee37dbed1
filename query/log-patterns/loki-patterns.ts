import type { LogPattern, LogPatternStore } from "@sightline/model/log-pattern-store.ts";
import type { LogStore } from "@sightline/model/log-store.ts";
import type { FastifyInstance } from "fastify";
import { type QueryApiDeps, type QueryHandler, registerQueryApi } from "../http/query-api.ts";
import { sendChunks } from "../http/send-chunks.ts";
import { sendLokiFailure } from "../loki-api/error-response.ts";
import { LOKI_JSON } from "../loki-api/loki-json.ts";
import { readRange, readStepWithin } from "../loki-api/parameters.ts";
import { selectPatterns } from "./select-patterns.ts";

export type LogPatternsDeps = QueryApiDeps & {
  readonly patterns: LogPatternStore;
  readonly store: Pick<LogStore, "select">;
  /** For times that a request does not name; by default the system's clock. */
  readonly nowMs?: () => number;
};

/** As Loki's (pkg/pattern/ingester_querier.go): the most frequent ones. */
const MAX_PATTERNS = 300;
/** Of Loki (drain.TimeResolution). */
const MIN_STEP_MS = 10_000;

/** `/loki/api/v1/patterns` */
export function registerLokiPatterns(app: FastifyInstance, deps: LogPatternsDeps): void {
  registerQueryApi(app, deps, sendLokiFailure, [
    { methods: ["GET", "POST"], url: "/loki/api/v1/patterns", gated: true, handler: patternsHandler(deps) },
  ]);
}

function patternsHandler(deps: LogPatternsDeps): QueryHandler {
  const { patterns, store, config, nowMs = Date.now } = deps;
  return async ({ parameters, tenant, signal, request, reply }) => {
    const range = readRange(parameters, nowMs());
    const stepNs = readStepWithin(parameters, range);
    const options = { patterns, store, limits: config.logs, tenant, range, signal };
    const selected = await selectPatterns(parameters.get("query"), options);
    const stepMs = Math.max(MIN_STEP_MS, Number(stepNs / 1_000_000n));
    const found = mostFrequent(selected.patterns, MAX_PATTERNS);
    return sendChunks(request, reply, LOKI_JSON, encode(found, stepMs));
  };
}

/** By the number of their lines; of equal ones by their text. */
export function mostFrequent(patterns: readonly LogPattern[], limit: number): readonly LogPattern[] {
  return patterns
    .map((pattern) => ({ pattern, total: totalOf(pattern) }))
    .sort((a, b) => b.total - a.total || (a.pattern.pattern < b.pattern.pattern ? -1 : 1))
    .slice(0, limit)
    .map(({ pattern }) => pattern);
}

export function totalOf({ counts }: LogPattern): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

function* encode(patterns: readonly LogPattern[], stepMs: number): Generator<string> {
  yield '{"status":"success","data":[';
  for (const [i, found] of patterns.entries()) {
    const { pattern, level } = found;
    const samples = samplesOf(found, stepMs);
    yield `${i === 0 ? "" : ","}${JSON.stringify({ pattern, level, samples })}`;
  }
  yield "]}\n";
}

/** Seconds and counts, by steps that begin at multiples of the step. */
export function samplesOf({ timesMs, counts }: LogPattern, stepMs: number): [seconds: number, count: number][] {
  const samples: [number, number][] = [];
  for (let i = 0; i < timesMs.length; i++) {
    const seconds = Math.floor(((timesMs[i] as number) - ((timesMs[i] as number) % stepMs)) / 1_000);
    const last = samples.at(-1);
    if (last?.[0] === seconds) last[1] += counts[i] as number;
    else samples.push([seconds, counts[i] as number]);
  }
  return samples;
}
