import { power } from "../../promql/go-power.ts";
import type { ArithmeticOperator, BinaryOperator, ComparisonOperator, SetOperator } from "../ast.ts";

const ARITHMETIC: Readonly<Record<ArithmeticOperator, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  // Loki's MergeBinOp gives NaN where others give an infinity.
  "/": (a, b) => (b === 0 ? Number.NaN : a / b),
  "%": (a, b) => (b === 0 ? Number.NaN : a % b),
  "^": power,
};
const COMPARISON: Readonly<Record<ComparisonOperator, (a: number, b: number) => boolean>> = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
};

export function isComparison(op: BinaryOperator): op is ComparisonOperator {
  return op in COMPARISON;
}

export function isSetOperator(op: BinaryOperator): op is SetOperator {
  return op === "and" || op === "or" || op === "unless";
}

export function comparison(op: ComparisonOperator): (a: number, b: number) => boolean {
  return COMPARISON[op];
}

/** What two numbers come to; a comparison is 1 or 0. */
export function scalarOperation(op: Exclude<BinaryOperator, SetOperator>): (a: number, b: number) => number {
  if (!isComparison(op)) return ARITHMETIC[op];
  const holds = COMPARISON[op];
  return (a, b) => (holds(a, b) ? 1 : 0);
}
