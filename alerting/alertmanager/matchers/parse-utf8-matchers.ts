import { InvalidInputError } from "@sightline/model/errors.ts";
import type { MatchOperator } from "@sightline/model/matcher.ts";
import { type LabelMatcher, labelMatcher } from "./label-matcher.ts";
import { MatcherLexer, type Token, type TokenKind } from "./matcher-lexer.ts";
import { unquoteGo } from "./unquote-go.ts";

const OPERATORS: readonly TokenKind[] = ["=", "!=", "=~", "!~"];
const WORDS: readonly TokenKind[] = ["quoted", "unquoted"];

/** The syntax in which a name can be anything (matcher/parse/parse.go). Throws `InvalidInputError` in Alertmanager's words. */
export function parseUtf8Matchers(text: string): LabelMatcher[] {
  const lexer = new MatcherLexer(text);
  const matchers: LabelMatcher[] = [];
  if (lexer.peek().kind === "end") return matchers;
  const isBraced = lexer.peek().kind === "{";
  if (isBraced) lexer.next();
  while (isBraced ? lexer.peek().kind !== "}" && lexer.peek().kind !== "end" : lexer.peek().kind !== "end") {
    matchers.push(parseMatcher(lexer));
    if (lexer.peek().kind === "end") break;
    const separator = expect(lexer, [",", "}"], "expected a comma or close brace", true);
    if (separator.kind === "}") break;
    lexer.next();
    if (lexer.peek().kind !== "end") {
      expect(lexer, ["}", ...WORDS], "expected a matcher or close brace after comma", true);
    }
    if (lexer.peek().kind === "}") break;
  }
  closeBrace(lexer, isBraced);
  const rest = lexer.next();
  if (rest.kind !== "end") {
    throw new InvalidInputError(`${rest.start}:${rest.end}: ${rest.text}: expected end of input`);
  }
  return matchers;
}

/** Exactly one. */
export function parseUtf8Matcher(text: string): LabelMatcher {
  const [matcher, ...others] = parseUtf8Matchers(text);
  if (!matcher) throw new InvalidInputError("no matchers");
  if (others.length > 0) throw new InvalidInputError(`expected 1 matcher, found ${others.length + 1}`);
  return matcher;
}

function parseMatcher(lexer: MatcherLexer): LabelMatcher {
  const name = unquote(expect(lexer, WORDS, "expected label name"));
  const operator = expect(lexer, OPERATORS, "expected an operator such as '=', '!=', '=~' or '!~'");
  const value = unquote(expect(lexer, WORDS, "expected label value"));
  try {
    return labelMatcher(name, operator.kind as MatchOperator, value);
  } catch (cause) {
    throw new InvalidInputError(`failed to create matcher: ${(cause as Error).message}`, { cause });
  }
}

function closeBrace(lexer: MatcherLexer, isBraced: boolean): void {
  const token = lexer.peek();
  if (isBraced) {
    if (token.kind === "end") throw new InvalidInputError(`0:${token.end}: end of input: expected close brace`);
    if (token.kind === "}") lexer.next();
  } else if (token.kind === "}") {
    throw new InvalidInputError(`0:${token.end}: }: expected opening brace`);
  }
}

function expect(lexer: MatcherLexer, kinds: readonly TokenKind[], message: string, isPeek = false): Token {
  let token: Token;
  try {
    token = lexer.peek();
  } catch (cause) {
    throw new InvalidInputError(`${(cause as Error).message}: ${message}`, { cause });
  }
  if (token.kind === "end") throw new InvalidInputError(`end of input: ${message}`);
  if (!kinds.includes(token.kind)) {
    throw new InvalidInputError(`${token.start}:${token.end}: unexpected ${token.text}: ${message}`);
  }
  return isPeek ? token : lexer.next();
}

function unquote(token: Token): string {
  if (token.kind === "unquoted") return token.text;
  const text = unquoteGo(token.text);
  if (text === undefined) throw new InvalidInputError(`${token.start}:${token.end}: ${token.text}: invalid input`);
  return text;
}
