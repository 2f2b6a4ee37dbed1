import { ParseError } from "@sightline/model/errors.ts";

const DOTTED = /(?<!["'`\w.])([A-Za-z_][A-Za-z0-9_:]*)((?:\.[A-Za-z0-9_]+)+)/g;
/** These may be followed by a number that begins with its point. */
const BEFORE_NUMBERS = /^(offset|bool|and|or|unless|atan2)$/i;
const LABEL_LIST = /\b(by|without|on|ignoring|group_left|group_right)\s*\([^()]*$/i;
const MATCHER = /^\s*(=~|!~|!=|=)\s*("[^"]*"|'[^']*')/;
const MAX_LOOK = 10_000;

/**
 * The error with the fix added when it stands where the text has a name with dots but no quotes, as people who come
 * from OpenTelemetry write them.
 */
export function dottedNameHint(text: string, error: ParseError): ParseError | undefined {
  if (text.length > MAX_LOOK) return undefined;
  for (const found of text.matchAll(DOTTED)) {
    const [name, first = "", rest = ""] = found;
    const end = found.index + name.length;
    if (error.position < found.index || error.position > end) continue;
    if (BEFORE_NUMBERS.test(first) && /^\.\d/.test(rest)) continue;
    const fix = fixOf(name, text.slice(0, found.index), text.slice(end), error.message);
    const message = `${error.message}; a name with dots is written in quotes: ${fix}`;
    return new ParseError(message, { position: found.index, end, cause: error });
  }
  return undefined;
}

function fixOf(name: string, before: string, after: string, message: string): string {
  if (message.includes("inside braces")) {
    const [, op = "=", value = '"…"'] = MATCHER.exec(after) ?? [];
    return `{"${name}"${op}${value}}`;
  }
  if (LABEL_LIST.test(before)) return `"${name}"`;
  return /^\s*\{\s*[^\s}]/.test(after) ? `{"${name}", …}` : `{"${name}"}`;
}
