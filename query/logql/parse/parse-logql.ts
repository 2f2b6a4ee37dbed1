import { LimitError, ParseError } from "@sightline/model/errors.ts";
import { compileMatcher, type Matcher } from "@sightline/model/matcher.ts";
import type { LogqlExpr, SampleExpr } from "../ast.ts";
import { Parser } from "./parser.ts";
import { parseErrorOf } from "./problems.ts";
import { TokenStream } from "./token-stream.ts";

const NO_MATCHERS =
  'queries require at least one regexp or equality matcher that does not have an empty-compatible value. For instance, app=~".*" does not meet this requirement, but app=~".+" will';

/**
 * Parses LogQL into our own tree. Throws `ParseError` in Loki's words, and `LimitError` for a query that is too long.
 * What can be seen only when the stages are made (templates, paths, regular expressions of line filters) is checked later,
 * when they are compiled.
 */
export function parseLogql(text: string, maxQueryBytes: number): LogqlExpr {
  const { expr, problems } = read(text, maxQueryBytes);
  check(expr, problems);
  return expr;
}

/** Of any query, also one that selects every stream and thus could not be asked, for formatters and editors. */
export function parseUnchecked(text: string, maxQueryBytes: number): LogqlExpr {
  return read(text, maxQueryBytes).expr;
}

/** The matchers of a plain stream selector; `{}` and "" select everything. Throws like {@link parseLogql}. */
export function parseStreamSelector(text: string, maxQueryBytes: number): readonly Matcher[] {
  if (text.trim() === "") return [];
  const { expr } = read(text, maxQueryBytes);
  if (expr.kind !== "log" || expr.stages.length > 0) {
    throw new ParseError("only label matchers are supported", { position: 0, end: text.length });
  }
  if (expr.matchers.length > 0) checkMatchers(expr.matchers, expr);
  return expr.matchers;
}

/** As {@link parseStreamSelector}, but `{}`, and whatever else takes every stream, is refused. */
export function parseFilteringSelector(text: string, maxQueryBytes: number): readonly Matcher[] {
  const matchers = parseStreamSelector(text, maxQueryBytes);
  if (text.trim() !== "" && matchers.length === 0) {
    throw parseErrorOf({ start: 0, end: text.length }, NO_MATCHERS);
  }
  return matchers;
}

function read(text: string, maxQueryBytes: number): { expr: LogqlExpr; problems: Map<LogqlExpr, ParseError> } {
  if (text.length > maxQueryBytes) {
    throw new LimitError(`the query is ${text.length} characters long; query.logs.max_query_bytes is ${maxQueryBytes}`);
  }
  const parser = new Parser(new TokenStream(text));
  return { expr: parser.query(), problems: parser.problems };
}

/** Loki's validateExpr: from the outside in, the left before the right. */
function check(expr: LogqlExpr, problems: ReadonlyMap<LogqlExpr, ParseError>): void {
  const problem = problems.get(expr);
  if (problem) throw problem;
  if (expr.kind === "log") checkMatchers(expr.matchers, expr);
  else for (const child of childrenOf(expr)) check(child, problems);
}

function childrenOf(expr: SampleExpr): readonly LogqlExpr[] {
  switch (expr.kind) {
    case "range-aggregation":
      return [expr.logRange.log];
    case "vector-aggregation":
    case "label-replace":
      return [expr.expr];
    case "binary":
      return [expr.left, expr.right];
    default:
      return [];
  }
}

function checkMatchers(matchers: readonly Matcher[], { range }: LogqlExpr): void {
  if (!matchers.some((matcher) => !compileMatcher(matcher)(""))) throw parseErrorOf(range, NO_MATCHERS);
}
