import type { Expr, Range } from "../ast.ts";

const START: Range = { start: 0, end: 0 };

/** Where Prometheus says that something is odd about an argument: of a subquery it has forgotten where it stood. */
export function notedRange(arg: Expr): Range {
  return arg.kind === "subquery" ? START : arg.range;
}
