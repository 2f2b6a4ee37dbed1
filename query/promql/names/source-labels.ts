import type { CallExpr, Expr, StringLiteral } from "../ast.ts";

/** Which arguments of a function name labels that it reads: the first of them, and how far apart the others are. */
const SOURCES: Readonly<Record<string, (index: number) => boolean>> = {
  label_replace: (index) => index === 3,
  label_join: (index) => index >= 3,
  sort_by_label: (index) => index >= 1,
  sort_by_label_desc: (index) => index >= 1,
};

export function isSourceLabel(func: string, arg: Expr, index: number): arg is StringLiteral {
  return arg.kind === "string" && (SOURCES[func]?.(index) ?? false);
}

/** The arguments of a call that name labels it reads. */
export function sourceLabels({ func, args }: CallExpr): StringLiteral[] {
  return args.filter((arg, index): arg is StringLiteral => isSourceLabel(func, arg, index));
}

/** The label that an expression itself makes up, which must not be taken for another. */
export function madeLabel(expr: Expr): string | undefined {
  if (expr.kind === "aggregate" && expr.op === "count_values" && expr.param?.kind === "string") return expr.param.value;
  if (expr.kind !== "call" || (expr.func !== "label_replace" && expr.func !== "label_join")) return undefined;
  const target = expr.args[1];
  return target?.kind === "string" ? target.value : undefined;
}
