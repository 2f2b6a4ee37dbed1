import {
  CancelledError,
  InvalidInputError,
  LimitError,
  SightlineError,
  TimeoutError,
} from "@sightline/model/errors.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { Queryable } from "@sightline/model/metric-store.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import type { Registry } from "prom-client";
import { LinkedAbort } from "../http/linked-abort.ts";
import type { QueryMemory, QueryShare } from "../http/query-memory.ts";
import type { RangeCache } from "../results-cache/range-cache.ts";
import { Annotations } from "./annotations.ts";
import type { Expr } from "./ast.ts";
import type { PromLimits } from "./config.ts";
import { EngineMetrics } from "./engine-metrics.ts";
import { evaluateInstant, evaluateRange } from "./eval/evaluate-query.ts";
import { type Grid, gridOf, instantGrid } from "./eval/grid.ts";
import { QueryContext } from "./eval/query-context.ts";
import { SampleStats } from "./eval/sample-stats.ts";
import { NameResolver } from "./names/name-resolver.ts";
import { parsePromql } from "./parse/parse-promql.ts";
import { ParsedTexts } from "./parse/parsed-texts.ts";
import { documentedType, valueType } from "./parse/value-type.ts";
import { prepareQuery } from "./prepare/prepare-query.ts";
import type { QueryRange } from "./prepare/query-range.ts";
import type { PromValue, QueryResult } from "./result.ts";

export type PromEngineOptions = {
  readonly queryable: Queryable;
  readonly limits: PromLimits;
  readonly nowMs?: () => number;
  readonly registry?: Registry;
  /** Of all queries of the process. */
  readonly memory?: QueryMemory | undefined;
  /** Where results of range queries are kept; without it all is evaluated. */
  readonly rangeCache?: Pick<RangeCache, "answer"> | undefined;
  /** Experimental functions and syntax; on unless false. */
  readonly experimental?: boolean;
  /**
   * Drop the names of metrics when a query is done, not at each operation, so that `label_replace` and `by (__name__)`
   * can still see them. On unless false (Prometheus: feature flag promql-delayed-name-removal).
   */
  readonly delayedNameRemoval?: boolean;
};

type QueryOptions = {
  readonly tenant: TenantId;
  /** Instead of `query.lookback_ms`. */
  readonly lookbackMs?: number | undefined;
  /** At most `query.timeout_ms`, which it is when absent. */
  readonly timeoutMs?: number | undefined;
  readonly signal: AbortSignal;
  /** Statistics of samples by step; takes time. A range query should then be one with `noCache`. */
  readonly countSamples?: boolean;
  /** Cuts the samples or series of the result (0: no limit) and says so in a warning. */
  readonly limit?: number;
};
export type InstantQuery = QueryOptions & { readonly timeMs: number };
/** Both ends included; at least one step. */
export type RangeQuery = QueryOptions & {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  /** Evaluate everything, whatever is kept of earlier queries. */
  readonly noCache?: boolean;
};

/**
 * Evaluates PromQL as Prometheus 3.14 does. Throws `ParseError` (message as Prometheus words it, `1:6: parse error: …`),
 * `InvalidInputError` for an expression that has no value at every step of a range, `LimitError` naming the setting,
 * `TimeoutError`, `CancelledError` once the signal aborts, and `EvaluationError` for what only shows while evaluating
 * (Prometheus' status 422).
 */
export class PromEngine {
  // One by one, and not the options as they came: code that was compiled for those of one engine also fits the next.
  readonly #queryable: Queryable;
  readonly #limits: PromLimits;
  readonly #rangeCache: Pick<RangeCache, "answer"> | undefined;
  readonly #queries: ParsedTexts<Expr>;
  readonly #delayedNameRemoval: boolean;
  readonly #metrics: EngineMetrics | undefined;
  readonly #names: NameResolver;
  readonly #memory: QueryMemory | undefined;

