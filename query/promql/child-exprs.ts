import type { Expr } from "./ast.ts";

/** The operands of an expression, left to right. */
export function childExprs(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "binary":
      return [expr.left, expr.right];
    case "call":
      return expr.args;
    case "aggregate":
      return expr.param ? [expr.param, expr.expr] : [expr.expr];
    case "paren":
    case "unary":
    case "subquery":
    case "invariant":
      return [expr.expr];
    default:
      return [];
  }
}
