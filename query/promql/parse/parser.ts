import { quote, unquote } from "@sightline/model/go-quote.ts";
import type { Aggregator, AtModifier, BinaryOperator, Expr, MatrixSelector, Range, VectorSelector } from "../ast.ts";
import type { Token } from "./lexer.ts";
import { parseLength, parseOffset } from "./parse-duration-expr.ts";
import { parseMatchers } from "./parse-matchers.ts";
import { parseGrouping, parseMatching } from "./parse-modifiers.ts";
import { parseNumberOrDuration } from "./parse-number.ts";
import { SIGNATURES } from "./signatures.ts";
import type { TokenStream } from "./token-stream.ts";

/** Binding strength, as the %left and %right lines of Prometheus' generated_parser.y. */
const PRECEDENCE: ReadonlyMap<string, number> = new Map([
  ["or", 1],
  ["and", 2],
  ["unless", 2],
  ...["==", "!=", ">", "<", ">=", "<=", "</", ">/"].map((op) => [op, 3] as const),
  ["+", 4],
  ["-", 4],
  ...["*", "/", "%", "atan2"].map((op) => [op, 5] as const),
  ["^", 6],
]);
/** A sign binds like multiplication, so `-1^2` is `-(1^2)`. */
const UNARY_PRECEDENCE = 5;
/** Keywords that may name a metric where they can't mean anything else. */
const NAME_KEYWORDS = new Set(
  "by fill fill_left fill_right offset without start end step range anchored smoothed max_of min_of".split(" "),
);
const FUNCTION_KEYWORDS = new Set(["start", "end", "step", "range", "max_of", "min_of"]);
const MAX_TIMESTAMP = 2 ** 63;

/**
 * A recursive descent parser of the grammar in Prometheus' promql/parser/generated_parser.y. It stops at the first
 * error with Prometheus' own words. Types are checked afterwards ({@link checkTypes}).
 */
export class Parser {
  readonly #tokens: TokenStream;
  readonly #experimental: boolean;
  #operators = 0;

  constructor(tokens: TokenStream, experimental: boolean) {
    this.#tokens = tokens;
    this.#experimental = experimental;
  }

  /** The whole text. */
  parseAll(): Expr {
    const tokens = this.#tokens;
    if (tokens.is("eof")) throw tokens.error({ start: 0, end: 0 }, "no expression found in input");
    const expr = this.#binary(1);
    if (!tokens.is("eof")) tokens.unexpected();
    return expr;
  }

  /** The whole text as a series selector: neither modifiers nor anything around it. */
  parseSelector(): VectorSelector {
    const tokens = this.#tokens;
    const isName = isMetricName(tokens.current);
    if (!isName && !tokens.isMark("{")) return tokens.unexpected();
    const selector = this.#vectorSelector(isName ? tokens.take() : undefined);
    if (!tokens.is("eof")) tokens.unexpected();
    return selector;
  }

