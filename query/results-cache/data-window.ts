import type { AggregateExpr, Duration, Expr, VectorSelector } from "../promql/ast.ts";
import { childExprs } from "../promql/child-exprs.ts";

/** The data that the value at step T is made of: from `T - backMs` to `T + aheadMs`, both included. */
export type DataWindow = { readonly backMs: number; readonly aheadMs: number };

const NO_DATA: DataWindow = { backMs: 0, aheadMs: 0 };
/** They tell of the query's range, or choose among the series of the whole of it. */
const OF_THE_RANGE = new Set([
  "start",
  "end",
  "range",
  "step",
  "info",
  "sort",
  "sort_desc",
  "sort_by_label",
  "sort_by_label_desc",
]);
const OF_THE_RANGE_AGGREGATORS = new Set(["limitk", "limit_ratio"]);

/**
 * The window of an expression whose value at a step depends on nothing but the data in it; undefined when the value may
 * also depend on the range of the query or on another moment (`@`), so that it can't be used for another query.
 */
export function dataWindow(expr: Expr, lookbackMs: number): DataWindow | undefined {
  switch (expr.kind) {
    case "vector":
      return selectorWindow(expr, 0, lookbackMs);
    case "matrix":
      return typeof expr.length === "number" ? selectorWindow(expr.vector, expr.length, lookbackMs) : undefined;
    case "subquery": {
      const inner = dataWindow(expr.expr, lookbackMs);
      const { length, step = 0, offset, at } = expr;
      if (!inner || at !== undefined || !areKnown(length, step, offset)) return undefined;
      const backMs = (offset as number) + (length as number) + inner.backMs;
      return { backMs: Math.max(0, backMs), aheadMs: Math.max(0, inner.aheadMs - (offset as number)) };
    }
    case "call":
      return OF_THE_RANGE.has(expr.func) ? undefined : widest(childExprs(expr), lookbackMs);
    case "aggregate":
      return isOfTheRange(expr) ? undefined : widest(childExprs(expr), lookbackMs);
    default:
      return widest(childExprs(expr), lookbackMs);
  }
}

/** Whether a parameter that varies is refused depends on all of its values, so only constants will do. */
function isOfTheRange({ op, param }: AggregateExpr): boolean {
  return (
    OF_THE_RANGE_AGGREGATORS.has(op) || (param !== undefined && param.kind !== "number" && param.kind !== "string")
  );
}

function selectorWindow(selector: VectorSelector, lengthMs: number, lookbackMs: number): DataWindow | undefined {
  const { offset, at, extend } = selector;
  if (at !== undefined || typeof offset !== "number") return undefined;
  const isRange = lengthMs > 0;
  const backMs = offset + lengthMs + (isRange && !extend ? 0 : lookbackMs);
  const aheadMs = (extend === "smoothed" ? lookbackMs : 0) - offset;
  return { backMs: Math.max(0, backMs), aheadMs: Math.max(0, aheadMs) };
}

function widest(exprs: readonly Expr[], lookbackMs: number): DataWindow | undefined {
  let window = NO_DATA;
  for (const expr of exprs) {
    const inner = dataWindow(expr, lookbackMs);
    if (!inner) return undefined;
    window = { backMs: Math.max(window.backMs, inner.backMs), aheadMs: Math.max(window.aheadMs, inner.aheadMs) };
  }
  return window;
}

function areKnown(...durations: readonly Duration[]): boolean {
  return durations.every((duration) => typeof duration === "number");
}
