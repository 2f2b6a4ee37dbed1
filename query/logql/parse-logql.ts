import { parser } from "@grafana/lezer-logql";
import type { SyntaxNode, Tree } from "@lezer/common";
import { LimitError } from "@sightline/model/errors.ts";
import { compileMatcher, type Matcher, type MatchOperator } from "@sightline/model/matcher.ts";
import { compileRegex } from "@sightline/model/regex.ts";
import type { LineFilterOperator, LineFilterStage, LogExpr, LogqlExpr, PipelineStage } from "./ast.ts";
import { parseSample } from "./parse-sample.ts";
import { notSupported, parseError, syntaxError } from "./problems.ts";
import { MAX_DEPTH, spine } from "./spine.ts";
import { unquote } from "./unquote.ts";

const NO_MATCHERS =
  'parse error : queries require at least one regexp or equality matcher that does not have an empty-compatible value. For instance, app=~".*" does not meet this requirement, but app=~".+" will';

/**
 * Parses LogQL into our own tree. Throws `ParseError` in Loki's words, `InvalidInputError` naming a construct that is
 * not supported yet, and `LimitError` for a query that is too long.
 */
export function parseLogql(text: string, maxQueryBytes: number): LogqlExpr {
  if (text.length > maxQueryBytes) {
    throw new LimitError(`the query is ${text.length} characters long; query.logs.max_query_bytes is ${maxQueryBytes}`);
  }
  if (isEmptySelector(text)) throw parseErrorWithoutPlace(text);
  const tree = parser.parse(text);
  refuseErrors(tree, text);
  const expr = tree.topNode.getChild("Expr")?.firstChild;
  if (!expr) throw syntaxError(text, text.length);
  if (expr.name === "MetricExpr") return parseSample(expr, text);
  return parseLog(expr, text);
}

/** The matchers of a plain stream selector; `{}` and "" select everything. Throws like {@link parseLogql}. */
export function parseStreamSelector(text: string, maxQueryBytes: number): readonly Matcher[] {
  if (text.trim() === "" || isEmptySelector(text)) return [];
  const expr = parseLogql(text, maxQueryBytes);
  if (expr.kind !== "log" || expr.stages.length > 0) {
    throw parseError(text, 0, "only label matchers are supported");
  }
  return expr.matchers;
}

function isEmptySelector(text: string): boolean {
  return /^\s*\{\s*\}\s*$/.test(text);
}

function parseErrorWithoutPlace(text: string) {
  const error = parseError(text, 0, NO_MATCHERS);
  error.message = NO_MATCHERS;
  return error;
}

function refuseErrors(tree: Tree, text: string): void {
  tree.iterate({
    enter: (node) => {
      if (node.type.isError) throw syntaxError(text, node.from);
    },
  });
}

function parseLog(node: SyntaxNode, text: string, depth = 0): LogExpr {
  if (depth > MAX_DEPTH) throw parseError(text, node.from, `expressions may nest ${MAX_DEPTH} deep`);
  const selector = node.getChild("Selector");
  if (!selector) {
    const inner = node.getChild("LogExpr");
    if (!inner) throw syntaxError(text, node.from);
    return parseLog(inner, text, depth + 1);
  }
  const matchers = spine(selector.getChild("Matchers"), "Matchers").map((matcher) => parseMatcher(matcher, text));
  if (matchers.every((matcher) => compileMatcher(matcher)(""))) throw parseErrorWithoutPlace(text);
  const stages = spine(node.getChild("PipelineExpr"), "PipelineExpr").flatMap((stage) => parseStage(stage, text));
  return { kind: "log", matchers, stages, range: { start: node.from, end: node.to } };
}

function parseMatcher(node: SyntaxNode, text: string): Matcher {
  const name = node.getChild("Identifier");
  const literal = node.getChild("String");
  const operator = name?.nextSibling;
  if (!name || !literal || !operator) throw syntaxError(text, node.from);
  const op = text.slice(operator.from, operator.to) as MatchOperator;
  const value = parseString(literal, text);
  if (op === "=~" || op === "!~") checkRegex(value, literal, text);
  return { name: text.slice(name.from, name.to), op, value };
}

function parseStage(node: SyntaxNode, text: string): PipelineStage[] {
  const filters = node.getChild("LineFilters");
  if (filters) return spine(filters, "LineFilters").map((filter) => parseLineFilter(filter, text));
  const construct = node.lastChild ?? node;
  throw notSupported(text, construct);
}

const LINE_FILTERS: Readonly<Record<string, LineFilterOperator>> = { "|=": "|=", "!=": "!=", "|~": "|~", "!~": "!~" };

function parseLineFilter(node: SyntaxNode, text: string): LineFilterStage {
  const operator = node.getChild("Filter");
  const op = operator ? LINE_FILTERS[text.slice(operator.from, operator.to)] : undefined;
  if (!op) throw notSupported(text, operator ?? node);
  const literals: SyntaxNode[] = [];
  for (let part: SyntaxNode | null = node; part; part = part.getChild("OrFilter")) {
    const func = part.getChild("FilterOp");
    if (func) throw notSupported(text, func);
    const literal = part.getChild("String");
    if (!literal) throw syntaxError(text, part.from);
    literals.push(literal);
  }
  const texts = literals.map((literal) => parseString(literal, text)) as [string, ...string[]];
  if (op === "|~" || op === "!~")
    for (const [i, literal] of literals.entries()) checkRegex(texts[i] ?? "", literal, text);
  return { kind: "line-filter", op, texts, range: { start: node.from, end: node.to } };
}

function parseString(node: SyntaxNode, text: string): string {
  const value = unquote(text.slice(node.from, node.to));
  if (value === undefined) throw parseError(text, node.from, "invalid escape in the string");
  return value;
}

function checkRegex(source: string, node: SyntaxNode, text: string): void {
  try {
    compileRegex(source);
  } catch (cause) {
    throw parseError(text, node.from, (cause as Error).message, cause);
  }
}
