import type { Expr, SubqueryExpr } from "../ast.ts";
import type { Grid } from "./grid.ts";
import type { QueryContext } from "./query-context.ts";
import type { SampleStats } from "./sample-stats.ts";
import type { Evaluated, SeriesSink, StepSeries } from "./step-series.ts";

/** What operators, aggregations and functions ask for the values of their operands at all steps of a grid. */
export interface ExprEvaluator {
  readonly context: QueryContext;

  evaluate(expr: Expr, grid: Grid): Promise<Evaluated>;

  /** Throws TypeError when the expression is no instant vector. */
  vector(expr: Expr, grid: Grid): Promise<StepSeries[]>;

  /** Throws TypeError when the expression is no scalar. */
  scalar(expr: Expr, grid: Grid): Promise<Float64Array>;

  /**
   * Gives the series of an expression that is a vector to `sink`. Those of selectors and of functions of ranges come
   * one after the other, so that not all of them are in memory at a time.
   */
  stream(expr: Expr, grid: Grid, sink: SeriesSink): Promise<void>;

  /** The inner expression of a subquery at the subquery's own steps, which are multiples of its step. */
  subquerySteps(expr: SubqueryExpr, grid: Grid): Promise<SubquerySteps>;
}

/** `stats`: undefined unless samples are counted. */
export type SubquerySteps = {
  readonly series: StepSeries[];
  readonly grid: Grid;
  readonly stats: SampleStats | undefined;
};