  constructor(options: PromEngineOptions) {
    this.#queryable = options.queryable;
    this.#limits = options.limits;
    this.#rangeCache = options.rangeCache;
    const syntax = { experimental: options.experimental ?? true };
    this.#queries = new ParsedTexts((text) => parsePromql(text, syntax));
    this.#delayedNameRemoval = options.delayedNameRemoval ?? true;
    this.#names = new NameResolver(options.queryable);
    this.#memory = options.memory;
    this.#metrics = options.registry && new EngineMetrics(options.registry);
  }

  instant(text: string, query: InstantQuery): Promise<QueryResult> {
    const range = { startMs: query.timeMs, endMs: query.timeMs, stepMs: 0 };
    return this.#run("instant", text, query, range, (context, expr) =>
      evaluateInstant(context, prepareQuery(expr, range), query.timeMs),
    );
  }

  range(text: string, query: RangeQuery): Promise<QueryResult> {
    const { startMs, endMs, stepMs } = query;
    const range = { startMs, endMs, stepMs };
    return this.#run("range", text, query, range, (context, expr) => {
      const type = valueType(expr);
      if (type !== "vector" && type !== "scalar") {
        const got = JSON.stringify(documentedType(type));
        throw new InvalidInputError(`invalid expression type ${got} for range query, must be Scalar or instant Vector`);
      }
      const rangeCache = this.#rangeCache;
      if (!rangeCache || query.noCache) return evaluateRange(context, prepareQuery(expr, range), range);
      return answerFromCache(rangeCache, context, expr, range);
    });
  }

  /** The matchers of a `match[]` with stored names in place of other spellings, as queries have them. */
  storedMatchers(
    matchers: readonly Matcher[],
    where: { readonly tenant: TenantId; readonly range: TimeRange; readonly signal: AbortSignal },
  ): Promise<readonly Matcher[]> {
    return this.#names.resolveMatchers(matchers, where);
  }

  async #run(
    kind: "instant" | "range",
    text: string,
    query: QueryOptions,
    range: QueryRange,
    evaluate: (context: QueryContext, expr: Expr) => Promise<PromValue>,
  ): Promise<QueryResult> {
    const started = performance.now();
    const limits = this.#limits;
    const timeoutMs = Math.min(query.timeoutMs ?? limits.timeout_ms, limits.timeout_ms);
    const stop = new LinkedAbort(query.signal, Math.max(0, Math.ceil(timeoutMs)));
    const memory = this.#memory?.open();
    let context: QueryContext | undefined;
    try {
      const expr = this.#parse(text);
      const parsed = performance.now();
      context = this.#context(query, stop.signal, started + timeoutMs, timeoutMs, memory);
      if (query.countSamples) context.sampleStats = new SampleStats(stepsOf(range));
      const value = await evaluate(context, await this.#named(expr, context, range));
      const { warnings, infos } = context.annotations.texts(text);
      const limited = limitResult(value, query.limit ?? 0);
      if (limited !== value) warnings.unshift("results truncated due to limit");
      const result: QueryResult = {
        value: limited,
        warnings,
        infos,
        stats: {
          samplesTotal: context.samplesTotal,
          samplesPeak: context.samplesPeak,
          samples: context.sampleStats,
          cachedSteps: context.cachedSteps,
          parseMs: parsed - started,
          selectMs: context.selectMs,
          evalMs: performance.now() - parsed,
        },
      };
      this.#metrics?.finished(kind, "success", started, context.samplesTotal);
      return result;
    } catch (error) {
      const failure = explain(error, query.signal, stop.timedOut, timeoutMs);
      this.#metrics?.finished(kind, outcomeOf(failure), started, context?.samplesTotal ?? 0);
      throw failure;
    } finally {
      memory?.close();
      stop.release();
    }
  }

  #parse(text: string): Expr {
    const { max_query_bytes: maxBytes } = this.#limits;
    const bytes = Buffer.byteLength(text);
    if (bytes > maxBytes) {
      throw new LimitError(`query is ${bytes} bytes long; query.max_query_bytes allows ${maxBytes}`);
    }
    return this.#queries.parse(text);
  }

  /** With stored names in place of other spellings of them. */
  #named(expr: Expr, { tenant, signal, annotations, lookbackMs }: QueryContext, range: QueryRange): Promise<Expr> {
    const { startMs, endMs } = range;
    return this.#names.resolve(expr, { tenant, range: { startMs: startMs - lookbackMs, endMs }, signal, annotations });
  }

  #context(
    query: QueryOptions,
    signal: AbortSignal,
    deadline: number,
    timeoutMs: number,
    memory: QueryShare | undefined,
  ): QueryContext {
    const limits = this.#limits;
    return new QueryContext({
      queryable: this.#queryable,
      tenant: query.tenant,
      signal,
      annotations: new Annotations(),
      lookbackMs: query.lookbackMs || limits.lookback_ms,
      defaultStepMs: limits.default_step_ms,
      maxSamples: limits.max_samples,
      maxSubquerySteps: limits.max_subquery_steps,
      maxLabelCharacters: limits.max_label_characters,
      maxSubquerySamples: limits.max_subquery_samples,
      maxSeriesOperations: limits.max_series_operations,
      memory,
      deadline,
      timeoutMs,
      delayedNameRemoval: this.#delayedNameRemoval,
    });
  }
}

