import { quote, quoteRune } from "@sightline/model/go-quote.ts";
import { scanNumber } from "./scan-number.ts";

/** `keyword`, `operator` and `aggregator` name themselves in `name`, in lower case; so do the punctuation marks. */
export type TokenKind =
  | "eof"
  | "identifier"
  | "metric"
  | "string"
  | "number"
  | "duration"
  | "keyword"
  | "operator"
  | "aggregator"
  | "mark";
export type Token = {
  readonly kind: TokenKind;
  /** As written. */
  readonly text: string;
  readonly name: string;
  readonly start: number;
  readonly end: number;
};

/** Thrown for text that is no token. Positions are character offsets. */
export class LexError extends Error {
  readonly start: number;
  readonly end: number;
  constructor(message: string, start: number, end: number) {
    super(message);
    this.start = start;
    this.end = end;
  }
}

const WORD_OPERATORS = new Set(["and", "or", "unless", "atan2"]);
const AGGREGATORS = new Set(
  "sum avg count min max group stddev stdvar topk bottomk count_values quantile limitk limit_ratio".split(" "),
);
const KEYWORDS = new Set(
  "offset smoothed anchored by without on ignoring group_left group_right fill fill_left fill_right bool start end step range max_of min_of".split(
    " ",
  ),
);
const DURATION_KEYWORDS = new Set(["step", "range", "max_of", "min_of"]);
const FILL = /^fill(_left|_right)?$/;

const SPACE = /[ \t\r\n]*/y;
const COMMENT = /#[^\r\n]*/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const NAME = /[A-Za-z_:][A-Za-z0-9_:]*/y;
/** Letters and underscores only: what follows a bracket can't be a name. */
const LETTERS = /[A-Za-z_]*/y;
/** Units and numbers in turn; should it end in digits, a unit is missing. */
const DURATION_REST = /[smhdwy]s?(?:[0-9]+[smhdw]s?)*[0-9]*/y;
const WORD_CHARACTER = /[A-Za-z0-9_]/;
/** Marks that Prometheus' parser counts among the operators. */
const OPERATOR_MARKS = new Set(["=~", "!~", "@"]);

/**
 * Splits a query into tokens by the rules of Prometheus' promql/parser/lex.go, whose messages it also gives. What a
 * character means depends on where it stands: inside braces there are no keywords, inside brackets only durations.
 */
