import type { Expr } from "../ast.ts";

/** The expression with `map` applied to the expressions right below it; the same object when nothing changed. */
export function mapChildren(expr: Expr, map: (child: Expr) => Expr): Expr {
  switch (expr.kind) {
    case "number":
    case "string":
    case "vector":
      return expr;
    case "matrix": {
      const vector = map(expr.vector);
      return vector === expr.vector || vector.kind !== "vector" ? expr : { ...expr, vector };
    }
    case "subquery":
    case "unary":
    case "paren":
    case "invariant": {
      const inner = map(expr.expr);
      return inner === expr.expr ? expr : { ...expr, expr: inner };
    }
    case "aggregate": {
      const inner = map(expr.expr);
      const param = expr.param && map(expr.param);
      if (inner === expr.expr && param === expr.param) return expr;
      return { ...expr, expr: inner, ...(param && { param }) };
    }
    case "binary": {
      const left = map(expr.left);
      const right = map(expr.right);
      return left === expr.left && right === expr.right ? expr : { ...expr, left, right };
    }
    case "call": {
      const args = expr.args.map(map);
      return args.every((arg, index) => arg === expr.args[index]) ? expr : { ...expr, args };
    }
  }
}

/** Calls `visit` for the expression and everything in it, from the outside in. */
export function visitExpr(expr: Expr, visit: (expr: Expr) => void): void {
  visit(expr);
  mapChildren(expr, (child) => {
    visitExpr(child, visit);
    return child;
  });
}
