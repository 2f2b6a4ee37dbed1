/**
 * Finds keys and values in a line of JSON without building objects, as Loki's JSON library does (grafana/jsonparser): what
 * comes before a mistake is found, and what is behind the last brace is not looked at.
 */
export type JsonType = "string" | "number" | "boolean" | "null" | "object" | "array";

/** Where a value is; of a string without its quotes. */
export type JsonValue = { type: JsonType; start: number; end: number; hasEscapes: boolean };

/** The JSON is malformed. The message is the library's. Made once: a stack for each broken line would cost more than reading it. */
export class JsonError extends Error {
  override readonly name = "JsonError";
}
export const MALFORMED_JSON = new JsonError("Malformed JSON error");
const MALFORMED_STRING = new JsonError("Value is string, but can't find closing '\"' symbol");
const MALFORMED_ARRAY = new JsonError("Value is array, but can't find closing ']' symbol");
const MALFORMED_OBJECT = new JsonError("Value looks like object, but can't find closing '}' symbol");
export const MALFORMED_ESCAPE = new JsonError("Encountered an invalid escape sequence in a string");
const UNKNOWN_TYPE = new JsonError("Unknown value type");

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;

/** Objects nest so deep at most; what is deeper is passed over. */
const MAX_DEPTH = 128;

/** Blocks whose ends are remembered: a line can have millions. Short ones cost little to walk again. */
const MAX_REMEMBERED = 100_000;
const MIN_REMEMBERED_LENGTH = 32;

/** What is done with each member of an object; false ends the walk. Nested objects are walked by the visitor. */
export type MemberVisitor = (key: string, value: JsonValue) => boolean;

export class JsonScanner {
  #text = "";
  #mayEscape = false;
  #depth = 0;
  /** Ends of the blocks that have been looked for, by their start: nested ones are asked for again, level by level. */
  readonly #ends = new Map<number, number>();

