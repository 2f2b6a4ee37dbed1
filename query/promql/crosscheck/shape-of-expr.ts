import type { Matcher } from "@sightline/model/matcher.ts";
import type { Duration, Expr, VectorMatching, VectorSelector } from "../ast.ts";

/**
 * An expression in words that the second parser has, too: what is applied to what, with every name, matcher, modifier
 * and number, but without positions and without the parentheses that were written.
 */
export function shapeOfExpr(expr: Expr): string {
  switch (expr.kind) {
    case "number":
      return shapeOfNumber(expr.value);
    case "string":
      return JSON.stringify(expr.value);
    case "vector":
      return shapeOfSelector(expr);
    case "matrix":
      return `${shapeOfSelector(expr.vector)}[${shapeOfDuration(expr.length)}]`;
    case "subquery": {
      const step = expr.step === undefined ? "" : shapeOfDuration(expr.step);
      return `(${shapeOfExpr(expr.expr)})[${shapeOfDuration(expr.length)}:${step}]${shapeOfLook(expr)}`;
    }
    case "aggregate": {
      const param = expr.param ? `${shapeOfExpr(expr.param)}, ` : "";
      return `${expr.op} ${shapeOfGrouping(expr.without, expr.grouping)}(${param}${shapeOfExpr(expr.expr)})`;
    }
    case "binary": {
      const matching = expr.matching ? shapeOfMatching(expr.matching) : "";
      return `(${shapeOfExpr(expr.left)} ${expr.op}${expr.bool ? " bool" : ""}${matching} ${shapeOfExpr(expr.right)})`;
    }
    case "unary":
      return expr.op === "+" ? shapeOfExpr(expr.expr) : `-(${shapeOfExpr(expr.expr)})`;
    case "call":
      return `${expr.func}(${expr.args.map(shapeOfExpr).join(", ")})`;
    case "paren":
    case "invariant":
      return shapeOfExpr(expr.expr);
  }
}

export function shapeOfNumber(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** `by ()` groups everything, as does no grouping at all. */
export function shapeOfGrouping(without: boolean, labels: readonly string[]): string {
  return without || labels.length > 0 ? `${without ? "without" : "by"} ${JSON.stringify(labels)} ` : "";
}

export function shapeOfMatchers(matchers: readonly Matcher[]): string {
  const texts = matchers.map(({ name, op, value }) => `${JSON.stringify(name)}${op}${JSON.stringify(value)}`);
  return `{${texts.sort().join(",")}}`;
}

export type MatchingShape = Pick<VectorMatching, "card" | "on" | "labels" | "include" | "fillLeft" | "fillRight">;

export function shapeOfMatching({ card, on, labels, include, fillLeft, fillRight }: MatchingShape): string {
  const fill = [fillLeft, fillRight].map((value) => (value === undefined ? "" : shapeOfNumber(value))).join(",");
  const matched = on || labels.length > 0 ? ` ${on ? "on" : "ignoring"} ${JSON.stringify(labels)}` : "";
  const grouped = card === "one-to-one" || card === "many-to-many" ? "" : ` ${card} ${JSON.stringify(include)}`;
  return `${matched}${grouped}${fill === "," ? "" : ` fill ${fill}`}`;
}

function shapeOfSelector(selector: VectorSelector): string {
  return `${shapeOfMatchers(selector.matchers)}${selector.extend ? ` ${selector.extend}` : ""}${shapeOfLook(selector)}`;
}

function shapeOfLook({ offset, at }: Pick<VectorSelector, "offset" | "at">): string {
  const moved = offset === 0 ? "" : ` offset ${shapeOfDuration(offset)}`;
  return `${moved}${at === undefined ? "" : ` @ ${at}`}`;
}

/** Duration expressions are Prometheus' own; the second parser has no word for them. */
function shapeOfDuration(duration: Duration): string {
  return typeof duration === "number" ? String(duration) : "expression";
}
