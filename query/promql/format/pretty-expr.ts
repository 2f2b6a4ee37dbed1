import type { Expr } from "../ast.ts";
import { formatAggregator, formatExpr, formatOperator, formatSubqueryRange } from "./format-expr.ts";

const MAX_LINE_BYTES = 100;
const INDENT = "  ";

/**
 * An expression over several lines where one would be longer than 100 bytes, as Prometheus' promql/parser/prettier.go
 * lays it out. `level` is the indentation that the expression's first line begins with.
 */
export function prettyExpr(expr: Expr, level = 0): string {
  const indent = INDENT.repeat(level);
  const line = formatExpr(expr);
  if (expr.kind === "unary") return indent + expr.op + prettyExpr(expr.expr, level).trim();
  if (expr.kind === "invariant") return prettyExpr(expr.expr, level);
  // Prometheus forgets the indentation of a subquery that fits its line.
  if (fits(line)) return expr.kind === "subquery" ? line : indent + line;
  switch (expr.kind) {
    case "aggregate": {
      const param = expr.param ? `${prettyExpr(expr.param, level + 1)},\n` : "";
      return `${indent}${formatAggregator(expr)}(\n${param}${prettyExpr(expr.expr, level + 1)}\n${indent})`;
    }
    case "binary": {
      const operator = `${indent}${formatOperator(expr)}`;
      return `${prettyExpr(expr.left, level + 1)}\n${operator}\n${prettyExpr(expr.right, level + 1)}`;
    }
    case "call": {
      const args = expr.args.map((arg) => prettyExpr(arg, level + 1)).join(",\n");
      return `${indent}${expr.func}(\n${args}\n${indent})`;
    }
    case "paren":
      return `${indent}(\n${prettyExpr(expr.expr, level + 1)}\n${indent})`;
    case "subquery":
      return prettyExpr(expr.expr, level) + formatSubqueryRange(expr);
    default:
      return indent + line;
  }
}

function fits(line: string): boolean {
  // A character has at least a byte, so that the bytes of long lines need not be counted.
  return line.length <= MAX_LINE_BYTES && Buffer.byteLength(line) <= MAX_LINE_BYTES;
}
