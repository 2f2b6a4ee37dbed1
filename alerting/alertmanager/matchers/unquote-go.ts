const SIMPLE: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
};
const PART =
  /[^\\\n"]+|\\(?:x([0-9a-fA-F]{2})|(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|([0-3][0-7]{2})|([abfnrtv\\"]))/y;

/** A string literal of Go in double quotes to what it means; undefined when it is none, or no UTF-8. */
export function unquoteGo(literal: string): string | undefined {
  const body = literal.slice(1, -1);
  const parts: Buffer[] = [];
  for (let i = 0; i < body.length; ) {
    PART.lastIndex = i;
    const match = PART.exec(body);
    const part = match && meaning(match);
    if (!match || !part) return undefined;
    parts.push(part);
    i += match[0].length;
  }
  // Escapes of bytes can make what no text is.
  const bytes = Buffer.concat(parts);
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? text : undefined;
}

function meaning([whole, hex, short, long, octal, simple]: RegExpExecArray): Buffer | undefined {
  if (hex !== undefined) return Buffer.of(Number.parseInt(hex, 16));
  if (octal !== undefined) return Buffer.of(Number.parseInt(octal, 8));
  if (simple !== undefined) return Buffer.from(SIMPLE[simple] as string);
  const digits = short ?? long;
  if (digits === undefined) return Buffer.from(whole);
  const code = Number.parseInt(digits, 16);
  return code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? undefined : Buffer.from(String.fromCodePoint(code));
}
