const SIMPLE: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
};
const ESCAPE = /\\(?:([abfnrtv\\"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|)/g;

/**
 * The text of a string literal in quotes or backquotes, with Go's escapes (strconv.Unquote). undefined when an escape is
 * not one of them. Bytes written as `\xff` or `\377` are read as UTF-8.
 */
export function unquote(literal: string): string | undefined {
  const inner = literal.slice(1, -1);
  if (literal.startsWith("`")) return inner.replaceAll("\r", "");
  if (!inner.includes("\\")) return inner;
  const parts: Buffer[] = [];
  let end = 0;
  for (const match of inner.matchAll(ESCAPE)) {
    const escaped = escapedBytes(match);
    if (!escaped) return undefined;
    parts.push(Buffer.from(inner.slice(end, match.index)), escaped);
    end = match.index + match[0].length;
  }
  parts.push(Buffer.from(inner.slice(end)));
  return Buffer.concat(parts).toString();
}

function escapedBytes([, simple, hex, octal, short, long]: RegExpMatchArray): Buffer | undefined {
  if (simple !== undefined) return Buffer.from(SIMPLE[simple] as string);
  if (hex !== undefined) return Buffer.from([Number.parseInt(hex, 16)]);
  if (octal !== undefined) {
    const byte = Number.parseInt(octal, 8);
    return byte < 256 ? Buffer.from([byte]) : undefined;
  }
  const codePoint = Number.parseInt(short ?? long ?? "", 16);
  const valid = codePoint <= 0x10ffff && !(codePoint >= 0xd800 && codePoint <= 0xdfff);
  return valid ? Buffer.from(String.fromCodePoint(codePoint)) : undefined;
}
