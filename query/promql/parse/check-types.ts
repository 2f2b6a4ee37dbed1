import type { ParseError } from "@sightline/model/errors.ts";
import { quote } from "@sightline/model/go-quote.ts";
import { compileMatcher } from "@sightline/model/matcher.ts";
import type { Range, ValueType, VectorMatching, VectorSelector } from "../ast.ts";
import { type AggregateExpr, type BinaryExpr, type CallExpr, type Expr, isComparison, isSetOperator } from "../ast.ts";
import { parseErrorAt } from "./position.ts";
import { SIGNATURES, type Signature } from "./signatures.ts";
import { documentedType, valueType } from "./value-type.ts";

/**
 * Checks the types of a parsed expression and settles the matching of binary operators (checkAST of Prometheus'
 * promql/parser/parse.go, in the same order, so that the first error is the same one). Throws {@link ParseError}.
 */
export function checkTypes(text: string, expr: Expr): Expr {
  return new TypeChecker(text).check(expr);
}

class TypeChecker {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  check(expr: Expr): Expr {
    switch (expr.kind) {
      case "number":
      case "string":
        return expr;
      case "vector":
        this.#selector(expr, false);
        return expr;
      case "matrix":
        this.#selector(expr.vector, false);
        return expr;
      case "subquery": {
        const inner = this.check(expr.expr);
        const type = valueType(inner);
        if (type !== "vector") {
          throw this.#error(expr.range, `subquery is only allowed on instant vector, got ${type} instead`);
        }
        return { ...expr, expr: inner };
      }
      case "aggregate":
        return this.#aggregate(expr);
      case "binary":
        return this.#binary(expr);
      case "call":
        return this.#call(expr);
      case "unary": {
        const inner = this.check(expr.expr);
        const type = valueType(inner);
        if (type !== "scalar" && type !== "vector") {
          const got = quote(documentedType(type));
          const allowed = "unary expression only allowed on expressions of type scalar or instant vector";
          throw this.#error(expr.range, `${allowed}, got ${got}`);
        }
        return { ...expr, expr: inner };
      }
      case "paren":
      case "invariant":
        return { ...expr, expr: this.check(expr.expr) };
    }
  }