  #binary(minPrecedence: number): Expr {
    const tokens = this.#tokens;
    let left = this.#unary();
    let chain = 0;
    for (;;) {
      const token = tokens.current;
      const precedence = token.kind === "operator" ? (PRECEDENCE.get(token.name) ?? 0) : 0;
      if (precedence === 0 || precedence < minPrecedence) return left;
      if (++chain > MAX_CHAIN) throw tokens.error(token, `more than ${MAX_CHAIN} operators in a row; use parentheses`);
      if (++this.#operators > MAX_OPERATORS)
        throw tokens.error(token, `more than ${MAX_OPERATORS} operators in one query`);
      tokens.take();
      const { bool, matching } = parseMatching(tokens, this.#experimental);
      const right = tokens.nested(() => this.#binary(token.name === "^" ? precedence : precedence + 1));
      const range = { start: left.range.start, end: right.range.end };
      left = { kind: "binary", op: token.name as BinaryOperator, left, right, bool, matching, range };
    }
  }

  #unary(): Expr {
    const tokens = this.#tokens;
    const sign = tokens.current;
    if (sign.kind !== "operator" || (sign.text !== "-" && sign.text !== "+")) return this.#postfix(this.#primary());
    tokens.take();
    const expr = tokens.nested(() => this.#binary(UNARY_PRECEDENCE + 1));
    const range = { start: sign.start, end: expr.range.end };
    if (expr.kind === "number") return { ...expr, value: sign.text === "-" ? -expr.value : expr.value, range };
    return { kind: "unary", op: sign.text, expr, range };
  }

  #primary(): Expr {
    const tokens = this.#tokens;
    const token = tokens.current;
    switch (token.kind) {
      case "number":
      case "duration":
        return parseNumberOrDuration(tokens);
      case "string":
        tokens.take();
        return { kind: "string", value: this.#unquote(token), range: { start: token.start, end: token.end } };
      case "aggregator":
        return this.#aggregateOrMetric();
      case "identifier":
      case "keyword":
        return this.#callOrMetric();
      case "metric":
        return this.#vectorSelector(tokens.take());
      case "operator":
        return isMetricName(token) ? this.#vectorSelector(tokens.take()) : tokens.unexpected();
      case "mark":
        if (token.text === "(") return this.#paren();
        if (token.text === "{") return this.#vectorSelector(undefined);
        return tokens.unexpected();
      case "eof":
        return tokens.unexpected();
    }
  }

  #paren(): Expr {
    const open = this.#tokens.take();
    const expr = this.#tokens.nested(() => this.#binary(1));
    const close = this.#tokens.takeMark(")");
    return { kind: "paren", expr, range: { start: open.start, end: close.end } };
  }

  #callOrMetric(): Expr {
    const tokens = this.#tokens;
    const token = tokens.current;
    if (!isMetricName(token)) return tokens.unexpected();
    tokens.take();
    const callable = token.kind === "identifier" || FUNCTION_KEYWORDS.has(token.name);
    if (!callable || !tokens.isMark("(")) return this.#vectorSelector(token);
    const args = this.#arguments();
    const signature = SIGNATURES.get(token.text);
    if (!signature) throw tokens.error(token, `unknown function with name ${quote(token.text)}`);
    if (signature.experimental && !this.#experimental) {
      throw tokens.error(token, `function ${quote(token.text)} is not enabled`);
    }
    return { kind: "call", func: token.text, args, range: { start: token.start, end: tokens.lastEnd } };
  }

  #arguments(): Expr[] {
    const tokens = this.#tokens;
    tokens.takeMark("(");
    const args: Expr[] = [];
    if (!tokens.isMark(")")) {
      args.push(tokens.nested(() => this.#binary(1)));
      while (tokens.isMark(",")) {
        const comma = tokens.take();
        if (tokens.isMark(")")) throw tokens.error(comma, "trailing commas not allowed in function call args");
        args.push(tokens.nested(() => this.#binary(1)));
      }
    }
    tokens.takeMark(")");
    return args;
  }

  #aggregateOrMetric(): Expr {
    const tokens = this.#tokens;
    const token = tokens.take();
    const aggregates = tokens.isMark("(") || tokens.is("keyword", "by") || tokens.is("keyword", "without");
    if (!aggregates) return endsOperand(tokens) ? this.#vectorSelector(token) : tokens.unexpectedIn("", "");
    return tokens.within("aggregation", "", () => {
      let modifier = parseGrouping(tokens);
      const args = this.#arguments();
      if (!modifier) modifier = parseGrouping(tokens);
      const range = { start: token.start, end: tokens.lastEnd };
      return this.#aggregate(token, args, modifier ?? { grouping: [], without: false }, range);
    });
  }

  #aggregate(
    token: Token,
    args: readonly Expr[],
    modifier: { grouping: readonly string[]; without: boolean },
    range: Range,
  ): Expr {
    const tokens = this.#tokens;
    const op = token.name as Aggregator;
    if (args.length === 0) throw tokens.error(range, "no arguments for aggregate expression provided");
    const wanted = WITH_PARAM.has(op) ? 2 : 1;
    if (EXPERIMENTAL_AGGREGATORS.has(op) && !this.#experimental) {
      throw tokens.error(
        range,
        `${op}() is experimental and must be enabled with --enable-feature=promql-experimental-functions`,
      );
    }
    if (args.length !== wanted) {
      const got = `expected ${wanted}, got ${args.length}`;
      throw tokens.error(range, `wrong number of arguments for aggregate expression provided, ${got}`);
    }
    const expr = args[wanted - 1] as Expr;
    const param = wanted === 2 ? { param: args[0] as Expr } : {};
    return { kind: "aggregate", op, expr, ...param, ...modifier, range };
  }

  #vectorSelector(name: Token | undefined): VectorSelector {
    const tokens = this.#tokens;
    const start = name?.start ?? tokens.current.start;
    const matchers = tokens.isMark("{") ? parseMatchers(tokens) : [];
    if (name) matchers.push({ name: "__name__", op: "=", value: name.text });
    const range = { start, end: tokens.lastEnd };
    return { kind: "vector", name: name?.text ?? "", matchers, offset: 0, range };
  }

