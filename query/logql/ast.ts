import type { Matcher } from "@sightline/model/matcher.ts";

/** Character offsets in the text of the query; `end` is exclusive. */
export type Range = { readonly start: number; readonly end: number };

/** A LogQL query: it gives log lines or it gives samples. Trees are immutable. */
export type LogqlExpr = LogExpr | SampleExpr;

/** A stream selector and what its lines go through, in this order. */
export type LogExpr = {
  readonly kind: "log";
  readonly matchers: readonly Matcher[];
  readonly stages: readonly PipelineStage[];
  readonly range: Range;
};

/** One stage of a pipeline. Parsers, label filters and formatters join line filters here. */
export type PipelineStage = LineFilterStage;

export type LineFilterOperator = "|=" | "!=" | "|~" | "!~";
/** `|= "a" or "b"`: the line passes when one of `texts` is found in it; `!=` and `!~` when none is. */
export type LineFilterStage = {
  readonly kind: "line-filter";
  readonly op: LineFilterOperator;
  readonly texts: readonly [string, ...string[]];
  readonly range: Range;
};

/** An expression that gives samples. Range and vector aggregations join these three here. */
export type SampleExpr = NumberLiteral | VectorExpr | BinaryExpr;
export type NumberLiteral = { readonly kind: "number"; readonly value: number; readonly range: Range };
/** `vector(1)`: one sample without labels. */
export type VectorExpr = { readonly kind: "vector"; readonly value: number; readonly range: Range };

export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%" | "^";
export type ComparisonOperator = "==" | "!=" | ">" | ">=" | "<" | "<=";
export type SetOperator = "and" | "or" | "unless";
export type BinaryOperator = ArithmeticOperator | ComparisonOperator | SetOperator;
export type BinaryExpr = {
  readonly kind: "binary";
  readonly op: BinaryOperator;
  readonly left: SampleExpr;
  readonly right: SampleExpr;
  readonly bool: boolean;
  readonly range: Range;
};
