import type { ArithmeticOperator, BinaryExpr, BinaryOperator, ComparisonOperator, SampleExpr } from "./ast.ts";

/** A number, or a vector of at most one sample without labels (`value` undefined: of none). */
export type LiteralValue =
  | { readonly kind: "scalar"; readonly value: number }
  | { readonly kind: "vector"; readonly value: number | undefined };

const ARITHMETIC: Readonly<Record<ArithmeticOperator, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
  "^": (a, b) => a ** b,
};
const COMPARISON: Readonly<Record<ComparisonOperator, (a: number, b: number) => boolean>> = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
};

function isComparison(op: BinaryOperator): op is ComparisonOperator {
  return op in COMPARISON;
}

/** Evaluates what needs no logs; the value is the same at every step. Semantics of Loki's MergeBinOp. */
export function evaluateLiteral(expr: SampleExpr): LiteralValue {
  if (expr.kind === "number") return { kind: "scalar", value: expr.value };
  if (expr.kind === "vector") return { kind: "vector", value: expr.value };
  return combine(expr, evaluateLiteral(expr.left), evaluateLiteral(expr.right));
}

function combine({ op, bool }: BinaryExpr, left: LiteralValue, right: LiteralValue): LiteralValue {
  switch (op) {
    case "and":
      return { kind: "vector", value: right.value === undefined ? undefined : left.value };
    case "or":
      return { kind: "vector", value: left.value ?? right.value };
    case "unless":
      return { kind: "vector", value: right.value === undefined ? left.value : undefined };
    default:
  }
  const kind = left.kind === "scalar" && right.kind === "scalar" ? "scalar" : "vector";
  if (left.value === undefined || right.value === undefined) return { kind: "vector", value: undefined };
  if (!isComparison(op)) return { kind, value: ARITHMETIC[op](left.value, right.value) };
  const holds = COMPARISON[op](left.value, right.value);
  if (bool || kind === "scalar") return { kind, value: holds ? 1 : 0 };
  // A comparison filters: what stays is the sample of the vector, whichever side it is on.
  const sample = left.kind === "vector" ? left.value : right.value;
  return { kind: "vector", value: holds ? sample : undefined };
}