  /** Brackets, `offset`, `@`, `anchored` and `smoothed` bind tighter than any operator. */
  #postfix(operand: Expr): Expr {
    const tokens = this.#tokens;
    let expr = operand;
    for (let count = 0; ; count++) {
      if (count > MAX_POSTFIXES) throw tokens.error(tokens.current, `more than ${MAX_POSTFIXES} modifiers in a row`);
      if (tokens.isMark("[")) expr = this.#brackets(expr);
      else if (tokens.isMark("@")) expr = this.#at(expr);
      else if (tokens.is("keyword", "offset")) expr = this.#offset(expr);
      else if (tokens.is("keyword", "anchored") || tokens.is("keyword", "smoothed")) expr = this.#extend(expr);
      else return expr;
    }
  }

  #brackets(expr: Expr): Expr {
    const tokens = this.#tokens;
    const open = tokens.take();
    const operand = "number, duration, step(), or range()";
    const length = tokens.within("subquery or range selector", operand, () => parseLength(tokens, this.#experimental));
    if (tokens.isMark("]")) return this.#matrix(expr, length, { start: open.start, end: tokens.take().end });
    if (!tokens.isMark(":")) return tokens.unexpectedIn("subquery or range", '":" or "]"');
    tokens.take();
    if (tokens.isMark("]")) {
      const range = { start: expr.range.start, end: tokens.take().end };
      return { kind: "subquery", expr, length, offset: 0, range };
    }
    const step = tokens.within("subquery selector", `${operand.replace(" or", "")}, or "]"`, () =>
      parseLength(tokens, this.#experimental),
    );
    if (!tokens.isMark("]")) return tokens.unexpectedIn("subquery selector", '"]"');
    return {
      kind: "subquery",
      expr,
      length,
      step,
      offset: 0,
      range: { start: expr.range.start, end: tokens.take().end },
    };
  }

  #matrix(expr: Expr, length: MatrixSelector["length"], brackets: Range): MatrixSelector {
    if (expr.kind !== "vector") throw this.#tokens.error(brackets, "ranges only allowed for vector selectors");
    if (expr.offset !== 0) throw this.#tokens.error(brackets, "no offset modifiers allowed before range");
    if (expr.at !== undefined) throw this.#tokens.error(brackets, "no @ modifiers allowed before range");
    return { kind: "matrix", vector: expr, length, range: { start: expr.range.start, end: brackets.end } };
  }

  #offset(expr: Expr): Expr {
    const tokens = this.#tokens;
    tokens.take();
    const offset = tokens.within("offset", "number, duration, step(), or range()", () =>
      parseOffset(tokens, this.#experimental),
    );
    const selector = modifiable(expr);
    if (!selector) {
      const allowed = "an instant vector selector or range vector selector or a subquery";
      throw tokens.error(expr.range, `offset modifier must be preceded by ${allowed}`);
    }
    if (selector.offset !== 0) throw tokens.error(expr.range, "offset may not be set multiple times");
    return modified(expr, { offset }, tokens.lastEnd);
  }

  #at(expr: Expr): Expr {
    const tokens = this.#tokens;
    tokens.take();
    const at = tokens.within("@", "timestamp", () => this.#timestamp(expr));
    const selector = modifiable(expr);
    if (!selector) {
      const allowed = "an instant vector selector or range vector selector or a subquery";
      throw tokens.error(expr.range, `@ modifier must be preceded by ${allowed}`);
    }
    if (selector.at !== undefined) throw tokens.error(expr.range, "@ <timestamp> may not be set multiple times");
    return modified(expr, { at }, tokens.lastEnd);
  }

  #timestamp(expr: Expr): AtModifier {
    const tokens = this.#tokens;
    if (tokens.is("keyword", "start") || tokens.is("keyword", "end")) {
      const name = tokens.take().name as "start" | "end";
      tokens.takeMark("(");
      tokens.takeMark(")");
      return name;
    }
    const negative = tokens.is("operator", "-");
    if (negative || tokens.is("operator", "+")) tokens.take();
    const literal = parseNumberOrDuration(tokens).value;
    const seconds = negative ? -literal : literal;
    if (!(Math.abs(seconds) < MAX_TIMESTAMP)) {
      const shown = Number.isFinite(seconds) ? seconds.toFixed(6) : seconds > 0 ? "+Inf" : seconds < 0 ? "-Inf" : "NaN";
      throw tokens.error(expr.range, `timestamp out of bounds for @ modifier: ${shown}`);
    }
    return roundAwayFromZero(seconds * 1000);
  }

  #extend(expr: Expr): Expr {
    const tokens = this.#tokens;
    const extend = tokens.take().name as "anchored" | "smoothed";
    if (!this.#experimental) throw tokens.error(expr.range, `${extend} modifier is experimental and not enabled`);
    if (expr.kind === "subquery") throw tokens.error(expr.range, `${extend} modifier is not supported for subqueries`);
    const selector = expr.kind === "matrix" ? expr.vector : expr;
    if (selector.kind !== "vector") throw tokens.error(expr.range, `${extend} modifier not implemented`);
    if (selector.extend && selector.extend !== extend) {
      throw tokens.error(expr.range, "anchored and smoothed modifiers cannot be used together");
    }
    return expr.kind === "matrix" ? { ...expr, vector: { ...selector, extend } } : { ...selector, extend };
  }

  #unquote(token: Token): string {
    const value = unquote(token.text);
    if (value === undefined)
      throw this.#tokens.error(token, `error unquoting string ${quote(token.text)}: invalid syntax`);
    return value;
  }
}

