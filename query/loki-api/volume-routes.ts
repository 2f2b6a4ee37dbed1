import { InvalidInputError } from "@sightline/model/errors.ts";
import { type Labels, labelsFrom, labelsKey } from "@sightline/model/labels.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { QueryCall, QueryHandler, QueryRoute } from "../http/query-api.ts";
import { sendChunks } from "../http/send-chunks.ts";
import type { LogExpr, SampleExpr } from "../logql/ast.ts";
import type { LogqlEngine } from "../logql/logql-engine.ts";
import type { LogqlInstantQuery } from "../logql/logql-query.ts";
import { parseFilteringSelector, parseStreamSelector } from "../logql/parse/parse-logql.ts";
import type { LogqlResult } from "../logql/result.ts";
import { encodeLogqlResult } from "./encode-result.ts";
import type { LokiApiDeps } from "./loki-api-deps.ts";
import { LOKI_JSON, sendLokiJson } from "./loki-json.ts";
import { DEFAULT_LIMIT, emptyQueryError, endBeforeStart, readLimit, readRange, readRangeQuery } from "./parameters.ts";
import { volumeBuckets } from "./volume-range.ts";

const NS_PER_MS = 1_000_000n;
const BOTH = ["GET", "POST"] as const;

/**
 * How much there is of which streams: `index/stats`, `index/volume`, `index/volume_range` and `index/shards`. Loki reads
 * these from its index, to the nearest chunk; here they are counted, to the byte and the moment.
 */
export function volumeRoutes(deps: LokiApiDeps): QueryRoute[] {
  return [
    { methods: BOTH, url: "/loki/api/v1/index/stats", gated: true, handler: statsHandler(deps) },
    { methods: BOTH, url: "/loki/api/v1/index/shards", gated: true, handler: shardsHandler(deps) },
    { methods: BOTH, url: "/loki/api/v1/index/volume", gated: true, handler: volumeHandler(deps) },
    { methods: BOTH, url: "/loki/api/v1/index/volume_range", gated: true, handler: volumeRangeHandler(deps) },
  ];
}

type IndexStats = { streams: number; chunks: number; bytes: number; entries: number };

async function indexStats(call: QueryCall, deps: LokiApiDeps): Promise<IndexStats> {
  const { parameters, tenant, signal } = call;
  const { nowMs = Date.now, store, engine } = deps;
  const range = readRange(parameters, nowMs());
  const matchers = filteringSelectorOf(call, deps);
  if (range.endNs < range.startNs) throw endBeforeStart();
  const streams = new Set<string>();
  for (const { labels } of await store.streams({ tenant, range, matchers }, signal)) streams.add(labelsKey(labels));
  if (streams.size === 0) return { streams: 0, chunks: 0, bytes: 0, entries: 0 };
  const query = instantQuery(call, range.endNs);
  const windowNs = lengthNs(range);
  const bytes = total(await engine.instant(sumOf("bytes_over_time", matchers, [], windowNs), query));
  const entries = total(await engine.instant(sumOf("count_over_time", matchers, [], windowNs), query));
  // There are no chunks here; a stream is what comes nearest to one.
  return { streams: streams.size, chunks: streams.size, bytes, entries };
}

function statsHandler(deps: LokiApiDeps): QueryHandler {
  return async (call) => sendLokiJson(call.reply, await indexStats(call, deps));
}

/** One shard that has everything: there is nothing that a client would gain by asking for parts. */
function shardsHandler(deps: LokiApiDeps): QueryHandler {
  return async (call) => {
    const target = call.parameters.get("targetBytesPerShard");
    if (!/^\d+(\.\d+)?\s*[kKmMgGtT]?i?[bB]?$/.test(target) || /^[0.]+\D*$/.test(target)) {
      throw new InvalidInputError("targetBytesPerShard must be a positive value");
    }
    const stats = await indexStats(call, deps);
    const shards = stats.streams === 0 ? [] : [{ bounds: { min: 0, max: "18446744073709551615" }, stats }];
    return sendLokiJson(call.reply, { shards, statistics: {} });
  };
}

