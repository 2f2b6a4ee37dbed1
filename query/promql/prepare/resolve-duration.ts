import { InvalidInputError } from "@sightline/model/errors.ts";
import type { DurationExpr, DurationOperand } from "../ast.ts";
import { secondsOf } from "../format/duration.ts";
import type { QueryRange } from "./query-range.ts";

const MAX_SECONDS = 2 ** 63 / 1e9;

/** Milliseconds of a duration expression for the given range of times (Prometheus' promql/durations.go). Throws `InvalidInputError`. */
export function resolveDuration(expr: DurationExpr, range: QueryRange, mayBeNegative: boolean): number {
  const seconds = evaluate(expr, range);
  const position = `${expr.range.start}:${expr.range.end}`;
  if (!Number.isFinite(seconds)) throw new InvalidInputError(`${position}: duration is NaN or infinite`);
  if (seconds <= 0 && !mayBeNegative) throw new InvalidInputError(`${position}: duration must be greater than 0`);
  if (Math.abs(seconds) > MAX_SECONDS) throw new InvalidInputError(`${position}: duration is out of range`);
  return Math.trunc(seconds * 1000);
}

function evaluate(operand: DurationOperand, range: QueryRange): number {
  if (operand.kind === "number") return operand.value;
  const left = operand.left ? evaluate(operand.left, range) : 0;
  const right = operand.right ? evaluate(operand.right, range) : 0;
  switch (operand.op) {
    case "step":
      return secondsOf(range.stepMs);
    case "range":
      return secondsOf(range.endMs - range.startMs);
    case "min_of":
      return Math.min(left, right);
    case "max_of":
      return Math.max(left, right);
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
    case "%":
      if (right === 0) {
        const what = operand.op === "/" ? "division" : "modulo";
        throw new InvalidInputError(`${operand.range.start}:${operand.range.end}: ${what} by zero`);
      }
      return operand.op === "/" ? left / right : left % right;
    case "^":
      return left ** right;
  }
}
