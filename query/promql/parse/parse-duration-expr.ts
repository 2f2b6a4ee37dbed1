import type { Duration, DurationOperand, DurationOperator, NumberLiteral, Range } from "../ast.ts";
import { parseNumberOrDuration } from "./parse-number.ts";
import type { TokenStream } from "./token-stream.ts";

const PRECEDENCE: Readonly<Record<string, number>> = { "+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "^": 3 };
const UNARY_PRECEDENCE = 2;
/** Evaluating walks them by recursion. */
const MAX_NODES = 500;
const MAX_SECONDS = 2 ** 63 / 1e9;

/** What stands in brackets: a duration above zero, or an expression over `step()` and `range()`. */
export function parseLength(tokens: TokenStream, experimental: boolean): Duration {
  const operand = new DurationParser(tokens, experimental).binary(1);
  if (operand.kind === "number" && operand.value <= 0) {
    throw tokens.error(operand.range, "duration must be greater than 0");
  }
  return toDuration(operand);
}

/** What follows `offset`: arithmetic needs parentheses there, as `x offset 1h + 2` adds to the selector. */
export function parseOffset(tokens: TokenStream, experimental: boolean): Duration {
  return toDuration(new DurationParser(tokens, experimental).unary(UNARY_PRECEDENCE + 2));
}

/** Whole milliseconds, cut off from nanoseconds as Prometheus does. */
function toDuration(operand: DurationOperand): Duration {
  return operand.kind === "number" ? Math.trunc(Math.round(operand.value * 1e9) / 1e6) : operand;
}

class DurationParser {
  readonly #tokens: TokenStream;
  readonly #experimental: boolean;
  #nodes = 0;

  constructor(tokens: TokenStream, experimental: boolean) {
    this.#tokens = tokens;
    this.#experimental = experimental;
  }

  binary(minPrecedence: number): DurationOperand {
    let left = this.unary(UNARY_PRECEDENCE);
    for (;;) {
      const token = this.#tokens.current;
      const precedence = token.kind === "operator" ? (PRECEDENCE[token.text] ?? 0) : 0;
      if (precedence === 0 || precedence < minPrecedence) return left;
      this.#tokens.take();
      this.#requireExperimental(left.range);
      const right = this.#tokens.nested(() => this.binary(token.text === "^" ? precedence : precedence + 1));
      if ((token.text === "/" || token.text === "%") && right.kind === "number" && right.value === 0) {
        throw this.#tokens.error(token, token.text === "/" ? "division by zero" : "modulo by zero");
      }
      left = this.#node(token.text as DurationOperator, left, right, { start: left.range.start, end: right.range.end });
    }
  }

  /** `operandPrecedence`: how tightly operators must bind to belong to the operand of a sign. */
  unary(operandPrecedence: number): DurationOperand {
    const tokens = this.#tokens;
    const sign = tokens.current;
    if (sign.kind !== "operator" || (sign.text !== "+" && sign.text !== "-")) return this.#primary();
    tokens.take();
    const operand = tokens.nested(() => (operandPrecedence > 3 ? this.#primary() : this.binary(operandPrecedence + 1)));
    const range = { start: sign.start, end: operand.range.end };
    if (operand.kind === "number")
      return { ...operand, value: sign.text === "-" ? -operand.value : operand.value, range };
    return sign.text === "-" ? this.#node("-", undefined, operand, range) : operand;
  }

  #primary(): DurationOperand {
    const tokens = this.#tokens;
    const token = tokens.current;
    if (tokens.isMark("(")) return this.#parenthesised();
    if (token.kind !== "keyword") return this.#literal();
    if (token.name === "step" || token.name === "range") {
      tokens.take();
      tokens.takeMark("(");
      const close = tokens.takeMark(")");
      return this.#experimentalNode(token.name, undefined, undefined, { start: token.start, end: close.end });
    }
    if (token.name !== "min_of" && token.name !== "max_of") return tokens.unexpected();
    tokens.take();
    tokens.takeMark("(");
    const left = tokens.nested(() => this.binary(1));
    tokens.takeMark(",");
    const right = tokens.nested(() => this.binary(1));
    const close = tokens.takeMark(")");
    return this.#experimentalNode(token.name, left, right, { start: token.start, end: close.end });
  }

  #parenthesised(): DurationOperand {
    const tokens = this.#tokens;
    const open = tokens.take();
    const inner = tokens.nested(() => this.binary(1));
    const close = tokens.takeMark(")");
    this.#requireExperimental(inner.range);
    if (inner.kind === "duration") return { ...inner, wrapped: true };
    return { ...this.#node("+", undefined, inner, { start: open.start, end: close.end }), wrapped: true };
  }

  #literal(): NumberLiteral {
    const literal = parseNumberOrDuration(this.#tokens);
    if (!(Math.abs(literal.value) <= MAX_SECONDS)) {
      throw this.#tokens.error(literal.range, "duration out of range");
    }
    return literal;
  }

  #experimentalNode(
    op: DurationOperator,
    left: DurationOperand | undefined,
    right: DurationOperand | undefined,
    range: Range,
  ): DurationOperand {
    this.#requireExperimental(range);
    return this.#node(op, left, right, range);
  }

  #node(op: DurationOperator, left: DurationOperand | undefined, right: DurationOperand | undefined, range: Range) {
    if (++this.#nodes > MAX_NODES) {
      throw this.#tokens.error(range, `more than ${MAX_NODES} operations in one duration expression`);
    }
    return { kind: "duration", op, ...(left && { left }), ...(right && { right }), wrapped: false, range } as const;
  }

  #requireExperimental(range: Range): void {
    if (!this.#experimental) throw this.#tokens.error(range, "experimental duration expression is not enabled");
  }
}