function volumeHandler(deps: LokiApiDeps): QueryHandler {
  return async (call) => {
    const range = readRange(call.parameters, (deps.nowMs ?? Date.now)());
    if (range.endNs < range.startNs) throw endBeforeStart();
    const limit = readVolumeLimit(call.parameters);
    const volumes = new Volumes(await planVolume(call, range, deps));
    const query = volumes.query(lengthNs(range));
    const result = query && (await deps.engine.instant(query, instantQuery(call, range.endNs)));
    if (result?.value.type !== "vector") return send(call, emptyResult("vector"));
    for (const { labels, timeMs, value } of result.value.samples) volumes.add(labels, timeMs, value);
    const samples = volumes.largest(limit).map(({ labels, values }) => {
      const [[timeMs, value] = [0, 0]] = values;
      return { labels, timeMs, value };
    });
    return send(call, { ...result, value: { type: "vector", samples } });
  };
}

function volumeRangeHandler(deps: LokiApiDeps): QueryHandler {
  return async (call) => {
    const range = readRangeQuery(call.parameters, (deps.nowMs ?? Date.now)());
    const volumes = new Volumes(await planVolume(call, range, deps));
    await addBuckets(volumes, range, call, deps);
    const series = volumes.largest(range.limit).map(({ labels, values }) => ({
      labels,
      info: { type: "unknown" },
      ...inOrder(values),
    }));
    if (series.length === 0) return send(call, emptyResult("vector"));
    const result = emptyResult("matrix");
    return send(call, { ...result, value: { type: "matrix", series } } as unknown as LogqlResult);
  };
}

function inOrder(values: ReadonlyMap<number, number>) {
  const ordered = [...values].sort(([a], [b]) => a - b);
  return {
    timesMs: Float64Array.from(ordered, ([timeMs]) => timeMs),
    values: Float64Array.from(ordered, ([, bytes]) => bytes),
  };
}

/** Buckets begin at multiples of the step: an offset of 1 ns puts a line that comes right then into the bucket it begins. */
async function addBuckets(
  volumes: Volumes,
  range: ReturnType<typeof readRangeQuery>,
  call: QueryCall,
  { engine }: LokiApiDeps,
): Promise<void> {
  const { stepNs } = range;
  const { tenant, signal } = call;
  const { partial, whole } = volumeBuckets(range.startNs, range.endNs, stepNs);
  if (whole) {
    const query = volumes.query(stepNs, 1);
    const steps = { ...range, startNs: whole.startNs + stepNs, endNs: whole.endNs, tenant, signal };
    const { value } = query ? await engine.range(query, steps) : emptyResult("matrix");
    for (const { labels, timesMs, values } of value.type === "matrix" ? value.series : []) {
      for (let i = 0; i < timesMs.length; i++) volumes.add(labels, (timesMs[i] as number) - 1, values[i] as number);
    }
  }
  for (const { startNs, endNs, stampNs } of partial) {
    const query = volumes.query(endNs - startNs);
    const { value } = query ? await engine.instant(query, instantQuery(call, endNs - 1n)) : emptyResult("vector");
    for (const { labels, value: bytes } of value.type === "vector" ? value.samples : []) {
      volumes.add(labels, Number(stampNs / NS_PER_MS), bytes);
    }
  }
}

type VolumePlan = {
  readonly matchers: readonly Matcher[];
  /** Labels that tell volumes apart. */
  readonly by: readonly string[];
  /** A volume for each name of a label, over its values. */
  readonly perName: boolean;
};

/** Which labels volumes are told apart by: Loki's PrepareLabelsAndMatchers. */
async function planVolume(
  call: QueryCall,
  range: { readonly startNs: bigint; readonly endNs: bigint },
  deps: LokiApiDeps,
): Promise<VolumePlan> {
  const { parameters, tenant, signal } = call;
  const aggregateBy = parameters.get("aggregateBy") || "series";
  if (aggregateBy !== "series" && aggregateBy !== "labels") {
    throw new InvalidInputError("invalid aggregation option");
  }
  const perName = aggregateBy === "labels";
  const targets = parameters
    .get("targetLabels")
    .split(",")
    .filter((name) => name !== "");
  const matchers = [...selectorOf(call, deps)];
  for (const name of targets) {
    if (!matchers.some((matcher) => matcher.name === name)) matchers.push({ name, op: "=~", value: ".+" });
  }
  if (targets.length > 0) return { matchers, by: targets, perName };
  if (matchers.length > 0 && !perName) return { matchers, by: [...new Set(matchers.map(({ name }) => name))], perName };
  const names = new Set<string>();
  const { startNs, endNs } = range;
  for (const { labels } of await deps.store.streams({ tenant, range: { startNs, endNs }, matchers }, signal)) {
    for (const [name] of labels) names.add(name);
  }
  return { matchers, by: [...names], perName };
}

