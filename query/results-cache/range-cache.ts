import type { DataChanges, DataVersion } from "@sightline/model/metric-store.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { Counter, type Registry } from "prom-client";
import type { ResultsCacheConfig } from "../config.ts";
import type { Expr } from "../promql/ast.ts";
import { EvaluationError } from "../promql/evaluation-error.ts";
import { formatFloat } from "../promql/format/format-float.ts";
import type { MatrixSeries } from "../promql/result.ts";
import { compactExtent } from "./compact-extent.ts";
import { cutExtent, cutExtents } from "./cut-extent.ts";
import { type DataWindow, dataWindow } from "./data-window.ts";
import type { Extent, StepRange } from "./extent.ts";
import { joinExtents } from "./join-extents.ts";
import type { CachedResult, ResultsCache } from "./results-cache.ts";
import { validSteps } from "./valid-steps.ts";

export type RangeCacheOptions = {
  readonly cache: ResultsCache;
  readonly changes: DataChanges;
  readonly config: ResultsCacheConfig;
  readonly registry?: Registry | undefined;
  readonly nowMs?: () => number;
};

export type CachedQuery = {
  readonly tenant: TenantId;
  /** With stored names in it: what a spelling means may depend on the range. */
  readonly expr: Expr;
  readonly range: StepRange & { readonly stepMs: number };
  readonly lookbackMs: number;
};
export type Evaluation = {
  /** At the steps from the start of `range` to its end. */
  readonly evaluate: (range: StepRange) => Promise<readonly MatrixSeries[]>;
  /** False once evaluating has had something to note: a warning or an info. */
  readonly isPlain: () => boolean;
  /** Forgets what there was to note so far. */
  readonly forgetNotes: () => void;
};
export type RangeAnswer = { readonly series: readonly MatrixSeries[]; readonly cachedSteps: number };

/** Finer steps are not asked for twice, and a piece of one step could not be told from an instant query. */
const MIN_STEP_MS = 1_000;
/** Texts as long as this are not asked for twice either. */
const MAX_KEY_LENGTH = 65_536;
/** With more holes than this it is cheaper to evaluate everything anew. */
const MAX_HOLES = 4;

/**
 * Answers range queries from what is kept of earlier ones, and evaluates only the rest. The answer is the one that
 * evaluating everything would give, to the bit:
 *
 * - Only expressions are kept whose value at a step is made of the data in a window around it ({@link dataWindow}).
 * - The store says which ranges of time changed since a result was made ({@link DataChanges}): steps that see one are
 *   evaluated again. So late samples, deletion and retention count at once.
 * - Results that came with warnings or infos are not kept, as these are of the query as a whole.
 *
 * What differs is only what a query uses up: a kept result costs no samples of `query.max_samples`.
 */
export class RangeCache {
  readonly #cache: ResultsCache;
  readonly #changes: DataChanges;
  readonly #config: ResultsCacheConfig;
  readonly #nowMs: () => number;
  readonly #steps: Counter<"source"> | undefined;
  readonly #queries: Counter<"result"> | undefined;

