import { InvalidInputError } from "@sightline/model/errors.ts";
import type { LogQueryLimits } from "../config.ts";
import type { QueryMemory } from "../http/query-memory.ts";
import type { LogExpr, LogqlExpr, SampleExpr } from "./ast.ts";
import type { LogReader } from "./log-reader.ts";
import type { LogOptions, LogqlInstantQuery, LogqlRangeQuery } from "./logql-query.ts";
import { evaluateSample } from "./metric/evaluate-sample.ts";
import { ScanCounts } from "./metric/log-scan.ts";
import { QueryBudget } from "./metric/query-budget.ts";
import { sampleMatrix, sampleVector } from "./metric/sample-result.ts";
import { alignedGrid, instantGrid, type StepGrid } from "./metric/step-grid.ts";
import { parseLogql } from "./parse/parse-logql.ts";
import type { LogqlResult, LogqlValue } from "./result.ts";
import { selectLines } from "./select-lines.ts";

export type LogqlEngineOptions = {
  readonly store: LogReader;
  readonly limits: LogQueryLimits;
  /** Of all queries of the process. */
  readonly memory?: QueryMemory | undefined;
};

/**
 * Evaluates LogQL as Loki does. Throws `ParseError` and `InvalidInputError` in Loki's words, `LimitError` naming the
 * setting, and the signal's reason once it aborts.
 */
export class LogqlEngine {
  readonly #options: LogqlEngineOptions;

  constructor(options: LogqlEngineOptions) {
    this.#options = options;
  }

  /** Samples are computed at multiples of the step, so that a range that moves on gives the same ones. */
  async range(text: string | LogqlExpr, query: LogqlRangeQuery): Promise<LogqlResult> {
    return this.#timed(text, query.signal, async (expr, budget, counts) => {
      if (expr.kind === "log") return this.#lines(expr, query, budget, counts);
      const grid = alignedGrid(query.startNs, query.endNs, query.stepNs);
      const series = await this.#samples(expr, grid, query, budget, counts);
      return { type: "matrix", series: sampleMatrix(series, grid, this.#options.limits.max_series) };
    });
  }

  async instant(text: string | LogqlExpr, query: LogqlInstantQuery): Promise<LogqlResult> {
    return this.#timed(text, query.signal, async (expr, budget, counts) => {
      if (expr.kind === "log") {
        throw new InvalidInputError(
          "log queries are not supported as an instant query type, please change your query to a range query type",
        );
      }
      const grid = instantGrid(query.timeNs);
      const timeMs = Number(query.timeNs / 1_000_000n);
      if (expr.kind === "number") return { type: "scalar", timeMs, value: expr.value };
      const series = await this.#samples(expr, grid, query, budget, counts);
      return { type: "vector", samples: sampleVector(series, expr, timeMs, this.#options.limits.max_series) };
    });
  }

  async #timed(
    text: string | LogqlExpr,
    signal: AbortSignal,
    evaluate: (expr: LogqlExpr, budget: QueryBudget, counts: ScanCounts) => Promise<LogqlValue>,
  ): Promise<LogqlResult> {
    const startMs = performance.now();
    const { limits } = this.#options;
    const counts = new ScanCounts();
    const expr = typeof text === "string" ? parseLogql(text, limits.max_query_bytes) : text;
    const memory = this.#options.memory?.open();
    let value: LogqlValue;
    try {
      value = await evaluate(expr, new QueryBudget(limits, signal, memory), counts);
    } finally {
      memory?.close();
    }
    const { linesProcessed, bytesProcessed, linesMatched } = counts;
    return { value, stats: { linesProcessed, bytesProcessed, linesMatched, execMs: performance.now() - startMs } };
  }

  async #lines(expr: LogExpr, query: LogqlRangeQuery, budget: QueryBudget, counts: ScanCounts): Promise<LogqlValue> {
    this.#checkLimit(query.limit);
    const { store } = this.#options;
    return { type: "streams", entries: await selectLines(expr, { ...query, store, budget, counts }) };
  }

  #samples(expr: SampleExpr, grid: StepGrid, query: LogOptions, budget: QueryBudget, counts: ScanCounts) {
    const { tenant, signal } = query;
    return evaluateSample(expr, { store: this.#options.store, tenant, grid, budget, counts, signal });
  }

  #checkLimit(limit: number): void {
    const { max_limit } = this.#options.limits;
    if (limit <= max_limit) return;
    throw new InvalidInputError(
      `max entries limit per query exceeded, limit > max_entries_limit_per_query (${limit} > ${max_limit}); here it is query.logs.max_limit`,
    );
  }
}
