import { quote, unquote } from "@sightline/model/go-quote.ts";
import type { Matcher, MatchOperator } from "@sightline/model/matcher.ts";
import { compileRegex } from "@sightline/model/regex.ts";
import type { Token } from "./lexer.ts";
import type { TokenStream } from "./token-stream.ts";

/** The matchers in braces; the current token is the opening one. Regular expressions are compiled to check them. */
export function parseMatchers(tokens: TokenStream): Matcher[] {
  tokens.takeMark("{");
  const matchers: Matcher[] = [];
  while (!tokens.isMark("}")) {
    matchers.push(parseMatcher(tokens));
    if (tokens.isMark("}")) break;
    if (!tokens.isMark(",")) tokens.unexpectedIn("label matching", '"," or "}"');
    tokens.take();
  }
  tokens.take();
  return matchers;
}

function parseMatcher(tokens: TokenStream): Matcher {
  const name = tokens.current;
  if (name.kind !== "identifier" && name.kind !== "string") tokens.unexpectedIn("label matching", 'identifier or "}"');
  tokens.take();
  const text = name.kind === "string" ? unquoted(tokens, name) : name.text;
  const op = matchOperator(tokens.current);
  if (!op) {
    if (name.kind === "string") return { name: "__name__", op: "=", value: text };
    return tokens.unexpectedIn("label matching", "label matching operator");
  }
  tokens.take();
  const literal = tokens.current;
  if (literal.kind !== "string") return tokens.unexpectedIn("label matching", "string");
  tokens.take();
  const matcher = { name: text, op, value: unquoted(tokens, literal) };
  if (op === "=~" || op === "!~") checkRegex(tokens, matcher.value, { start: name.start, end: literal.end });
  return matcher;
}

function matchOperator(token: Token): MatchOperator | undefined {
  const { text } = token;
  return text === "=" || text === "!=" || text === "=~" || text === "!~" ? text : undefined;
}

function unquoted(tokens: TokenStream, token: Token): string {
  const value = unquote(token.text);
  if (value === undefined) throw tokens.error(token, `error unquoting string ${quote(token.text)}: invalid syntax`);
  return value;
}

function checkRegex(tokens: TokenStream, source: string, range: { start: number; end: number }): void {
  try {
    tokens.regexes.take(source, compileRegex(source).isList);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    // Prometheus names the fault alone, of the expression as it was written.
    const fault = /error parsing regexp: .*/s.exec(message)?.[0] ?? message;
    throw tokens.error(range, fault.replace(/`\(\?s:(.*)\)`$/s, "`$1`"), cause);
  }
}
