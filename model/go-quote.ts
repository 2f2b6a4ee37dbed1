/** `text` as Go's strconv.Quote prints it (`%q`). */
export function quote(text: string): string {
  let out = '"';
  for (const char of text) out += escapeChar(char, '"');
  return `${out}"`;
}

/** A single character as Go's `%q` prints a rune; undefined stands for the end of input. */
export function quoteRune(char: string | undefined): string {
  return char === undefined ? "'\\uffff'" : `'${escapeChar(char, "'")}'`;
}

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
  ["\\", "\\\\"],
]);
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

function escapeChar(char: string, mark: string): string {
  if (char === mark) return `\\${char}`;
  const short = SHORT_ESCAPES.get(char);
  if (short) return short;
  if (PRINTABLE.test(char)) return char;
  const code = char.codePointAt(0) as number;
  if (code >= LONE_BYTES + 0x80 && code <= LONE_BYTES + 0xff) return `\\x${(code - LONE_BYTES).toString(16)}`;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

const SINGLE_ESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  "\\": 0x5c,
  "'": 0x27,
  '"': 0x22,
};

/**
 * The value of a string literal with its quotes (Prometheus' strutil.Unquote). `\x` and octal escapes give bytes of
 * UTF-8 (see {@link decodeUtf8} for what is none). Undefined when it is not a valid literal.
 */
export function unquote(literal: string): string | undefined {
  const mark = literal[0];
  if (literal.length < 2 || mark !== literal.at(-1)) return undefined;
  const body = literal.slice(1, -1);
  if (mark === "`") return body.includes("`") ? undefined : body;
  if (!body.includes("\\")) return body;
  const bytes: number[] = [];
  for (let i = 0; i < body.length; ) {
    if (body[i] !== "\\") {
      const char = String.fromCodePoint(body.codePointAt(i) as number);
      bytes.push(...Buffer.from(char));
      i += char.length;
      continue;
    }
    const sequence = readEscape(body, i + 1, mark as string);
    if (!sequence) return undefined;
    bytes.push(...sequence.bytes);
    i = sequence.next;
  }
  return decodeUtf8(Uint8Array.from(bytes));
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes that are no UTF-8 become lone surrogates U+DC80…U+DCFF: the text is then not well formed, and not lost. */
function decodeUtf8(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    return Array.from(bytes, (byte) => String.fromCharCode(byte < 0x80 ? byte : LONE_BYTES + byte)).join("");
  }
}
const LONE_BYTES = 0xdc00;

const HEX_LENGTHS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

function readEscape(body: string, at: number, mark: string): { bytes: Iterable<number>; next: number } | undefined {
  const kind = body[at];
  if (kind === undefined) return undefined;
  const hexLength = HEX_LENGTHS[kind];
  if (hexLength !== undefined) {
    const digits = body.slice(at + 1, at + 1 + hexLength);
    if (digits.length < hexLength || !/^[0-9a-fA-F]+$/.test(digits)) return undefined;
    const code = Number.parseInt(digits, 16);
    const next = at + 1 + hexLength;
    if (kind === "x") return { bytes: [code], next };
    return code > 0x10ffff ? undefined : { bytes: Buffer.from(String.fromCodePoint(code)), next };
  }
  if (/[0-7]/.test(kind)) {
    const digits = body.slice(at, at + 3);
    const code = Number.parseInt(digits, 8);
    return /^[0-7]{3}$/.test(digits) && code <= 255 ? { bytes: [code], next: at + 3 } : undefined;
  }
  if ((kind === "'" || kind === '"') && kind !== mark) return undefined;
  const code = SINGLE_ESCAPES[kind];
  return code === undefined ? undefined : { bytes: [code], next: at + 1 };
}
