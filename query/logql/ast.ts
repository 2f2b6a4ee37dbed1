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

// ---- stages --------------------------------------------------------------------------------------------------------

export type PipelineStage =
  | LineFilterStage
  | LabelFilterStage
  | JsonStage
  | LogfmtStage
  | RegexpStage
  | PatternStage
  | UnpackStage
  | LineFormatStage
  | LabelFormatStage
  | DecolorizeStage
  | DropStage
  | KeepStage;

export type LineFilterOperator = "|=" | "!=" | "|~" | "!~" | "|>" | "!>";
/** `text`, or an address, network or range of addresses that some address in the line must belong to. */
export type LineFilterOperand = { readonly text: string; readonly isIp: boolean };
/** `|= "a" or "b"`: the line passes when one of them is found in it; with `!=`, `!~` and `!>` when none is. */
export type LineFilterStage = {
  readonly kind: "line-filter";
  readonly op: LineFilterOperator;
  readonly operands: readonly [LineFilterOperand, ...LineFilterOperand[]];
  readonly range: Range;
};

export type LabelFilterStage = { readonly kind: "label-filter"; readonly filter: LabelFilter; readonly range: Range };
export type NumberOperator = "==" | "!=" | ">" | ">=" | "<" | "<=";
/** Compares the label's value, read as a number, a duration (`value` in ns) or a size (`value` in bytes). */
export type ComparingFilter = {
  readonly kind: "number" | "duration" | "bytes";
  readonly name: string;
  readonly op: NumberOperator;
  readonly value: number;
};
export type LabelFilter =
  | { readonly kind: "and" | "or"; readonly left: LabelFilter; readonly right: LabelFilter }
  | { readonly kind: "matcher"; readonly matcher: Matcher }
  | { readonly kind: "ip"; readonly name: string; readonly op: "=" | "!="; readonly pattern: string }
  | ComparingFilter;

/** `name="path"`: the value at the path becomes the label. */
export type Extraction = { readonly name: string; readonly path: string };
/** Without extractions everything in the line becomes labels. */
export type JsonStage = { readonly kind: "json"; readonly extractions: readonly Extraction[]; readonly range: Range };
export type LogfmtStage = {
  readonly kind: "logfmt";
  readonly strict: boolean;
  readonly keepEmpty: boolean;
  readonly extractions: readonly Extraction[];
  readonly range: Range;
};
export type RegexpStage = { readonly kind: "regexp"; readonly source: string; readonly range: Range };
export type PatternStage = { readonly kind: "pattern"; readonly pattern: string; readonly range: Range };
export type UnpackStage = { readonly kind: "unpack"; readonly range: Range };
export type LineFormatStage = { readonly kind: "line-format"; readonly template: string; readonly range: Range };
/** Gives the label `name` the value of another label, which goes away, or the output of a template. */
export type LabelFormat =
  | { readonly kind: "rename"; readonly name: string; readonly from: string }
  | { readonly kind: "template"; readonly name: string; readonly template: string };
export type LabelFormatStage = {
  readonly kind: "label-format";
  readonly formats: readonly LabelFormat[];
  readonly range: Range;
};
export type DecolorizeStage = { readonly kind: "decolorize"; readonly range: Range };
/** A label by its name, or only where its value matches. */
export type LabelPick = { readonly name: string; readonly matcher?: Matcher | undefined };
export type DropStage = { readonly kind: "drop"; readonly labels: readonly LabelPick[]; readonly range: Range };
export type KeepStage = { readonly kind: "keep"; readonly labels: readonly LabelPick[]; readonly range: Range };

// ---- samples -------------------------------------------------------------------------------------------------------

export type SampleExpr =
  | NumberLiteral
  | VectorExpr
  | RangeAggregationExpr
  | VectorAggregationExpr
  | BinaryExpr
  | LabelReplaceExpr;

export type NumberLiteral = { readonly kind: "number"; readonly value: number; readonly range: Range };
/** `vector(1)`: one sample without labels. */
export type VectorExpr = { readonly kind: "vector"; readonly value: number; readonly range: Range };

export type UnwrapConversion = "bytes" | "duration" | "duration_seconds";
export type Unwrap = {
  readonly name: string;
  /** Absent: the value is read as a number. */
  readonly conversion?: UnwrapConversion | undefined;
  readonly filters: readonly LabelFilter[];
};
/** What a range aggregation looks at: lines of so many ns up to each step, shifted into the past by `offsetNs`. */
export type LogRange = {
  readonly log: LogExpr;
  readonly intervalNs: number;
  readonly offsetNs: number;
  readonly unwrap?: Unwrap | undefined;
};
export type RangeOperation =
  | "count_over_time"
  | "rate"
  | "rate_counter"
  | "bytes_over_time"
  | "bytes_rate"
  | "avg_over_time"
  | "sum_over_time"
  | "min_over_time"
  | "max_over_time"
  | "stdvar_over_time"
  | "stddev_over_time"
  | "quantile_over_time"
  | "first_over_time"
  | "last_over_time"
  | "absent_over_time";
export type RangeAggregationExpr = {
  readonly kind: "range-aggregation";
  readonly op: RangeOperation;
  /** The quantile of `quantile_over_time`. */
  readonly parameter?: number | undefined;
  readonly logRange: LogRange;
  readonly grouping?: Grouping | undefined;
  readonly range: Range;
};

export type Grouping = { readonly without: boolean; readonly labels: readonly string[] };
export type VectorOperation =
  | "sum"
  | "avg"
  | "count"
  | "max"
  | "min"
  | "stddev"
  | "stdvar"
  | "bottomk"
  | "topk"
  | "sort"
  | "sort_desc"
  | "approx_topk";
export type VectorAggregationExpr = {
  readonly kind: "vector-aggregation";
  readonly op: VectorOperation;
  /** Of `topk`, `bottomk` and `approx_topk`; else 0. */
  readonly parameter: number;
  readonly grouping: Grouping;
  readonly expr: SampleExpr;
  readonly range: Range;
};

export type LabelReplaceExpr = {
  readonly kind: "label-replace";
  readonly expr: SampleExpr;
  readonly target: string;
  readonly replacement: string;
  readonly source: string;
  readonly regex: string;
  readonly range: Range;
};

export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%" | "^";
export type ComparisonOperator = "==" | "!=" | ">" | ">=" | "<" | "<=";
export type SetOperator = "and" | "or" | "unless";
export type BinaryOperator = ArithmeticOperator | ComparisonOperator | SetOperator;
export type VectorMatching = {
  readonly cardinality: "one-to-one" | "many-to-one" | "one-to-many";
  /** `on`: only these labels must be equal; else all but these. */
  readonly on: boolean;
  readonly labels: readonly string[];
  /** Labels of the "one" side that the result gets. */
  readonly include: readonly string[];
};
/** At most one side is a number. */
export type BinaryExpr = {
  readonly kind: "binary";
  readonly op: BinaryOperator;
  readonly left: SampleExpr;
  readonly right: SampleExpr;
  readonly bool: boolean;
  readonly matching: VectorMatching;
  readonly range: Range;
};
