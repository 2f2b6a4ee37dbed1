import type { ParseError } from "@sightline/model/errors.ts";
import type { BinaryExpr, LogqlExpr, NumberLiteral, SampleExpr } from "../ast.ts";
import { isSetOperator, scalarOperation } from "../metric/scalar-operation.ts";
import { parseErrorOf } from "./problems.ts";

type Parts = Pick<BinaryExpr, "op" | "bool" | "matching"> & { readonly left: LogqlExpr; readonly right: LogqlExpr };

/**
 * The expression, or what two numbers come to (Loki's mustNewBinOpExpr). What is wrong with it goes into `problems`; the
 * expression is then good for nothing else.
 */
export function binaryExpr(parts: Parts, problems: Map<LogqlExpr, ParseError>): SampleExpr {
  const { op, bool, matching, left, right } = parts;
  const range = { start: left.range.start, end: right.range.end };
  if (left.kind === "number" && right.kind === "number" && !isSetOperator(op)) {
    return fold(scalarOperation(op), left, right, problems);
  }
  const expr: BinaryExpr = {
    kind: "binary",
    op,
    bool,
    matching,
    left: left as SampleExpr,
    right: right as SampleExpr,
    range,
  };
  const problem = problemOf(parts);
  if (problem !== undefined) problems.set(expr, parseErrorOf(range, problem));
  return expr;
}

function fold(
  combine: (a: number, b: number) => number,
  left: NumberLiteral,
  right: NumberLiteral,
  problems: Map<LogqlExpr, ParseError>,
): NumberLiteral {
  const range = { start: left.range.start, end: right.range.end };
  const literal: NumberLiteral = { kind: "number", value: combine(left.value, right.value), range };
  const problem = problems.get(left) ?? problems.get(right);
  if (problem) problems.set(literal, problem);
  return literal;
}

function problemOf({ op, left, right }: Parts): string | undefined {
  for (const [leg, expr] of [
    ["left", left],
    ["right", right],
  ] as const) {
    if (expr.kind !== "log") continue;
    const type = expr.stages.length > 0 ? "*syntax.PipelineExpr" : "*syntax.MatchersExpr";
    return `unexpected type for ${leg} leg of binary operation (${op}): ${type}`;
  }
  if (!isSetOperator(op)) return undefined;
  for (const [leg, expr] of [
    ["left", left],
    ["right", right],
  ] as const) {
    if (expr.kind !== "number") continue;
    return `unexpected literal for ${leg} leg of logical/set binary operation (${op}): ${expr.value.toFixed(6)}`;
  }
  return undefined;
}
