import type { Expr, VectorSelector } from "../ast.ts";

const STATS = new Set(["histogram_count", "histogram_sum", "histogram_avg"]);
const WHOLE = new Set(["histogram_quantile", "histogram_quantiles", "histogram_fraction"]);

/** What the expressions around one make of histograms: only their count and sum, or (somewhere) all of them. */
type Use = { readonly stats: boolean; readonly whole: boolean };

/**
 * Marks the selectors whose native histograms may be stripped of buckets (detectHistogramStatsDecoding in Prometheus'
 * promql/engine.go). Subqueries need buckets to find counter resets.
 */
export function markStatsOnly(expr: Expr, use: Use = { stats: false, whole: false }): Expr {
  switch (expr.kind) {
    case "vector":
      return marked(expr, use);
    case "matrix":
      return { ...expr, vector: marked(expr.vector, use) };
    case "subquery":
      return { ...expr, expr: markStatsOnly(expr.expr, { ...use, whole: true }) };
    case "aggregate":
      return {
        ...expr,
        expr: markStatsOnly(expr.expr, use),
        ...(expr.param && { param: markStatsOnly(expr.param, use) }),
      };
    case "binary": {
      const inner = { ...use, whole: use.whole || expr.op === "</" || expr.op === ">/" };
      return { ...expr, left: markStatsOnly(expr.left, inner), right: markStatsOnly(expr.right, inner) };
    }
    case "call": {
      const inner = { stats: use.stats || STATS.has(expr.func), whole: use.whole || WHOLE.has(expr.func) };
      return { ...expr, args: expr.args.map((arg) => markStatsOnly(arg, inner)) };
    }
    case "unary":
    case "paren":
    case "invariant":
      return { ...expr, expr: markStatsOnly(expr.expr, use) };
    default:
      return expr;
  }
}

function marked(selector: VectorSelector, { stats, whole }: Use): VectorSelector {
  return stats && !whole ? { ...selector, statsOnly: true } : selector;
}
