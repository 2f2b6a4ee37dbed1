import type { Expr, SubqueryExpr, VectorSelector } from "../ast.ts";
import { formatExpr } from "../format/format-expr.ts";
import { parsePromql } from "../parse/parse-promql.ts";

const TIME_DEPENDENT = new Set(
  "days_in_month day_of_month day_of_week day_of_year end hour minute month year predict_linear range start step time timestamp".split(
    " ",
  ),
);

/**
 * The same query pinned with `@` to `timeMs`, which must have the same result whenever it is asked. Undefined when the
 * query depends on the time of evaluation in other ways, too.
 */
export function pinnedQuery(text: string, timeMs: number): { text: string; timesMs: number[] } | undefined {
  const expr = parsePromql(text);
  if (dependsOnTime(expr)) return undefined;
  const timesMs = timeMs === 0 ? [-1000, 0, 1000] : [-10 * timeMs, 0, Math.trunc(timeMs / 5), timeMs, 10 * timeMs];
  return { text: formatExpr(pin(expr, timeMs)), timesMs };
}

function dependsOnTime(expr: Expr): boolean {
  switch (expr.kind) {
    case "call":
      return TIME_DEPENDENT.has(expr.func) || expr.args.some(dependsOnTime);
    case "binary":
      return dependsOnTime(expr.left) || dependsOnTime(expr.right);
    case "aggregate":
      return dependsOnTime(expr.expr) || (expr.param !== undefined && dependsOnTime(expr.param));
    case "unary":
    case "paren":
      return dependsOnTime(expr.expr);
    case "subquery":
      // What is inside of a pinned subquery is not pinned, and is not looked at either.
      return false;
    default:
      return false;
  }
}

function pin(expr: Expr, timeMs: number): Expr {
  const pinned = <T extends VectorSelector | SubqueryExpr>(selector: T): T =>
    selector.at === undefined ? { ...selector, at: timeMs } : selector;
  switch (expr.kind) {
    case "vector":
    case "subquery":
      return pinned(expr);
    case "matrix":
      return { ...expr, vector: pinned(expr.vector) };
    case "aggregate":
      return { ...expr, expr: pin(expr.expr, timeMs), ...(expr.param && { param: pin(expr.param, timeMs) }) };
    case "binary":
      return { ...expr, left: pin(expr.left, timeMs), right: pin(expr.right, timeMs) };
    case "call":
      return { ...expr, args: expr.args.map((arg) => pin(arg, timeMs)) };
    case "unary":
    case "paren":
      return { ...expr, expr: pin(expr.expr, timeMs) };
    default:
      return expr;
  }
}