type Volume = { readonly labels: Labels; readonly values: Map<number, number> };

const NOWHERE = { start: 0, end: 0 };

/** As text the query could not have windows of nanoseconds. */
function sumOf(
  op: "bytes_over_time" | "count_over_time",
  matchers: readonly Matcher[],
  by: readonly string[],
  windowNs: bigint,
  offsetNs = 0,
): SampleExpr {
  const log: LogExpr = { kind: "log", matchers, stages: [], range: NOWHERE };
  const logRange = { log, intervalNs: Number(windowNs), offsetNs };
  const expr = { kind: "range-aggregation", op, logRange, range: NOWHERE } as const;
  const grouping = { without: false, labels: by };
  return { kind: "vector-aggregation", op: "sum", parameter: 0, grouping, expr, range: NOWHERE };
}

class Volumes {
  readonly #plan: VolumePlan;
  readonly #byKey = new Map<string, Volume>();

  constructor(plan: VolumePlan) {
    this.#plan = plan;
  }

  /** The query for them; undefined when there can be none. */
  query(windowNs: bigint, offsetNs = 0): SampleExpr | undefined {
    const { by, matchers } = this.#plan;
    return by.length === 0 ? undefined : sumOf("bytes_over_time", matchers, by, windowNs, offsetNs);
  }

  add(labels: Labels, timeMs: number, bytes: number): void {
    const parts: Labels[] = this.#plan.perName ? labels.map(([name]) => [[name, ""]]) : [labelsFrom(labels)];
    for (const part of parts) {
      const key = labelsKey(part);
      const volume = this.#byKey.get(key) ?? { labels: part, values: new Map() };
      this.#byKey.set(key, volume);
      volume.values.set(timeMs, (volume.values.get(timeMs) ?? 0) + bytes);
    }
  }

  /** The largest first; of equal ones by their labels. */
  largest(limit: number): readonly Volume[] {
    const sums = new Map(
      [...this.#byKey].map(([key, { values }]) => [key, [...values.values()].reduce((a, b) => a + b, 0)]),
    );
    return [...this.#byKey]
      .sort(([a], [b]) => (sums.get(b) as number) - (sums.get(a) as number) || (a < b ? -1 : 1))
      .slice(0, limit)
      .map(([, volume]) => volume);
  }
}

/** The query must be there. `{}` selects all. */
function selectorOf({ parameters }: QueryCall, { config }: LokiApiDeps): readonly Matcher[] {
  const query = parameters.get("query");
  if (query === "") throw emptyQueryError();
  return parseStreamSelector(query, config.logs.max_query_bytes);
}

/** The same, but `{}` is refused. */
function filteringSelectorOf({ parameters }: QueryCall, { config }: LokiApiDeps): readonly Matcher[] {
  const query = parameters.get("query");
  if (query === "") throw emptyQueryError();
  return parseFilteringSelector(query, config.logs.max_query_bytes);
}

/** 0 is no limit of one's own. */
function readVolumeLimit(parameters: QueryCall["parameters"]): number {
  return parameters.get("limit") === "0" ? DEFAULT_LIMIT : readLimit(parameters);
}

/** Both ends count. */
function lengthNs({ startNs, endNs }: { readonly startNs: bigint; readonly endNs: bigint }): bigint {
  if (endNs < startNs) throw endBeforeStart();
  return endNs - startNs + 1n;
}

function instantQuery({ tenant, signal }: QueryCall, timeNs: bigint): LogqlInstantQuery {
  return { tenant, signal, timeNs, limit: 1, newestFirst: true };
}

function total({ value }: Awaited<ReturnType<LogqlEngine["instant"]>>): number {
  return value.type === "vector" ? (value.samples[0]?.value ?? 0) : 0;
}

function emptyResult(type: "vector" | "matrix"): LogqlResult {
  const value = type === "vector" ? { type, samples: [] } : { type, series: [] };
  return { value, stats: { linesProcessed: 0, bytesProcessed: 0, linesMatched: 0, execMs: 0 } };
}

function send({ request, reply }: QueryCall, result: LogqlResult) {
  return sendChunks(request, reply, LOKI_JSON, encodeLogqlResult(result));
}
