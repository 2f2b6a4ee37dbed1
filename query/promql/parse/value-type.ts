import type { Expr, ValueType } from "../ast.ts";
import { SIGNATURES } from "./signatures.ts";

/** What an expression evaluates to. Does not check its operands; {@link checkTypes} does. */
export function valueType(expr: Expr): ValueType {
  switch (expr.kind) {
    case "number":
      return "scalar";
    case "string":
      return "string";
    case "vector":
    case "aggregate":
      return "vector";
    case "matrix":
    case "subquery":
      return "matrix";
    case "binary":
      return valueType(expr.left) === "scalar" && valueType(expr.right) === "scalar" ? "scalar" : "vector";
    case "call":
      return SIGNATURES.get(expr.func)?.returns ?? "none";
    case "unary":
    case "paren":
    case "invariant":
      return valueType(expr.expr);
  }
}

/** The type as the documentation names it, for messages. */
export function documentedType(type: ValueType): string {
  if (type === "vector") return "instant vector";
  if (type === "matrix") return "range vector";
  return type;
}
