import type { Matcher } from "@sightline/model/matcher.ts";

/** Character offsets in the text of the query; `end` is exclusive. */
export type Range = { readonly start: number; readonly end: number };

export type ValueType = "none" | "scalar" | "string" | "vector" | "matrix";

/** A PromQL expression. Trees are immutable once parsed; preparing a query for a time range makes a new one. */
export type Expr =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | SubqueryExpr
  | AggregateExpr
  | BinaryExpr
  | UnaryExpr
  | ParenExpr
  | CallExpr
  | StepInvariantExpr;

/** `duration` says that it was written as one (`5m`), which matters only for printing it. Value in seconds then. */
export type NumberLiteral = {
  readonly kind: "number";
  readonly value: number;
  readonly duration: boolean;
  readonly range: Range;
};
export type StringLiteral = { readonly kind: "string"; readonly value: string; readonly range: Range };

/** The moment named by `@`: milliseconds, or the start or end of the query. */
export type AtModifier = number | "start" | "end";

/** A length of time: milliseconds, or an expression over `step()` and `range()` until the query is prepared. */
export type Duration = number | DurationExpr;

export type DurationOperator = "+" | "-" | "*" | "/" | "%" | "^" | "step" | "range" | "min_of" | "max_of";
/** Arithmetic on durations, in seconds. A unary minus or plus has no `left`; `step()` and `range()` have no operands. */
export type DurationExpr = {
  readonly kind: "duration";
  readonly op: DurationOperator;
  readonly left?: DurationOperand;
  readonly right?: DurationOperand;
  readonly wrapped: boolean;
  readonly range: Range;
};
export type DurationOperand = DurationExpr | NumberLiteral;

export type VectorSelector = {
  readonly kind: "vector";
  /** The metric name written before the braces, "" when there is none. Also among the matchers, last. */
  readonly name: string;
  readonly matchers: readonly Matcher[];
  readonly offset: Duration;
  readonly at?: AtModifier;
  readonly extend?: "anchored" | "smoothed";
  /** Set by preparing: of native histograms only count and sum matter, so their buckets need not be kept. */
  readonly statsOnly?: boolean;
  readonly range: Range;
};

export type MatrixSelector = {
  readonly kind: "matrix";
  /** Carries offset, `@` and the extension of the whole. */
  readonly vector: VectorSelector;
  readonly length: Duration;
  readonly range: Range;
};

export type SubqueryExpr = {
  readonly kind: "subquery";
  readonly expr: Expr;
  readonly length: Duration;
  /** Absent: the default step of the engine. */
  readonly step?: Duration;
  readonly offset: Duration;
  readonly at?: AtModifier;
  readonly range: Range;
};

export type Aggregator =
  | "sum"
  | "avg"
  | "count"
  | "min"
  | "max"
  | "group"
  | "stddev"
  | "stdvar"
  | "topk"
  | "bottomk"
  | "count_values"
  | "quantile"
  | "limitk"
  | "limit_ratio";

export type AggregateExpr = {
  readonly kind: "aggregate";
  readonly op: Aggregator;
  readonly expr: Expr;
  readonly param?: Expr;
  readonly grouping: readonly string[];
  readonly without: boolean;
  readonly range: Range;
};

export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%" | "^" | "atan2";
export type ComparisonOperator = "==" | "!=" | ">" | "<" | ">=" | "<=";
export type TrimOperator = "</" | ">/";
export type SetOperator = "and" | "or" | "unless";
export type BinaryOperator = ArithmeticOperator | ComparisonOperator | TrimOperator | SetOperator;

export type Cardinality = "one-to-one" | "many-to-one" | "one-to-many" | "many-to-many";
export type VectorMatching = {
  readonly card: Cardinality;
  readonly on: boolean;
  readonly labels: readonly string[];
  /** Labels that `group_left` or `group_right` takes over from the side of "one". */
  readonly include: readonly string[];
  readonly fillLeft?: number;
  readonly fillRight?: number;
};

export type BinaryExpr = {
  readonly kind: "binary";
  readonly op: BinaryOperator;
  readonly left: Expr;
  readonly right: Expr;
  readonly bool: boolean;
  /** Present when both operands are vectors. */
  readonly matching?: VectorMatching;
  readonly range: Range;
};

export type UnaryExpr = { readonly kind: "unary"; readonly op: "+" | "-"; readonly expr: Expr; readonly range: Range };
export type ParenExpr = { readonly kind: "paren"; readonly expr: Expr; readonly range: Range };
export type CallExpr = {
  readonly kind: "call";
  readonly func: string;
  readonly args: readonly Expr[];
  readonly range: Range;
};
/** Made by preparing only: has the same value at every step, so it is evaluated at the first one. */
export type StepInvariantExpr = { readonly kind: "invariant"; readonly expr: Expr; readonly range: Range };

const SET_OPERATORS: ReadonlySet<string> = new Set<SetOperator>(["and", "or", "unless"]);
const COMPARISONS: ReadonlySet<string> = new Set<ComparisonOperator>(["==", "!=", ">", "<", ">=", "<="]);
const ARITHMETIC: ReadonlySet<string> = new Set<ArithmeticOperator>(["+", "-", "*", "/", "%", "^", "atan2"]);

export function isSetOperator(op: BinaryOperator): op is SetOperator {
  return SET_OPERATORS.has(op);
}
export function isComparison(op: BinaryOperator): op is ComparisonOperator {
  return COMPARISONS.has(op);
}
/** The result of arithmetic is no longer the metric it was computed from, so it loses its name. */
export function isArithmetic(op: BinaryOperator): op is ArithmeticOperator {
  return ARITHMETIC.has(op);
}
