import type { SyntaxNode } from "@lezer/common";
import { InvalidInputError, ParseError } from "@sightline/model/errors.ts";

/** `line 1, col 5` as Loki counts: both from 1. */
function place(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return `line ${before.split("\n").length}, col ${offset - lineStart + 1}`;
}

/** A parse error in Loki's words (logqlmodel.ParseError). */
export function parseError(text: string, offset: number, problem: string, cause?: unknown): ParseError {
  return new ParseError(`parse error at ${place(text, offset)}: ${problem}`, { position: offset, cause });
}

export function syntaxError(text: string, offset: number): ParseError {
  const token = /^\s*("(?:[^"\\]|\\.)*"?|`[^`]*`?|\w+|\S)/.exec(text.slice(offset, offset + 100));
  const at = token ? offset + token[0].length - (token[1]?.length ?? 0) : text.length;
  return parseError(text, at, `syntax error: unexpected ${token?.[1] ?? "$end"}`);
}

/** What the grammar's nodes are called in LogQL's documentation; others are named by their own text. */
const CONSTRUCTS: Readonly<Record<string, string>> = {
  RangeAggregationExpr: "the range aggregation",
  VectorAggregationExpr: "the vector aggregation",
  LabelAggregationExpr: "the label aggregation",
  LabelReplaceExpr: "the function",
  LabelParser: "the parser",
  LogfmtParser: "the parser",
  JsonExpressionParser: "the parser",
  LogfmtExpressionParser: "the parser",
  LabelFilter: "the label filter",
  LineFormatExpr: "the formatter",
  LabelFormatExpr: "the formatter",
  DecolorizeExpr: "the formatter",
  DropLabelsExpr: "the stage",
  KeepLabelsExpr: "the stage",
  FilterOp: "the line filter function",
  Filter: "the line filter",
  BinOpModifier: "the vector matching",
};
const MAX_QUOTED = 60;

/** A construct of LogQL that is valid but not evaluated here yet. */
export function notSupported(text: string, node: SyntaxNode): InvalidInputError {
  const source = text.slice(node.from, node.to);
  const quoted = source.length > MAX_QUOTED ? `${source.slice(0, MAX_QUOTED)}…` : source;
  const construct = CONSTRUCTS[node.name] ?? "the expression";
  return new InvalidInputError(`not supported yet at ${place(text, node.from)}: ${construct} ${quoted}`);
}