export class Lexer {
  readonly #text: string;
  #at = 0;
  #parens = 0;
  #inBraces = false;
  #inBrackets = false;
  #sawColon = false;
  /** A number in brackets: from there on Prometheus' lexer is in the state it has outside of them. */
  #sawNumber = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next token; at the end, again and again `eof`. Throws {@link LexError}. */
  next(): Token {
    this.#skipSpace();
    const char = this.#text[this.#at];
    if (this.#inBraces) return this.#nextInBraces(char);
    if (this.#inBrackets) return this.#nextInBrackets(char);
    return this.#nextOutside(char);
  }

  /** Is the next thing after a token an opening parenthesis? */
  followedByParen(): boolean {
    SPACE.lastIndex = this.#at;
    SPACE.test(this.#text);
    return this.#text[SPACE.lastIndex] === "(";
  }

  #skipSpace(): void {
    for (;;) {
      SPACE.lastIndex = this.#at;
      SPACE.test(this.#text);
      this.#at = SPACE.lastIndex;
      if (this.#text[this.#at] !== "#" || this.#inBrackets) return;
      COMMENT.lastIndex = this.#at;
      COMMENT.test(this.#text);
      this.#at = COMMENT.lastIndex;
    }
  }

  #nextOutside(char: string | undefined): Token {
    if (char === undefined) {
      if (this.#parens > 0) this.#fail("unclosed left parenthesis");
      return this.#token("eof", 0);
    }
    if (/[0-9]/.test(char) || (char === "." && /[0-9]/.test(this.#peek(1) ?? ""))) return this.#numberOrDuration();
    if (/[A-Za-z_:]/.test(char)) return this.#keywordOrName();
    if (char === '"' || char === "'" || char === "`") return this.#string(char);
    switch (char) {
      case ",":
      case "@":
        return this.#token("mark", 1);
      case "*":
      case "/":
      case "%":
      case "+":
      case "-":
      case "^":
        return this.#token("operator", 1);
      case "=":
        if (this.#peek(1) === "~") this.#fail(`unexpected character after '=': ${quoteRune("~")}`, 1);
        return this.#peek(1) === "=" ? this.#token("operator", 2) : this.#token("mark", 1);
      case "!":
        if (this.#peek(1) !== "=") this.#fail(`unexpected character after '!': ${quoteRune(this.#charAt(1))}`, 2);
        return this.#token("operator", 2);
      case "<":
      case ">":
        return this.#token("operator", this.#peek(1) === "=" || this.#peek(1) === "/" ? 2 : 1);
      case "(":
      case ")":
        return this.#paren(char);
      case "{":
        this.#inBraces = true;
        return this.#token("mark", 1);
      case "[":
        this.#inBrackets = true;
        this.#sawColon = false;
        this.#sawNumber = false;
        return this.#token("mark", 1);
      case "]":
        return this.#fail(`unexpected right bracket ${quoteRune("]")}`, 1);
      default:
        return this.#fail(`unexpected character: ${quoteRune(this.#charAt(0))}`, 1);
    }
  }

  #nextInBraces(char: string | undefined): Token {
    if (char === undefined) return this.#fail("unexpected end of input inside braces");
    if (/[A-Za-z_]/.test(char)) return this.#token("identifier", this.#match(WORD));
    if (char === '"' || char === "'" || char === "`") return this.#string(char);
    const next = this.#peek(1);
    switch (char) {
      case ",":
        return this.#token("mark", 1);
      case "=":
        return this.#token("mark", next === "~" ? 2 : 1);
      case "!":
        if (next === "~") return this.#token("mark", 2);
        if (next === "=") return this.#token("operator", 2);
        return this.#fail(`unexpected character after '!' inside braces: ${quoteRune(this.#charAt(1))}`, 2);
      case "{":
        return this.#fail(`unexpected left brace ${quoteRune("{")}`, 1);
      case "}":
        this.#inBraces = false;
        return this.#token("mark", 1);
      default:
        return this.#fail(`unexpected character inside braces: ${quoteRune(this.#charAt(0))}`, 1);
    }
  }

  #nextInBrackets(char: string | undefined): Token {
    if (char === undefined) {
      if (!this.#sawNumber) return this.#fail("unexpected end of input in duration expression");
      return this.#fail(this.#parens > 0 ? "unclosed left parenthesis" : "unclosed left bracket");
    }
    if (/[0-9]/.test(char) || (char === "." && /[0-9]/.test(this.#peek(1) ?? ""))) {
      this.#sawNumber = true;
      return this.#numberOrDuration();
    }
    switch (char) {
      case "]":
        this.#inBrackets = false;
        return this.#token("mark", 1);
      case ":":
        this.#checkColon();
        this.#sawColon = true;
        return this.#token("mark", 1);
      case "(":
      case ")":
        return this.#paren(char);
      case "+":
      case "-":
      case "*":
      case "/":
      case "%":
      case "^":
        return this.#token("operator", 1);
      case ",":
        return this.#token("mark", 1);
      case "[":
        if (this.#sawNumber) return this.#fail(`unexpected left bracket ${quoteRune("[")}`, 1);
    }
    const length = this.#match(LETTERS);
    const word = this.#text.slice(this.#at, this.#at + length).toLowerCase();
    if (!DURATION_KEYWORDS.has(word)) {
      return this.#sawNumber
        ? this.#fail(`unexpected character: ${quoteRune(this.#charAt(0))}, expected ${quoteRune(":")}`, 1)
        : this.#fail(`unexpected character in duration expression: ${quoteRune(this.#charAt(0))}`, 1);
    }
    return this.#token("keyword", length);
  }

  /** What is wrong after a mark was read is reported behind it, as Prometheus does. */
  #checkColon(): void {
    if (!this.#sawNumber) {
      this.#at++;
      this.#fail("unexpected colon before duration in duration expression", 0);
    }
    if (this.#sawColon) this.#fail(`unexpected colon ${quoteRune(":")}`, 1);
  }

  #paren(char: "(" | ")"): Token {
    this.#parens += char === "(" ? 1 : -1;
    if (this.#parens < 0) {
      this.#at++;
      this.#fail(`unexpected right parenthesis ${quoteRune(")")}`, 0);
    }
    return this.#token("mark", 1);
  }

  #keywordOrName(): Token {
    const length = this.#match(NAME);
    const word = this.#text.slice(this.#at, this.#at + length);
    const lower = word.toLowerCase();
    if (lower === "inf" || lower === "nan") return this.#token("number", length);
    if (WORD_OPERATORS.has(lower)) return this.#token("operator", length, lower);
    if (AGGREGATORS.has(lower)) return this.#token("aggregator", length, lower);
    if (KEYWORDS.has(lower)) {
      const token = this.#token("keyword", length, lower);
      // These came late to the language: they are keywords only where nothing else can be meant.
      return FILL.test(lower) && !this.followedByParen() ? { ...token, kind: "identifier", name: word } : token;
    }
    return this.#token(word.includes(":") ? "metric" : "identifier", length);
  }

  #numberOrDuration(): Token {
    const scan = scanNumber(this.#text, this.#at);
    if (scan.ok) return this.#token("number", scan.length);
    DURATION_REST.lastIndex = this.#at + scan.length;
    const rest = DURATION_REST.exec(this.#text);
    const length = scan.length + (rest?.[0].length ?? 0);
    const isWhole = rest !== null && /[a-z]$/.test(rest[0]);
    if (isWhole && !WORD_CHARACTER.test(this.#peek(length) ?? "")) return this.#token("duration", length);
    const shown = this.#text.slice(this.#at, this.#at + length + (isWhole ? 1 : 0));
    return this.#fail(`bad number or duration syntax: ${quote(shown)}`, shown.length);
  }

  #string(mark: string): Token {
    let i = this.#at + 1;
    for (; ; i++) {
      const char = this.#text[i];
      if (char === mark) break;
      if (mark === "`") {
        if (char === undefined) return this.#fail("unterminated raw string");
        continue;
      }
      if (char === undefined || char === "\n") return this.#fail("unterminated quoted string");
      if (char === "\\") i = this.#escape(i + 1, mark);
    }
    // Bytes that are no UTF-8 became U+FFFD on their way here, which Go can't tell from that character either.
    const length = i + 1 - this.#at;
    const text = this.#text.slice(this.#at, this.#at + length);
    if (text.includes("\ufffd") || !text.isWellFormed()) return this.#fail("invalid UTF-8 rune", length);
    return this.#token("string", length);
  }

  /** Checks the escape sequence whose letter is at `at` and gives the offset of its last character. */
  #escape(at: number, mark: string): number {
    const kind = this.#text[at];
    if (kind === undefined) return this.#fail("escape sequence not terminated");
    if (kind === mark || "abfnrtv\\".includes(kind)) return at;
    const octal = kind >= "0" && kind <= "7";
    const length = octal ? 3 : { x: 2, u: 4, U: 8 }[kind];
    if (length === undefined) return this.#fail(`unknown escape sequence ${codePoint(kind)}`);
    const from = octal ? at : at + 1;
    const digit = octal ? /[0-7]/ : /[0-9a-fA-F]/;
    for (let i = from; i < from + length; i++) {
      const char = this.#text[i];
      if (char === undefined) return this.#fail("escape sequence not terminated");
      if (!digit.test(char)) return this.#fail(`illegal character ${codePoint(char)} in escape sequence`);
    }
    const code = Number.parseInt(this.#text.slice(from, from + length), octal ? 8 : 16);
    const max = octal || kind === "x" ? 255 : 0x10ffff;
    if (code > max || (code >= 0xd800 && code < 0xe000)) {
      return this.#fail("escape sequence is an invalid Unicode code point");
    }
    return from + length - 1;
  }

  #peek(ahead: number): string | undefined {
    return this.#text[this.#at + ahead];
  }

  #charAt(ahead: number): string | undefined {
    const code = this.#text.codePointAt(this.#at + ahead);
    return code === undefined ? undefined : String.fromCodePoint(code);
  }

  #match(pattern: RegExp): number {
    pattern.lastIndex = this.#at;
    return pattern.test(this.#text) ? pattern.lastIndex - this.#at : 0;
  }

  #token(kind: TokenKind, length: number, name?: string): Token {
    const start = this.#at;
    this.#at += length;
    const text = this.#text.slice(start, this.#at);
    return { kind, text, name: name ?? text.toLowerCase(), start, end: this.#at };
  }

  /** `length` is how much of the offending text to underline; absent: all the rest. */
  #fail(message: string, length?: number): never {
    throw new LexError(message, this.#at, length === undefined ? this.#text.length : this.#at + length);
  }
}

function codePoint(char: string): string {
  const code = (char.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, "0");
  return `U+${code} ${quoteRune(char)}`;
}

/** A token as Prometheus' parser describes it in `unexpected …`. */
export function describe(token: Token): string {
  switch (token.kind) {
    case "eof":
      return "end of input";
    case "identifier":
      return `identifier ${quote(token.text)}`;
    case "metric":
      return `metric identifier ${quote(token.text)}`;
    case "string":
    case "number":
    case "duration":
      return `${token.kind} ${shorten(token.text)}`;
    case "keyword":
      return `<${token.text}>`;
    case "aggregator":
      return `<aggr:${token.text}>`;
    case "operator":
      return `<op:${token.text}>`;
    case "mark":
      return OPERATOR_MARKS.has(token.text) ? `<op:${token.text}>` : quote(token.text);
  }
}

function shorten(text: string): string {
  return text.length > 10 ? `${quote([...text].slice(0, 10).join(""))}...` : quote(text);
}
