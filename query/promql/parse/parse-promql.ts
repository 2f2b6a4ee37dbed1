import { ParseError } from "@sightline/model/errors.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { Expr } from "../ast.ts";
import { checkDepth } from "./check-depth.ts";
import { checkTypes } from "./check-types.ts";
import { dottedNameHint } from "./dotted-name-hint.ts";
import { Parser } from "./parser.ts";
import { RegexBudget } from "./regex-budget.ts";
import { TokenStream } from "./token-stream.ts";

export type ParseOptions = {
  /** Experimental functions and syntax; on unless false. */
  readonly experimental?: boolean;
};

/**
 * Parses and checks a query. Throws `ParseError` with Prometheus' message (`1:6: parse error: …`), to which a hint is added
 * where a dotted name lacks its quotes.
 */
export function parsePromql(text: string, options: ParseOptions = {}): Expr {
  try {
    const expr = new Parser(new TokenStream(text), options.experimental ?? true).parseAll();
    return checkTypes(text, checkDepth(text, expr));
  } catch (error) {
    const hint = error instanceof ParseError ? dottedNameHint(text, error) : undefined;
    throw hint ?? error;
  }
}

/**
 * The matchers of a series selector, as `match[]` has them. One that matches everything, `{}`, is let through: who asks
 * knows whether it makes sense. Throws `ParseError`.
 */
export function parseSelector(text: string): Matcher[] {
  return parseSelectors([text])[0] as Matcher[];
}

/** {@link parseSelector} of several, which share the limit for regular expressions. */
export function parseSelectors(texts: readonly string[]): Matcher[][] {
  const regexes = new RegexBudget();
  return texts.map((text) => [...new Parser(new TokenStream(text, regexes), true).parseSelector().matchers]);
}
