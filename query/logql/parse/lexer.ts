import { parseGoDuration, parsePrometheusDuration } from "@sightline/model/go-duration.ts";
import { unquote } from "@sightline/model/go-quote.ts";
import { parseHumanBytes } from "./go-bytes.ts";
import { type Place, parseErrorAt } from "./problems.ts";

/** Tokens that carry a value, in Loki's names for them; all others are named by themselves (`|=`, `by`, `SUM`). */
export type TokenKind = string;
export type Token = Place & {
  readonly kind: TokenKind;
  /** An identifier, number or flag as it was written; a string without its quotes. */
  readonly text: string;
  /** Of DURATION and RANGE in ns, of BYTES in bytes. */
  readonly value: number;
};
export const END = "$end";

/** Words and marks that always are what they are, in any case (`tokens` in Loki's syntax/lex.go). */
const KEYWORDS: ReadonlySet<string> = new Set(
  (
    ", . { } = != =~ !~ !> |= |~ |> | unwrap ( ) by without bool [ ] offset on ignoring group_left group_right " +
    "or and unless + - * / % ^ == > >= < <= json regexp logfmt unpack pattern label_format line_format decolorize drop keep"
  ).split(" "),
);
/** Names that are functions only before a parenthesis or a grouping; labels elsewhere. By what messages call them. */
const FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ...(
    "rate rate_counter count_over_time bytes_rate bytes_over_time avg_over_time sum_over_time min_over_time max_over_time " +
    "stdvar_over_time stddev_over_time quantile_over_time first_over_time last_over_time absent_over_time vector sum avg " +
    "max min count stddev stdvar bottomk topk sort sort_desc approx_topk"
  )
    .split(" ")
    .map((name) => [name, name.toUpperCase()] as const),
  ["label_replace", "label_replace"],
  ["ip", "ip"],
  ["bytes", "BYTES_CONV"],
  ["duration", "DURATION_CONV"],
  ["duration_seconds", "DURATION_SECONDS_CONV"],
]);

const SPACE = /[\t\n\r ]+|#[^\n]*|\/\/[^\n]*|\/\*.*?\*\//sy;
const IDENTIFIER = /[\p{L}_][\p{L}\p{Nd}_]*/uy;
const NUMBER =
  /0[xX][\da-fA-F_]+(?:\.[\da-fA-F_]*)?(?:[pP][+-]?\d+)?|0[bBoO][\d_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y;
const DURATION_TAIL = /[\p{N}nuµmshdwy.]+/uy;
const BYTES_TAIL = /[\p{N}BikKMGTP.]+/uy;
const FLAG = /--(?:strict|keep-empty)(?![\p{L}-])/uy;
const CALL = /\s*(?:\(|(?:by|without)\s*\()/iy;
const STRING = /"(?:[^"\\\n]|\\[^\n])*"/y;
/** What Go says first of a text that is not closed either. */
const BAD_ESCAPE =
  /^"(?:[^"\\]|\\(?:[abfnrtv\\"]|[0-7]{3}|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}))*\\(?![abfnrtv\\"]|[0-7]{3}|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8})/;
