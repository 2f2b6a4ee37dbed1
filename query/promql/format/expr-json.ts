import type { Matcher } from "@sightline/model/matcher.ts";
import type { Duration, DurationOperand, Expr, SubqueryExpr, VectorMatching, VectorSelector } from "../ast.ts";
import { SIGNATURES } from "../parse/signatures.ts";
import { formatFloat } from "./format-float.ts";

type Json = { readonly [key: string]: unknown };

/** An expression as Prometheus gives it to its web interface (web/api/v1/translate_ast.go). Fit for JSON.stringify. */
export function exprJson(expr: Expr): Json {
  switch (expr.kind) {
    case "number":
      return { type: "numberLiteral", val: formatFloat(expr.value) };
    case "string":
      return { type: "stringLiteral", val: expr.value.toWellFormed() };
    case "vector":
      return { type: "vectorSelector", ...selectorJson(expr) };
    case "matrix":
      return { type: "matrixSelector", ...selectorJson(expr.vector), ...durationJson("range", expr.length) };
    case "subquery":
      return {
        type: "subquery",
        expr: exprJson(expr.expr),
        ...durationJson("range", expr.length),
        ...durationJson("step", expr.step ?? 0),
        ...modifiersJson(expr),
      };
    case "aggregate": {
      const { op, grouping, without } = expr;
      const param = expr.param ? exprJson(expr.param) : null;
      return { type: "aggregation", op, expr: exprJson(expr.expr), param, grouping, without };
    }
    case "binary":
      return {
        type: "binaryExpr",
        op: expr.op,
        lhs: exprJson(expr.left),
        rhs: exprJson(expr.right),
        matching: expr.matching ? matchingJson(expr.matching) : null,
        bool: expr.bool,
      };
    case "unary":
      return { type: "unaryExpr", op: expr.op, expr: exprJson(expr.expr) };
    case "paren":
      return { type: "parenExpr", expr: exprJson(expr.expr) };
    case "call":
      return { type: "call", func: functionJson(expr.func), args: expr.args.map(exprJson) };
    case "invariant":
      return exprJson(expr.expr);
  }
}

function selectorJson(selector: VectorSelector): Json {
  const { name, matchers, extend } = selector;
  return {
    name,
    matchers: matchers.map(({ name, op, value }: Matcher) => ({ name, type: op, value })),
    anchored: extend === "anchored",
    smoothed: extend === "smoothed",
    ...modifiersJson(selector),
  };
}

function modifiersJson({ offset, at }: Pick<VectorSelector | SubqueryExpr, "offset" | "at">): Json {
  return {
    ...durationJson("offset", offset),
    timestamp: typeof at === "number" ? at : null,
    startOrEnd: typeof at === "string" ? at : null,
  };
}

function durationJson(field: string, duration: Duration): Json {
  const known = typeof duration === "number";
  return { [field]: known ? duration : 0, [`${field}Expr`]: known ? null : operandJson(duration) };
}

function operandJson(operand: DurationOperand | undefined): Json | null {
  if (!operand) return null;
  if (operand.kind === "number") {
    return { type: "numberLiteral", val: formatFloat(operand.value), duration: operand.duration };
  }
  const { op, left, right, wrapped } = operand;
  return { type: "durationExpr", op, lhs: operandJson(left), rhs: operandJson(right), wrapped };
}

function matchingJson({ card, on, labels, include, fillLeft, fillRight }: VectorMatching): Json {
  return { card, on, labels, include, fillValues: { lhs: fillLeft ?? null, rhs: fillRight ?? null } };
}

function functionJson(name: string): Json {
  const signature = SIGNATURES.get(name);
  return {
    name,
    argTypes: signature?.argTypes ?? [],
    variadic: signature?.variadic ?? 0,
    returnType: signature?.returns ?? "none",
  };
}
