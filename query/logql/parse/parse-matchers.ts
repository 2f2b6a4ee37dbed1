import type { Matcher, MatchOperator } from "@sightline/model/matcher.ts";
import { compileRegex } from "@sightline/model/regex.ts";
import type { Token } from "./lexer.ts";
import { parseErrorOf, regexProblem } from "./problems.ts";
import type { TokenStream } from "./token-stream.ts";

const OPERATORS = ["=", "=~", "!~", "!="] as const;

/** `{a="b", …}`; empty for `{}`. */
export function parseSelector(tokens: TokenStream): readonly Matcher[] {
  const matchers: Matcher[] = [];
  tokens.expect("{");
  if (tokens.takeIf("}")) return matchers;
  if (!tokens.is("IDENTIFIER")) tokens.unexpected("IDENTIFIER", "}");
  do {
    const name = tokens.expect("IDENTIFIER");
    const op = tokens.expect(...OPERATORS);
    matchers.push(matcherOf(name, op, tokens.expect("STRING")));
  } while (tokens.expect("}", ",").kind === ",");
  return matchers;
}

export function isMatchOperator(op: string): op is MatchOperator {
  return (OPERATORS as readonly string[]).includes(op);
}

/** Throws `ParseError` when the value is no RE2 where it should be. */
export function matcherOf(name: Token, op: Token, value: Token): Matcher {
  if (op.kind === "=~" || op.kind === "!~") checkRegex(value, regexProblem);
  return { name: name.text, op: op.kind as MatchOperator, value: value.text };
}

/** Throws a `ParseError` in the words of `problem` when the string is no RE2. */
export function checkRegex(value: Token, problem: (error: unknown) => string): void {
  try {
    compileRegex(value.text);
  } catch (error) {
    throw parseErrorOf(value, problem(error), error);
  }
}
