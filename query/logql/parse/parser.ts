import type { ParseError } from "@sightline/model/errors.ts";
import type {
  BinaryOperator,
  Grouping,
  LogExpr,
  LogqlExpr,
  LogRange,
  NumberLiteral,
  Range,
  RangeOperation,
  SampleExpr,
  Unwrap,
  UnwrapConversion,
  VectorMatching,
  VectorOperation,
} from "../ast.ts";
import { binaryExpr } from "./binary-expr.ts";
import { labelReplaceExpr, rangeAggregation, vectorAggregation } from "./build-aggregations.ts";
import { parseLabelFilter } from "./parse-label-filter.ts";
import { parseSelector } from "./parse-matchers.ts";
import { goNumberProblem, parseGoNumber, parseLiteral } from "./parse-number.ts";
import { parsePipeline } from "./parse-pipeline.ts";
import { parseErrorOf } from "./problems.ts";
import type { TokenStream } from "./token-stream.ts";

/** From loose to tight (Loki's syntax.y); operators of a level associate to the left, `^` to the right. */
const LEVELS: readonly (readonly BinaryOperator[])[] = [
  ["or"],
  ["and", "unless"],
  ["==", "!=", "<", "<=", ">", ">="],
  ["+", "-"],
  ["*", "/", "%"],
  ["^"],
];
export const PRECEDENCE: ReadonlyMap<string, number> = new Map(
  LEVELS.flatMap((operators, level) => operators.map((op) => [op, level] as const)),
);
/** The expression is evaluated by recursion over its operators. */
const MAX_OPERATORS = 1_000;

const VECTOR_OPERATIONS: ReadonlySet<string> = new Set(
  "SUM AVG COUNT MAX MIN STDDEV STDVAR BOTTOMK TOPK SORT SORT_DESC APPROX_TOPK".split(" "),
);
const RANGE_OPERATIONS: ReadonlySet<string> = new Set(
  (
    "COUNT_OVER_TIME RATE RATE_COUNTER BYTES_OVER_TIME BYTES_RATE AVG_OVER_TIME SUM_OVER_TIME MIN_OVER_TIME MAX_OVER_TIME " +
    "STDVAR_OVER_TIME STDDEV_OVER_TIME QUANTILE_OVER_TIME FIRST_OVER_TIME LAST_OVER_TIME ABSENT_OVER_TIME"
  ).split(" "),
);
const CONVERSIONS: ReadonlyMap<string, UnwrapConversion> = new Map([
  ["BYTES_CONV", "bytes"],
  ["DURATION_CONV", "duration"],
  ["DURATION_SECONDS_CONV", "duration_seconds"],
]);

/**
 * Reads Loki's grammar (pkg/logql/syntax/syntax.y) by recursive descent. What is well formed but wrong is noted in
 * `problems` by its expression, as Loki reports it only when the whole query has been read.
 */
export class Parser {
  readonly #tokens: TokenStream;
  readonly problems = new Map<LogqlExpr, ParseError>();
  #operators = 0;

  constructor(tokens: TokenStream) {
    this.#tokens = tokens;
  }

