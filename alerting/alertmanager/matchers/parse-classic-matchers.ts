import { InvalidInputError } from "@sightline/model/errors.ts";
import type { MatchOperator } from "@sightline/model/matcher.ts";
import { type LabelMatcher, labelMatcher } from "./label-matcher.ts";

/** `=~` before `=`: else only the latter is taken. No nesting, so that it takes linear time. */
const HEAD = /^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)/;

/** The syntax before names could be anything (pkg/labels/parse.go). Throws `InvalidInputError` in Alertmanager's words. */
export function parseClassicMatchers(text: string): LabelMatcher[] {
  return splitMatchers(text.replace(/^\{/, "").replace(/\}$/, "")).map(parseClassicMatcher);
}

function splitMatchers(text: string): string[] {
  const tokens: string[] = [];
  let token = "";
  let isQuoted = false;
  let isEscaped = false;
  for (const character of text) {
    if (character === "," && !isQuoted) {
      tokens.push(token);
      token = "";
      continue;
    }
    if (character === '"' && !isEscaped) isQuoted = !isQuoted;
    isEscaped = character === "\\" && !isEscaped;
    token += character;
  }
  if (token.trim() !== "") tokens.push(token.trim());
  return tokens;
}

export function parseClassicMatcher(text: string): LabelMatcher {
  const head = HEAD.exec(text);
  if (!head) throw new InvalidInputError(`bad matcher format: ${text}`);
  const raw = text.slice(head[0].length).trim();
  return labelMatcher(head[1] as string, head[2] as MatchOperator, unescapeValue(raw));
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", '"': '"', "\\": "\\" };

function unescapeValue(raw: string): string {
  const wrong = () => new InvalidInputError(`matcher value contains unescaped double quote: ${raw}`);
  const isQuoted = raw.startsWith('"');
  const body = isQuoted ? raw.slice(1) : raw;
  let isClosed = !isQuoted;
  let value = "";
  for (let i = 0; i < body.length; i++) {
    const character = body[i] as string;
    if (character === "\\" && i < body.length - 1) {
      const next = body[++i] as string;
      // Any other is not an escape: the backslash stands for itself.
      value += ESCAPES[next] ?? `\\${next}`;
    } else if (character === '"') {
      if (isClosed || i < body.length - 1) throw wrong();
      isClosed = true;
    } else value += character;
  }
  if (!isClosed) throw wrong();
  return value;
}
