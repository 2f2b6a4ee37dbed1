import type { CallExpr, Expr } from "../ast.ts";
import type { Grid } from "../eval/grid.ts";
import type { QueryContext } from "../eval/query-context.ts";
import { type Evaluated, type StepSeries, vectorOf } from "../eval/step-series.ts";

/** A call whose arguments were evaluated. Argument types are those of the function's signature. */
export class FunctionCall {
  readonly context: QueryContext;
  readonly expr: CallExpr;
  readonly grid: Grid;
  readonly args: readonly Evaluated[];

  constructor(context: QueryContext, expr: CallExpr, grid: Grid, args: readonly Evaluated[]) {
    this.context = context;
    this.expr = expr;
    this.grid = grid;
    this.args = args;
  }

  vector(index: number): StepSeries[] {
    const arg = this.args[index];
    if (arg?.type !== "vector") throw new TypeError(`argument ${index} of ${this.expr.func} is no vector`);
    return arg.series;
  }

  scalar(index: number): Float64Array {
    const arg = this.args[index];
    if (arg?.type !== "scalar") throw new TypeError(`argument ${index} of ${this.expr.func} is no scalar`);
    return arg.values;
  }

  string(index: number): string {
    const arg = this.args[index];
    if (arg?.type !== "string") throw new TypeError(`argument ${index} of ${this.expr.func} is no string`);
    return arg.value;
  }

  /** The expression of an argument, for positions. */
  argExpr(index: number): Expr {
    return this.expr.args[index] as Expr;
  }

  result(series: StepSeries[]): Evaluated {
    return vectorOf(series);
  }
}

export type VectorFunction = (call: FunctionCall) => Evaluated | Promise<Evaluated>;