  constructor(options: RangeCacheOptions) {
    this.#cache = options.cache;
    this.#changes = options.changes;
    this.#config = options.config;
    this.#nowMs = options.nowMs ?? Date.now;
    if (!options.registry) return;
    const registers = [options.registry];
    this.#steps = new Counter({
      name: "sightline_results_cache_steps_total",
      help: "Steps of range queries by where they came from: the cache or evaluation",
      labelNames: ["source"],
      registers,
    });
    this.#queries = new Counter({
      name: "sightline_results_cache_queries_total",
      help: "Range queries that asked the cache: hit (all was there), partial, miss, or unsuitable to be kept",
      labelNames: ["result"],
      registers,
    });
  }

  async answer(query: CachedQuery, evaluation: Evaluation): Promise<RangeAnswer> {
    const { stepMs } = query.range;
    const grid = gridOf(query.range);
    const steps = stepsIn(grid, stepMs);
    const window = stepMs >= MIN_STEP_MS && steps > 1 ? dataWindow(query.expr, query.lookbackMs) : undefined;
    const key = window && keyOf(query);
    if (!key || key.length > MAX_KEY_LENGTH) return this.#uncached(query, evaluation, "unsuitable");
    // The version is of before anything is read: what changes from here on is a change since.
    const { version, kept } = await this.#stillValid(query, window, await this.#cache.get(key));
    const used = await cutExtents(kept, grid, stepMs);
    const holes = holesIn(grid, used, stepMs);
    if (used.length === 0 || holes.length > MAX_HOLES) {
      const { series } = await this.#uncached(query, evaluation, "miss");
      if (evaluation.isPlain()) await this.#keep(key, version, query, window, kept, { ...grid, series });
      return { series, cachedSteps: 0 };
    }
    const fresh = await this.#evaluateHoles(holes, query, evaluation);
    if (!fresh) return this.#uncached(query, evaluation, "unsuitable");
    const freshSteps = holes.reduce((sum, hole) => sum + stepsIn(hole, stepMs), 0);
    this.#steps?.inc({ source: "evaluation" }, freshSteps);
    this.#steps?.inc({ source: "cache" }, steps - freshSteps);
    this.#queries?.inc({ result: fresh.length > 0 ? "partial" : "hit" });
    const series = await joinExtents([...used, ...fresh].sort((a, b) => a.startMs - b.startMs));
    if (fresh.length > 0) await this.#keep(key, version, query, window, kept, { ...grid, series });
    return { series, cachedSteps: steps - freshSteps };
  }

  async #uncached(
    { range }: CachedQuery,
    { evaluate }: Evaluation,
    result: "miss" | "unsuitable",
  ): Promise<RangeAnswer> {
    this.#queries?.inc({ result });
    this.#steps?.inc({ source: "evaluation" }, stepsIn(gridOf(range), range.stepMs));
    return { series: await evaluate(range), cachedSteps: 0 };
  }

  /**
   * Undefined when a piece had something to note or was refused: what is said of pieces is not what is said of the whole,
   * which must be evaluated for it.
   */
  async #evaluateHoles(
    holes: readonly StepRange[],
    { range: { stepMs } }: CachedQuery,
    { evaluate, isPlain, forgetNotes }: Evaluation,
  ): Promise<Extent[] | undefined> {
    const fresh: Extent[] = [];
    for (const hole of holes) {
      // An end between two steps keeps a piece of one step a range.
      const series = await evaluate({ startMs: hole.startMs, endMs: hole.endMs + stepMs - 1 }).catch(refused);
      if (!series || !isPlain()) {
        forgetNotes();
        return undefined;
      }
      fresh.push({ ...hole, series });
    }
    return fresh;
  }

  /** What is kept, but for the steps that see a change, all as the data was at `version`. Asks the store once. */
  async #stillValid(
    { tenant, range: { stepMs } }: CachedQuery,
    window: DataWindow,
    cached: CachedResult | undefined,
  ): Promise<{ version: DataVersion; kept: readonly Extent[] }> {
    const [first] = cached?.extents ?? [];
    const last = cached?.extents.at(-1);
    if (!cached || !first || !last) return { version: await this.#changes.version(tenant), kept: [] };
    const data = { startMs: first.startMs - window.backMs, endMs: last.endMs + window.aheadMs };
    const { version, ranges } = await this.#changes.since(tenant, cached.version, data);
    const kept: Extent[] = [];
    for (const extent of cached.extents) {
      for (const range of validSteps(extent, stepMs, window, ranges)) {
        const part = await cutExtent(extent, range, stepMs);
        if (part) kept.push(part);
      }
    }
    return { version, kept };
  }

  /** Puts away the answer and what is kept around it, but for the steps that are too young and those far off. */
  async #keep(
    key: string,
    version: DataVersion,
    { range: { stepMs } }: CachedQuery,
    { aheadMs }: DataWindow,
    kept: readonly Extent[],
    answer: Extent,
  ): Promise<void> {
    const spanMs = answer.endMs - answer.startMs;
    const endMs = Math.min(answer.endMs + spanMs, this.#nowMs() - this.#config.recent_ms - aheadMs);
    const within = (extents: readonly Extent[], range: StepRange) => cutExtents(extents, range, stepMs);
    const extents = await merged(
      [
        ...(await within(kept, { startMs: answer.startMs - spanMs, endMs: Math.min(answer.startMs - 1, endMs) })),
        ...(await within([answer], { startMs: answer.startMs, endMs })),
        ...(await within(kept, { startMs: answer.endMs + 1, endMs })),
      ],
      stepMs,
    );
    if (extents.length === 0) return;
    const compacted: Extent[] = [];
    let total = 0;
    for (const one of extents) {
      const { extent, bytes } = await compactExtent(one);
      compacted.push(extent);
      total += bytes;
    }
    await this.#cache.put(key, { version, extents: compacted }, total);
  }
}

/** Rethrows what is not the query's fault: the whole would fare no better. */
function refused(error: unknown): undefined {
  if (!(error instanceof EvaluationError)) throw error;
}

/** Joins extents whose steps follow on each other. */
async function merged(extents: readonly Extent[], stepMs: number): Promise<Extent[]> {
  const groups: Extent[][] = [];
  for (const extent of extents) {
    const group = groups.at(-1);
    if (group && (group.at(-1) as Extent).endMs + stepMs === extent.startMs) group.push(extent);
    else groups.push([extent]);
  }
  const joined: Extent[] = [];
  for (const group of groups) {
    const { startMs } = group[0] as Extent;
    joined.push({ startMs, endMs: (group.at(-1) as Extent).endMs, series: await joinExtents(group) });
  }
  return joined;
}

/**
 * Queries with one key have the same value at the same step. The tree, not its text: what a name stands for may be put in
 * its place without parentheses.
 */
function keyOf({ tenant, expr, range, lookbackMs }: CachedQuery): string {
  const alignment = ((range.startMs % range.stepMs) + range.stepMs) % range.stepMs;
  const tree = JSON.stringify(expr, (name, value: unknown) => {
    // Where in the text it stood.
    if (name === "range") return undefined;
    return typeof value === "number" ? formatFloat(value) : value;
  });
  return [tenant, range.stepMs, alignment, lookbackMs, tree].join("\u0000");
}

function gridOf({ startMs, endMs, stepMs }: CachedQuery["range"]): StepRange {
  return { startMs, endMs: startMs + Math.floor((endMs - startMs) / stepMs) * stepMs };
}

function stepsIn({ startMs, endMs }: StepRange, stepMs: number): number {
  return endMs < startMs ? 0 : Math.floor((endMs - startMs) / stepMs) + 1;
}

function holesIn(grid: StepRange, extents: readonly Extent[], stepMs: number): StepRange[] {
  const holes: StepRange[] = [];
  let { startMs } = grid;
  for (const extent of extents) {
    if (extent.startMs > startMs) holes.push({ startMs, endMs: extent.startMs - stepMs });
    startMs = extent.endMs + stepMs;
  }
  if (startMs <= grid.endMs) holes.push({ startMs, endMs: grid.endMs });
  return holes;
}