  start(text: string): void {
    this.#text = text;
    this.#mayEscape = text.includes("\\");
    this.#depth = 0;
    if (this.#ends.size > 0) this.#ends.clear();
  }

  text(value: JsonValue): string {
    return this.#text.slice(value.start, value.end);
  }

  /**
   * Visits the members of the object at `from` in their order. False when the visitor ended it. Throws {@link JsonError}
   * where the object is malformed; what came before has been visited.
   */
  eachMember(from: number, visit: MemberVisitor): boolean {
    if (this.#depth >= MAX_DEPTH) return true;
    this.#depth++;
    try {
      return this.#eachMember(from, visit);
    } finally {
      this.#depth--;
    }
  }

  #eachMember(from: number, visit: MemberVisitor): boolean {
    let at = this.#token(from, MALFORMED_OBJECT);
    if (this.#text.charCodeAt(at) !== OPEN_BRACE) throw MALFORMED_OBJECT;
    at = this.#token(at + 1, MALFORMED_JSON);
    for (;;) {
      const code = this.#text.charCodeAt(at);
      if (code === CLOSE_BRACE) return true;
      if (code !== QUOTE) throw MALFORMED_OBJECT;
      const keyEnd = this.stringEnd(at + 1);
      if (keyEnd === -1) throw MALFORMED_JSON;
      const key = this.keyText(at + 1, keyEnd);
      at = this.#token(keyEnd + 1, MALFORMED_JSON);
      if (this.#text.charCodeAt(at) !== COLON) throw MALFORMED_JSON;
      const value = this.value(at + 1);
      if (!visit(key, value)) return false;
      at = this.#token(value.type === "string" ? value.end + 1 : value.end, MALFORMED_ARRAY);
      const next = this.#text.charCodeAt(at);
      if (next === CLOSE_BRACE) return true;
      if (next !== COMMA) throw MALFORMED_OBJECT;
      at = this.#token(at + 1, MALFORMED_ARRAY);
    }
  }

  /** The element of the array at `from`; undefined when there is none. */
  element(from: number, index: number): JsonValue | undefined {
    let at = this.#token(from + 1, MALFORMED_JSON);
    if (this.#text.charCodeAt(at) === CLOSE_BRACKET) return undefined;
    for (let i = 0; ; i++) {
      const value = this.value(at);
      if (i === index) return value;
      at = this.#token(value.type === "string" ? value.end + 1 : value.end, MALFORMED_ARRAY);
      if (this.#text.charCodeAt(at) !== COMMA) return undefined;
      at++;
    }
  }

  /** The value that begins at or after `from`. */
  value(from: number): JsonValue {
    const start = this.#token(from, MALFORMED_JSON);
    const code = this.#text.charCodeAt(start);
    if (code === QUOTE) {
      const end = this.stringEnd(start + 1);
      if (end === -1) throw MALFORMED_STRING;
      return { type: "string", start: start + 1, end, hasEscapes: this.#sawEscape };
    }
    if (code === OPEN_BRACE) return this.#block(start, "object", MALFORMED_OBJECT);
    if (code === OPEN_BRACKET) return this.#block(start, "array", MALFORMED_ARRAY);
    return this.#literal(start, code);
  }

  #block(start: number, type: JsonType, problem: JsonError): JsonValue {
    const end = this.blockEnd(start, type === "object" ? CLOSE_BRACE : CLOSE_BRACKET);
    if (end === -1) throw problem;
    return { type, start, end, hasEscapes: false };
  }

  #literal(start: number, first: number): JsonValue {
    let end = start;
    for (; end < this.#text.length && !endsLiteral(this.#text.charCodeAt(end)); end++);
    const type = literalType(first, this.#text, start, end);
    if (!type) throw UNKNOWN_TYPE;
    return { type, start, end, hasEscapes: false };
  }

  #token(from: number, problem: JsonError): number {
    const at = this.nextToken(from);
    if (at === -1) throw problem;
    return at;
  }

  /** Where the next token is; -1 when there is none. */
  nextToken(from: number): number {
    for (let at = from; at < this.#text.length; at++) {
      const code = this.#text.charCodeAt(at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
    }
    return -1;
  }

  #sawEscape = false;

  /** Of the closing quote; -1 when there is none. */
  stringEnd(from: number): number {
    this.#sawEscape = false;
    if (!this.#mayEscape) return this.#text.indexOf('"', from);
    for (let at = from; ; at++) {
      const quote = this.#text.indexOf('"', at);
      if (quote === -1) return -1;
      let backslashes = quote;
      while (backslashes > from && this.#text.charCodeAt(backslashes - 1) === BACKSLASH) backslashes--;
      if (!this.#sawEscape) this.#sawEscape = this.#hasBackslash(at, quote);
      if ((quote - backslashes) % 2 === 0) return quote;
      at = quote;
    }
  }

  #hasBackslash(from: number, to: number): boolean {
    for (let at = from; at < to; at++) if (this.#text.charCodeAt(at) === BACKSLASH) return true;
    return false;
  }

  /** Of a key between its quotes, which {@link stringEnd} has just found. Throws {@link JsonError}. */
  keyText(start: number, end: number): string {
    const raw = this.#text.slice(start, end);
    if (!this.#sawEscape) return raw;
    const key = unescapeJson(raw);
    if (key === undefined) throw MALFORMED_ESCAPE;
    return key;
  }

  /** Behind the mark that closes the block; counts only marks of its own kind, outside of strings. */
  blockEnd(start: number, close: number): number {
    const known = this.#ends.get(start);
    if (known !== undefined) return known;
    const open = this.#text.charCodeAt(start);
    // Starts of the blocks that are open, as deep as they are entered; of those inside only how many.
    const pending: number[] = [];
    let depth = 0;
    for (let at = start; at < this.#text.length; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === QUOTE) {
        const end = this.stringEnd(at + 1);
        if (end === -1) break;
        at = end;
      } else if (code === open) {
        if (depth++ < MAX_DEPTH) pending.push(at);
      } else if (code === close) {
        if (--depth < MAX_DEPTH) this.#remember(pending.pop() as number, at + 1);
        if (depth === 0) return at + 1;
      }
    }
    for (const unclosed of pending) this.#remember(unclosed, -1);
    return -1;
  }

  #remember(start: number, end: number): void {
    if (this.#ends.size >= MAX_REMEMBERED || (end !== -1 && end - start < MIN_REMEMBERED_LENGTH)) return;
    this.#ends.set(start, end);
  }
}

function endsLiteral(code: number): boolean {
  return (
    code === COMMA ||
    code === CLOSE_BRACE ||
    code === CLOSE_BRACKET ||
    code === 0x20 ||
    code === 0x0a ||
    code === 0x0d ||
    code === 0x09
  );
}

function literalType(first: number, text: string, start: number, end: number): JsonType | undefined {
  if ((first >= 0x30 && first <= 0x39) || first === 0x2d) return "number";
  const length = end - start;
  if (length === 4 && text.startsWith("true", start)) return "boolean";
  if (length === 5 && text.startsWith("false", start)) return "boolean";
  return length === 4 && text.startsWith("null", start) ? "null" : undefined;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** From this length on the engine's own reader is asked first. */
const LONG = 1_000;
const ESCAPE = /\\(?:u([\da-fA-F]{4})(?:\\u([\da-fA-F]{4}))?|([^u]))/sy;

/** Undefined when an escape is not one of JSON's. */
export function unescapeJson(raw: string): string | undefined {
  if (raw.length >= LONG && !raw.includes("\\u")) {
    try {
      return JSON.parse(`"${raw}"`) as string;
    } catch {
      // It has an escape that is none, or what JSON wants escaped: line ends, which pass here.
    }
  }
  let out = "";
  let from = 0;
  for (let at = raw.indexOf("\\"); at !== -1; at = raw.indexOf("\\", from)) {
    ESCAPE.lastIndex = at;
    const match = ESCAPE.exec(raw);
    const escaped = match && (match[3] === undefined ? unicodeEscape(match[1], match[2]) : simpleEscape(match[3]));
    if (!escaped) return undefined;
    out += raw.slice(from, at) + escaped.text;
    from = at + escaped.length;
  }
  return out + raw.slice(from);
}

type Escaped = { readonly text: string; readonly length: number };

function simpleEscape(kind: string): Escaped | undefined {
  const text = ESCAPES[kind];
  return text === undefined ? undefined : { text, length: 2 };
}

/** A surrogate needs another one behind it. */
function unicodeEscape(first = "", second: string | undefined): Escaped | undefined {
  const high = Number.parseInt(first, 16);
  if (high < 0xd800 || high > 0xdfff) return { text: String.fromCharCode(high), length: 6 };
  const low = second === undefined ? 0 : Number.parseInt(second, 16);
  if (low < 0xdc00) return undefined;
  const codePoint = 0x10000 + (high - 0xd800) * 0x400 + (low - 0xdc00);
  const isValid = codePoint >= 0x10000 && codePoint <= 0x10ffff;
  return { text: isValid ? String.fromCodePoint(codePoint) : "\ufffd", length: 12 };
}

/** The text of a string value as a label gets it: "" when an escape is wrong, and no replacement characters. */
export function jsonStringText(raw: string, hasEscapes: boolean): string {
  const text = hasEscapes ? (unescapeJson(raw) ?? "") : raw;
  return text.includes("\ufffd") ? text.replaceAll("\ufffd", " ") : text;
}
