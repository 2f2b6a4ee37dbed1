import type { Expr } from "../ast.ts";
import { childExprs } from "../child-exprs.ts";
import { formatAggregator, formatExpr, formatOperator, formatSubqueryRange } from "./format-expr.ts";

const MAX_LINE_BYTES = 100;
const INDENT = "  ";

/**
 * An expression over several lines where one would be longer than 100 bytes, as Prometheus' promql/parser/prettier.go
 * lays it out.
 */
export function prettyExpr(expr: Expr): string {
  return new Prettier().layOut(expr, 0);
}

class Prettier {
  /** What fits a line, by expression; undefined for what does not. */
  readonly #lines = new Map<Expr, string | undefined>();

  /** `level` is the indentation that the expression's first line begins with. */
  layOut(expr: Expr, level: number): string {
    const indent = INDENT.repeat(level);
    if (expr.kind === "unary") return indent + expr.op + this.layOut(expr.expr, level).trim();
    if (expr.kind === "invariant") return this.layOut(expr.expr, level);
    const line = this.#line(expr);
    // Prometheus forgets the indentation of a subquery that fits its line.
    if (line !== undefined) return expr.kind === "subquery" ? line : indent + line;
    const inner = (child: Expr) => this.layOut(child, level + 1);
    switch (expr.kind) {
      case "aggregate": {
        const param = expr.param ? `${inner(expr.param)},\n` : "";
        return `${indent}${formatAggregator(expr)}(\n${param}${inner(expr.expr)}\n${indent})`;
      }
      case "binary":
        return `${inner(expr.left)}\n${indent}${formatOperator(expr)}\n${inner(expr.right)}`;
      case "call":
        return `${indent}${expr.func}(\n${expr.args.map(inner).join(",\n")}\n${indent})`;
      case "paren":
        return `${indent}(\n${inner(expr.expr)}\n${indent})`;
      case "subquery":
        return this.layOut(expr.expr, level) + formatSubqueryRange(expr);
      default:
        return indent + formatExpr(expr);
    }
  }

  /** An expression is not shorter than its parts, so that a long one is written out only once. */
  #line(expr: Expr): string | undefined {
    if (this.#lines.has(expr)) return this.#lines.get(expr);
    const isLong = childExprs(expr).some((child) => this.#line(child) === undefined);
    const text = isLong ? undefined : formatExpr(expr);
    const line = text !== undefined && Buffer.byteLength(text) <= MAX_LINE_BYTES ? text : undefined;
    this.#lines.set(expr, line);
    return line;
  }
}
