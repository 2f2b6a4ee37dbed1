import type { Matcher } from "@sightline/model/matcher.ts";
import type { Expr } from "../ast.ts";
import { checkTypes } from "./check-types.ts";
import { Parser } from "./parser.ts";
import { parseErrorAt } from "./position.ts";
import { TokenStream } from "./token-stream.ts";

export type ParseOptions = {
  /** Experimental functions and syntax; on unless false. */
  readonly experimental?: boolean;
};

/** Parses and checks a query. Throws `ParseError` with Prometheus' message: `1:6: parse error: …`. */
export function parsePromql(text: string, options: ParseOptions = {}): Expr {
  return checkTypes(text, new Parser(new TokenStream(text), options.experimental ?? true).parseAll());
}

/** The matchers of a series selector, as `match[]` has them. Throws `ParseError`. */
export function parseSelector(text: string): Matcher[] {
  const expr = parsePromql(text);
  if (expr.kind !== "vector" || expr.offset !== 0 || expr.at !== undefined || expr.extend) {
    throw parseErrorAt(text, expr.range, "expected a series selector");
  }
  return [...expr.matchers];
}