  #selector(selector: VectorSelector, mayMatchAll: boolean): void {
    const { name, matchers, range } = selector;
    if (name !== "") {
      const twice = matchers.slice(0, -1).find((matcher) => matcher.name === "__name__");
      if (!twice) return;
      throw this.#error(range, `metric name must not be set twice: ${quote(name)} or ${quote(twice.value)}`);
    }
    if (mayMatchAll || matchers.some((matcher) => !compileMatcher(matcher)(""))) return;
    throw this.#error(range, "vector selector must contain at least one non-empty matcher");
  }

  #expect(expr: Expr, wanted: ValueType, context: string): Expr {
    const checked = this.check(expr);
    const got = valueType(checked);
    if (got === wanted) return checked;
    const types = `expected type ${documentedType(wanted)} in ${context}, got ${documentedType(got)}`;
    throw this.#error(expr.range, types);
  }

  #aggregate(expr: AggregateExpr): Expr {
    const inner = this.#expect(expr.expr, "vector", "aggregation expression");
    if (!expr.param) return { ...expr, expr: inner };
    const wanted = expr.op === "count_values" ? "string" : "scalar";
    return { ...expr, expr: inner, param: this.#expect(expr.param, wanted, "aggregation parameter") };
  }

  #call(expr: CallExpr): Expr {
    const signature = SIGNATURES.get(expr.func) as Signature;
    this.#argumentCount(expr, signature);
    if (expr.func === "info") this.#infoSelector(expr);
    const { argTypes } = signature;
    const args = expr.args.map((arg, index) => {
      if (expr.func === "info" && index === 1) return arg;
      const wanted = argTypes[Math.min(index, argTypes.length - 1)] as ValueType;
      return this.#expect(arg, wanted, `call to function ${quote(expr.func)}`);
    });
    return { ...expr, args };
  }

  #argumentCount(expr: CallExpr, { argTypes, variadic }: Signature): void {
    const got = expr.args.length;
    const call = `argument(s) in call to ${quote(expr.func)}, got ${got}`;
    if (variadic === 0) {
      if (got !== argTypes.length) throw this.#error(expr.range, `expected ${argTypes.length} ${call}`);
      return;
    }
    const least = argTypes.length - 1;
    if (got < least) throw this.#error(expr.range, `expected at least ${least} ${call}`);
    const most = least + variadic;
    if (variadic > 0 && got > most) throw this.#error(expr.range, `expected at most ${most} ${call}`);
  }

  /** The second argument of `info` is a list of matchers in the clothes of a selector. */
  #infoSelector(expr: CallExpr): void {
    const selector = expr.args[1];
    if (!selector) return;
    const type = valueType(selector);
    if (type !== "vector") {
      const got = documentedType(type);
      throw this.#error(expr.range, `expected type instant vector in call to function "info", got ${got}`);
    }
    if (selector.kind !== "vector") throw this.#error(selector.range, "expected label selectors only");
    if (selector.name !== "") {
      throw this.#error(selector.range, "expected label selectors only, got vector selector instead");
    }
    this.#selector(selector, true);
  }

  #binary(expr: BinaryExpr): Expr {
    const left = this.check(expr.left);
    const right = this.check(expr.right);
    const leftType = valueType(left);
    const rightType = valueType(right);
    const { op, range } = expr;
    const matching = expr.matching as VectorMatching;
    if (expr.bool && !isComparison(op)) {
      throw this.#error(this.#operatorRange(expr), "bool modifier can only be used on comparison operators");
    }
    if (isComparison(op) && !expr.bool && leftType === "scalar" && rightType === "scalar") {
      throw this.#error(this.#operatorRange(expr), "comparisons between scalars must use BOOL modifier");
    }
    const included = new Set(matching.include);
    const both = matching.on ? matching.labels.find((label) => included.has(label)) : undefined;
    if (both !== undefined) {
      const where = this.#operatorRange(expr);
      throw this.#error(where, `label ${quote(both)} must not occur in ON and GROUP clause at once`);
    }
    for (const [operand, type] of [
      [left, leftType],
      [right, rightType],
    ] as const) {
      if (type === "scalar" || type === "vector") continue;
      throw this.#error(operand.range, "binary expression must contain only scalar and instant vector types");
    }
    const fills = matching.fillLeft !== undefined || matching.fillRight !== undefined;
    if (leftType === "vector" && rightType === "vector") {
      return { ...expr, left, right, matching: this.#vectorMatching(expr, matching, fills) };
    }
    if (matching.labels.length > 0) {
      throw this.#error(range, "vector matching only allowed between instant vectors");
    }
    if (fills) throw this.#error(range, "filling in missing series only allowed between instant vectors");
    if (isSetOperator(op)) {
      throw this.#error(range, `set operator ${quote(op)} not allowed in binary scalar expression`);
    }
    const { matching: _none, ...rest } = expr;
    return { ...rest, left, right };
  }

  #vectorMatching({ op, range }: BinaryExpr, matching: VectorMatching, fills: boolean): VectorMatching {
    if (!isSetOperator(op)) return matching;
    if (matching.card !== "one-to-one") throw this.#error(range, `no grouping allowed for ${quote(op)} operation`);
    if (fills) throw this.#error(range, "filling in missing series not allowed for set operators");
    return { ...matching, card: "many-to-many" };
  }

  /** The operator with its modifiers, without the space around. */
  #operatorRange({ left, right }: BinaryExpr): Range {
    let { end: start } = left.range;
    while (/\s/.test(this.#text[start] ?? "")) start++;
    let end = right.range.start;
    while (/\s/.test(this.#text[end - 1] ?? "")) end--;
    return { start, end };
  }

  #error(range: Range, reason: string): ParseError {
    return parseErrorAt(this.#text, range, reason);
  }
}