async function answerFromCache(
  cache: Pick<RangeCache, "answer">,
  context: QueryContext,
  expr: Expr,
  range: QueryRange,
): Promise<PromValue> {
  const { annotations, tenant, lookbackMs } = context;
  // What there was to say of names is said of every query, and of the whole.
  const said = annotations.size;
  const evaluate = async (part: { readonly startMs: number; readonly endMs: number }) => {
    const partRange = { startMs: part.startMs, endMs: part.endMs, stepMs: range.stepMs };
    const value = await evaluateRange(context, prepareQuery(expr, partRange), partRange);
    return value.type === "matrix" ? value.series : [];
  };
  const isPlain = () => annotations.size === said;
  const evaluation = { evaluate, isPlain, forgetNotes: () => annotations.forgetAfter(said) };
  const { series, cachedSteps } = await cache.answer({ tenant, expr, range, lookbackMs }, evaluation);
  context.cachedSteps = cachedSteps;
  return { type: "matrix", series };
}

function stepsOf({ startMs, endMs, stepMs }: QueryRange): Grid {
  return stepMs === 0 ? instantGrid(startMs) : gridOf(startMs, endMs, stepMs);
}

/** The same value when it is not larger than `limit`. */
function limitResult(value: PromValue, limit: number): PromValue {
  if (limit <= 0) return value;
  if (value.type === "vector" && value.samples.length > limit) {
    return { ...value, samples: value.samples.slice(0, limit) };
  }
  if (value.type === "matrix" && value.series.length > limit) return { ...value, series: value.series.slice(0, limit) };
  return value;
}

/** Storage stops by throwing the reason of the signal, which says less than we know. */
function explain(error: unknown, client: AbortSignal, timedOutHere: boolean, timeoutMs: number): unknown {
  if (error instanceof TimeoutError || error instanceof CancelledError) {
    if (!client.aborted && timedOutHere) return timedOut(timeoutMs, error);
    return client.reason instanceof TimeoutError ? client.reason : error;
  }
  if (error instanceof SightlineError) return error;
  if (client.aborted) return new CancelledError("query was canceled in expression evaluation", { cause: error });
  return timedOutHere ? timedOut(timeoutMs, error) : error;
}

function timedOut(timeoutMs: number, cause: unknown): TimeoutError {
  const setting = "query.timeout_ms, or the timeout of the request";
  return new TimeoutError(`query timed out in expression evaluation after ${timeoutMs} ms (${setting})`, { cause });
}

function outcomeOf(error: unknown): string {
  return error instanceof SightlineError ? error.name : "bug";
}
