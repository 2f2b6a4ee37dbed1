import { type BinaryExpr, isSetOperator } from "../ast.ts";
import type { ExprEvaluator } from "../eval/expr-evaluator.ts";
import type { Grid } from "../eval/grid.ts";
import { type Evaluated, vectorOf } from "../eval/step-series.ts";
import { scalarOperator } from "./scalar-operators.ts";
import { setOperation } from "./set-operators.ts";
import { vectorAndScalar } from "./vector-scalar.ts";
import { vectorAndVector } from "./vector-vector.ts";

export async function evaluateBinary(evaluator: ExprEvaluator, expr: BinaryExpr, grid: Grid): Promise<Evaluated> {
  const { context } = evaluator;
  const left = await evaluator.evaluate(expr.left, grid);
  const right = await evaluator.evaluate(expr.right, grid);
  if (left.type === "scalar" && right.type === "scalar") {
    const operate = scalarOperator(expr.op);
    const values = left.values.map((value, step) => operate(value, right.values[step] as number));
    if (context.tired(grid.steps)) await context.breathe();
    return { type: "scalar", values };
  }
  if (left.type === "vector" && right.type === "vector") {
    if (isSetOperator(expr.op) && expr.matching) {
      return vectorOf(await setOperation(context, expr.op, left.series, right.series, expr.matching, grid));
    }
    return vectorOf(await vectorAndVector(context, expr, grid, left.series, right.series));
  }
  if (left.type === "vector" && right.type === "scalar") {
    return vectorOf(await vectorAndScalar(context, expr, grid, left.series, right.values, false));
  }
  if (left.type === "scalar" && right.type === "vector") {
    return vectorOf(await vectorAndScalar(context, expr, grid, right.series, left.values, true));
  }
  throw new TypeError(`operator ${expr.op} on ${left.type} and ${right.type}`);
}
