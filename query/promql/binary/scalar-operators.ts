import type { ArithmeticOperator, BinaryOperator, ComparisonOperator } from "../ast.ts";
import { EvaluationError } from "../evaluation-error.ts";
import { power } from "../go-power.ts";
import { atan2 } from "../go-trigonometry.ts";

/** Arithmetic on floats, with Go's special cases. */
export const ARITHMETIC: Readonly<Record<ArithmeticOperator, (left: number, right: number) => number>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => left / right,
  "%": (left, right) => left % right,
  "^": power,
  atan2,
};

export const COMPARE: Readonly<Record<ComparisonOperator, (left: number, right: number) => boolean>> = {
  "==": (left, right) => left === right,
  "!=": (left, right) => left !== right,
  ">": (left, right) => left > right,
  "<": (left, right) => left < right,
  ">=": (left, right) => left >= right,
  "<=": (left, right) => left <= right,
};

/** An operation on two scalars; comparisons give 0 or 1. Throws {@link EvaluationError} for `</` and `>/`. */
export function scalarOperator(op: BinaryOperator): (left: number, right: number) => number {
  if (op in ARITHMETIC) return ARITHMETIC[op as ArithmeticOperator];
  const compare = COMPARE[op as ComparisonOperator];
  if (compare) return (left, right) => (compare(left, right) ? 1 : 0);
  throw new EvaluationError(`operator ${JSON.stringify(op)} not allowed for Scalar operations`);
}