/** A chain of operators makes a tree as deep as it is long. */
const MAX_CHAIN = 1_000;
/** About 10 µs each to parse, and nobody else gets a turn meanwhile. */
const MAX_OPERATORS = 5_000;
const MAX_POSTFIXES = 100;
const WITH_PARAM: ReadonlySet<Aggregator> = new Set<Aggregator>([
  "topk",
  "bottomk",
  "quantile",
  "count_values",
  "limitk",
  "limit_ratio",
]);
const EXPERIMENTAL_AGGREGATORS: ReadonlySet<Aggregator> = new Set<Aggregator>(["limitk", "limit_ratio"]);

function isMetricName({ kind, name }: Token): boolean {
  switch (kind) {
    case "identifier":
    case "metric":
    case "aggregator":
      return true;
    case "keyword":
      return NAME_KEYWORDS.has(name);
    case "operator":
      return name === "and" || name === "or" || name === "unless";
    default:
      return false;
  }
}

/** What carries the offset and `@` of an expression. */
function modifiable(expr: Expr): Pick<VectorSelector, "offset" | "at"> | undefined {
  if (expr.kind === "matrix") return expr.vector;
  return expr.kind === "vector" || expr.kind === "subquery" ? expr : undefined;
}

function modified(expr: Expr, change: Partial<Pick<VectorSelector, "offset" | "at">>, end: number): Expr {
  const range = { start: expr.range.start, end };
  if (expr.kind === "matrix") return { ...expr, vector: { ...expr.vector, ...change }, range };
  return expr.kind === "vector" || expr.kind === "subquery" ? { ...expr, ...change, range } : expr;
}

/** Can what was read so far be a whole operand? Then an aggregator's name is the name of a metric. */
function endsOperand(tokens: TokenStream): boolean {
  const { kind, text, name } = tokens.current;
  if (kind === "eof" || kind === "operator") return true;
  if (kind === "keyword") return name === "offset" || name === "anchored" || name === "smoothed";
  return kind === "mark" && (text === ")" || text === "," || text === "[" || text === "{" || text === "@");
}

function roundAwayFromZero(value: number): number {
  return value < 0 ? -Math.round(-value) : Math.round(value);
}