  query(): LogqlExpr {
    const expr = this.#expr(0);
    if (!this.#tokens.is("$end")) this.#tokens.unexpected();
    return expr;
  }

  #from(start: number): Range {
    return { start, end: this.#tokens.lastEnd };
  }

  #expr(minLevel: number): LogqlExpr {
    return this.#tokens.nested(() => {
      let left = this.#primary();
      for (;;) {
        const op = this.#tokens.current.kind as BinaryOperator;
        const level = PRECEDENCE.get(op) ?? -1;
        if (level < minLevel) return left;
        this.#tokens.take();
        if (++this.#operators > MAX_OPERATORS) {
          throw parseErrorOf(this.#tokens.current, `an expression may have ${MAX_OPERATORS} operators`);
        }
        const { bool, matching } = this.#modifier();
        const right = this.#expr(op === "^" ? level : level + 1);
        left = binaryExpr({ op, bool, matching, left, right }, this.problems);
      }
    });
  }

  #primary(): LogqlExpr {
    const tokens = this.#tokens;
    const { kind } = tokens.current;
    if (kind === "{") return this.#log();
    if (kind === "(") {
      tokens.take();
      const inner = this.#expr(0);
      return tokens.takeIf(")") ? inner : tokens.unexpected();
    }
    if (VECTOR_OPERATIONS.has(kind)) return this.#vectorAggregation();
    if (RANGE_OPERATIONS.has(kind)) return this.#rangeAggregation();
    if (kind === "label_replace") return this.#labelReplace();
    if (kind === "VECTOR") return this.#vector();
    if (kind === "NUMBER" || kind === "+" || kind === "-") return this.#number();
    return tokens.unexpected();
  }

  #log(): LogExpr {
    const { start } = this.#tokens.current;
    const matchers = parseSelector(this.#tokens);
    const stages = parsePipeline(this.#tokens);
    // Only a range can be unwrapped.
    if (this.#tokens.is("|")) this.#tokens.take();
    if (this.#tokens.is("unwrap")) this.#tokens.unexpected();
    return { kind: "log", matchers, stages, range: this.#from(start) };
  }

  #number(): NumberLiteral {
    const { value, place, problem } = parseLiteral(this.#tokens);
    const literal: NumberLiteral = { kind: "number", value, range: { start: place.start, end: place.end } };
    if (problem) this.problems.set(literal, problem);
    return literal;
  }

  #vector(): SampleExpr {
    const { start } = this.#tokens.take();
    this.#tokens.expect("(");
    const { text } = this.#tokens.expect("NUMBER");
    this.#tokens.expect(")");
    const value = parseGoNumber(text);
    const expr: SampleExpr = { kind: "vector", value: value ?? 0, range: this.#from(start) };
    if (value === undefined) {
      this.problems.set(
        expr,
        parseErrorOf(expr.range, `unable to parse vectorExpr as a float: ${goNumberProblem(text)}`),
      );
    }
    return expr;
  }

  /** `bool`, `on (…)`, `ignoring (…)`, `group_left (…)`, `group_right (…)` after an operator. */
  #modifier(): { readonly bool: boolean; readonly matching: VectorMatching } {
    const tokens = this.#tokens;
    const bool = tokens.takeIf("bool") !== undefined;
    if (!tokens.is("on", "ignoring")) return { bool, matching: PLAIN_MATCHING };
    const on = tokens.take().kind === "on";
    const labels = this.#labels();
    if (!tokens.is("group_left", "group_right")) return { bool, matching: { ...PLAIN_MATCHING, on, labels } };
    const cardinality = tokens.take().kind === "group_left" ? "many-to-one" : "one-to-many";
    const include = tokens.is("(") ? this.#labels() : [];
    return { bool, matching: { cardinality, on, labels, include } };
  }

  /** `(a, b)` */
  #labels(): readonly string[] {
    const tokens = this.#tokens;
    const labels: string[] = [];
    tokens.expect("(");
    if (tokens.takeIf(")")) return labels;
    if (!tokens.is("IDENTIFIER")) tokens.unexpected("IDENTIFIER", ")");
    do labels.push(tokens.expect("IDENTIFIER").text);
    while (tokens.expect(",", ")").kind === ",");
    return labels;
  }

  #grouping(): Grouping | undefined {
    if (!this.#tokens.is("by", "without")) return undefined;
    const without = this.#tokens.take().kind === "without";
    return { without, labels: this.#labels() };
  }

  /** `5,` before the expression. */
  #parameter(): string | undefined {
    const tokens = this.#tokens;
    if (!tokens.is("NUMBER") || tokens.next.kind !== ",") return undefined;
    const { text } = tokens.take();
    tokens.take();
    return text;
  }

  #samples(): SampleExpr {
    const expr = this.#expr(0);
    return expr.kind === "log" ? this.#tokens.unexpected() : expr;
  }

  #vectorAggregation(): SampleExpr {
    const tokens = this.#tokens;
    const { kind, start } = tokens.take();
    const before = this.#grouping();
    if (!tokens.is("(")) tokens.unexpected(...(before ? ["("] : ["(", "by", "without"]));
    tokens.take();
    const parameter = this.#parameter();
    const expr = this.#samples();
    if (!tokens.takeIf(")")) tokens.unexpected();
    const grouping = before ?? this.#grouping();
    const op = kind.toLowerCase() as VectorOperation;
    return vectorAggregation({ op, parameter, expr, grouping, range: this.#from(start) }, this.problems);
  }

  #labelReplace(): SampleExpr {
    const tokens = this.#tokens;
    const { start } = tokens.take();
    tokens.expect("(");
    const expr = this.#samples();
    const texts: string[] = [];
    for (let i = 0; i < 4; i++) {
      if (i > 0) tokens.expect(",");
      else if (!tokens.takeIf(",")) tokens.unexpected();
      texts.push(tokens.expect("STRING").text);
    }
    tokens.expect(")");
    return labelReplaceExpr(expr, texts as [string, string, string, string], this.#from(start), this.problems);
  }

  #rangeAggregation(): SampleExpr {
    const tokens = this.#tokens;
    const { kind, start } = tokens.take();
    tokens.expect("(");
    if (!tokens.is("NUMBER", "{", "(")) tokens.unexpected("NUMBER", "{", "(");
    const parameter = tokens.takeIf("NUMBER")?.text;
    if (parameter !== undefined) tokens.expect(",");
    const logRange = this.#logRange();
    tokens.expect(")");
    const grouping = this.#grouping();
    const op = kind.toLowerCase() as RangeOperation;
    return rangeAggregation({ op, parameter, logRange, grouping, range: this.#from(start) }, this.problems);
  }

  /** A selector with pipeline, unwrap, range and offset: the range comes right after the selector or at the end. */
  #logRange(): LogRange {
    const tokens = this.#tokens;
    if (!tokens.is("{", "(")) tokens.unexpected("{", "(");
    const parenthesised = tokens.takeIf("(") !== undefined;
    if (parenthesised && tokens.is("(")) return tokens.nested(() => this.#closed(this.#logRange()));
    const { start } = tokens.current;
    if (!tokens.is("{")) tokens.unexpected("{", "(");
    const matchers = parseSelector(tokens);
    const early = this.#interval();
    const stages = parsePipeline(tokens);
    const unwrap = this.#unwrap();
    const log: LogExpr = { kind: "log", matchers, stages, range: this.#from(start) };
    if (early) {
      const logRange = { log, ...early, unwrap };
      return parenthesised ? this.#closed(logRange) : logRange;
    }
    return this.#lateInterval(log, unwrap, parenthesised);
  }

  /** `… )[5m]` or `… [5m])`, and in the first case perhaps stages after the range. */
  #lateInterval(log: LogExpr, unwrap: Unwrap | undefined, parenthesised: boolean): LogRange {
    const tokens = this.#tokens;
    if (!parenthesised) {
      return { log, ...(this.#interval() ?? tokens.unexpected(...(unwrap ? (["RANGE", "|"] as const) : []))), unwrap };
    }
    if (tokens.is("RANGE")) return this.#closed({ log, ...(this.#interval() as Interval), unwrap });
    if (!tokens.takeIf(")")) tokens.unexpected();
    const interval = this.#interval() ?? tokens.unexpected("RANGE");
    // `({a="b"})[5m] | unwrap x`, but no other stages: the grammar has none there.
    const isPlain = log.stages.length === 0 && !unwrap;
    return { log, ...interval, unwrap: isPlain ? this.#unwrap() : unwrap };
  }

  #closed(logRange: LogRange): LogRange {
    this.#tokens.expect(")");
    return logRange;
  }

  /** `[5m] offset 1h` */
  #interval(): Interval | undefined {
    const tokens = this.#tokens;
    if (!tokens.is("RANGE")) return undefined;
    const intervalNs = tokens.take().value;
    return { intervalNs, offsetNs: tokens.takeIf("offset") ? tokens.expect("DURATION").value : 0 };
  }

  /** `| unwrap duration(latency) | __error__=""` */
  #unwrap(): Unwrap | undefined {
    const tokens = this.#tokens;
    if (!tokens.is("|")) return undefined;
    tokens.take();
    tokens.expect("unwrap");
    if (!tokens.is("IDENTIFIER", ...CONVERSIONS.keys())) tokens.unexpected("IDENTIFIER", ...CONVERSIONS.keys());
    const conversion = CONVERSIONS.get(tokens.current.kind);
    if (conversion) {
      tokens.take();
      tokens.expect("(");
    }
    const name = tokens.expect("IDENTIFIER").text;
    if (conversion) tokens.expect(")");
    const filters = [];
    while (tokens.takeIf("|")) filters.push(parseLabelFilter(tokens, "inside"));
    return { name, conversion, filters };
  }
}

type Interval = Pick<LogRange, "intervalNs" | "offsetNs">;
const PLAIN_MATCHING: VectorMatching = { cardinality: "one-to-one", on: false, labels: [], include: [] };