const RAW_STRING = /`[^`]*`/y;
const CHARACTER = /'(?:[^'\\\n]|\\[^\n])*'?/y;

/** Splits a query into tokens as Loki's syntax/lex.go does. Throws `ParseError` in its words. */
export class Lexer {
  readonly text: string;
  #at = 0;

  constructor(text: string) {
    this.text = text;
  }

  next(): Token {
    while (this.#match(SPACE) !== undefined);
    const start = this.#at;
    const first = this.text[start];
    if (first === undefined) return this.#token(END, start);
    if (first === '"' || first === "`") return this.#string(start, first === '"' ? STRING : RAW_STRING);
    if (first === "[") return this.#range(start);
    if (first === "'") return this.#character(start);
    if (first === "-") return this.#minus(start);
    const number = this.#match(NUMBER);
    if (number !== undefined) return this.#number(start, number);
    const word = this.#match(IDENTIFIER);
    return word === undefined ? this.#mark(start) : this.#word(start, word);
  }

  #match(pattern: RegExp, at = this.#at): string | undefined {
    pattern.lastIndex = at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) return undefined;
    this.#at = at + found.length;
    return found;
  }

  #token(kind: TokenKind, start: number, text = "", value = 0, lineForgotten = false): Token {
    return { kind, start, end: this.#at, text, value, lineForgotten };
  }

  #string(start: number, pattern: RegExp): Token {
    const literal = this.#match(pattern);
    if (literal === undefined) {
      const isEscaped = pattern === STRING && BAD_ESCAPE.test(this.text.slice(start).split("\n", 1)[0] as string);
      throw this.#error(start, isEscaped ? "invalid char escape" : "literal not terminated");
    }
    const value = literal.startsWith("`") ? literal.slice(1, -1).replaceAll("\r", "") : unquote(literal);
    if (value === undefined) throw this.#error(start, "invalid char escape");
    return this.#token("STRING", start, value);
  }

  /** In Go these hold one character; for LogQL they are nothing. */
  #character(start: number): Token {
    const literal = this.#match(CHARACTER) as string;
    if (!/^'(?:.|\\.)'$/u.test(literal)) throw this.#error(start, "invalid char literal");
    return this.#token("IDENTIFIER", start, literal);
  }

  #range(start: number): Token {
    const close = this.text.indexOf("]", start);
    if (close === -1) throw this.#error(start, "missing closing ']' in duration", true);
    const duration = parsePrometheusDuration(this.text.slice(start + 1, close));
    if ("error" in duration) throw this.#error(start, duration.error, true);
    this.#at = close + 1;
    return this.#token("RANGE", start, "", duration.ns, true);
  }

  #minus(start: number): Token {
    const flag = this.#match(FLAG);
    if (flag !== undefined) return this.#token("FUNCTION_FLAG", start, flag, 0, true);
    this.#at = start + 1;
    return this.#duration(start) ?? this.#token("-", start, "-");
  }

  #number(start: number, text: string): Token {
    const problem = this.#numberProblem(text);
    if (problem !== undefined) throw this.#error(start, problem);
    return this.#duration(start) ?? this.#bytes(start) ?? this.#token("NUMBER", start, text);
  }

  /** What Go's scanner says of a number with a letter behind it, or with digits that it can't have. */
  #numberProblem(text: string): string | undefined {
    if (/^[eE]./s.test(this.text.slice(this.#at, this.#at + 2))) return "exponent has no digits";
    const wrong = /^0[0-7_]*([89])[\d_]*$/.exec(text)?.[1];
    return wrong === undefined ? undefined : `invalid digit '${wrong}' in octal literal`;
  }

  /** What was read since `start` and more characters, if these are a duration together. */
  #duration(start: number): Token | undefined {
    const before = this.#at;
    if (this.#match(DURATION_TAIL) === undefined) return undefined;
    const text = this.text.slice(start, this.#at);
    const first = parsePrometheusDuration(text);
    const duration = "error" in first ? parseGoDuration(text) : first;
    if ("ns" in duration) return this.#token("DURATION", start, text, duration.ns, true);
    this.#at = before;
    return undefined;
  }

  #bytes(start: number): Token | undefined {
    const before = this.#at;
    if (this.#match(BYTES_TAIL) === undefined) return undefined;
    const text = this.text.slice(start, this.#at);
    const size = parseHumanBytes(text);
    if ("bytes" in size) return this.#token("BYTES", start, text, size.bytes, true);
    this.#at = before;
    return undefined;
  }

  #word(start: number, word: string): Token {
    const lower = word.toLowerCase();
    const func = FUNCTIONS.get(lower);
    if (func !== undefined) {
      CALL.lastIndex = this.#at;
      return CALL.test(this.text) ? this.#token(func, start, lower) : this.#token("IDENTIFIER", start, word);
    }
    return KEYWORDS.has(lower) ? this.#token(lower, start, word) : this.#token("IDENTIFIER", start, word);
  }

  #mark(start: number): Token {
    const pair = this.text.slice(start, start + 2);
    if (pair.length === 2 && KEYWORDS.has(pair)) {
      this.#at = start + 2;
      return this.#token(pair, start, pair, 0, true);
    }
    const single = String.fromCodePoint(this.text.codePointAt(start) as number);
    this.#at = start + single.length;
    return this.#token(KEYWORDS.has(single) ? single : "IDENTIFIER", start, single);
  }

  #error(start: number, problem: string, lineForgotten = false) {
    return parseErrorAt(this.text, { start, end: this.text.length, lineForgotten }, problem);
  }
}
