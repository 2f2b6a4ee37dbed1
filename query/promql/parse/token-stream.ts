import type { ParseError } from "@sightline/model/errors.ts";
import type { Range } from "../ast.ts";
import { describe, LexError, Lexer, type Token, type TokenKind } from "./lexer.ts";
import { parseErrorAt } from "./position.ts";
import { RegexBudget } from "./regex-budget.ts";

/** Where the parser is, for messages: `unexpected … in <context>, expected <expected>`. Both may be "". */
export type ParseContext = { readonly context: string; readonly expected: string };
const NO_CONTEXT: ParseContext = { context: "", expected: "" };

/** Nesting that no sensible query reaches; keeps recursion far from the end of the stack. */
const MAX_DEPTH = 500;

/** Tokens one ahead, with the messages of Prometheus' parser. */
export class TokenStream {
  readonly text: string;
  readonly regexes: RegexBudget;
  readonly #lexer: Lexer;
  #current: Token;
  #context: ParseContext = NO_CONTEXT;
  #depth = 0;
  /** End of the last token taken. */
  lastEnd = 0;

  constructor(text: string, regexes = new RegexBudget()) {
    this.text = text;
    this.regexes = regexes;
    this.#lexer = new Lexer(text);
    this.#current = this.#read();
  }

  get current(): Token {
    return this.#current;
  }

  take(): Token {
    const token = this.#current;
    this.lastEnd = token.end;
    this.#current = this.#read();
    return token;
  }

  is(kind: TokenKind, name?: string): boolean {
    return this.#current.kind === kind && (name === undefined || this.#current.name === name);
  }

  isMark(text: string): boolean {
    return this.#current.kind === "mark" && this.#current.text === text;
  }

  takeIf(kind: TokenKind, name: string): Token | undefined {
    return this.is(kind, name) ? this.take() : undefined;
  }

  takeMark(text: string): Token {
    return this.isMark(text) ? this.take() : this.unexpected();
  }

  /** Runs `parse`; what is unexpected inside is reported as being in this context, unless a nearer one is set. */
  within<T>(context: string, expected: string, parse: () => T): T {
    const outer = this.#context;
    this.#context = { context, expected };
    try {
      return parse();
    } finally {
      this.#context = outer;
    }
  }

  nested<T>(parse: () => T): T {
    if (++this.#depth > MAX_DEPTH) {
      throw this.error(this.#current, `expression is nested more than ${MAX_DEPTH} levels deep`);
    }
    try {
      return parse();
    } finally {
      this.#depth--;
    }
  }

  unexpected(): never {
    const { context, expected } = this.#context;
    const where = context === "" ? "" : ` in ${context}`;
    const wanted = expected === "" ? "" : `, expected ${expected}`;
    throw this.error(this.#current, `unexpected ${describe(this.#current)}${where}${wanted}`);
  }

  unexpectedIn(context: string, expected: string): never {
    return this.within(context, expected, () => this.unexpected());
  }

  error(range: Range, reason: string, cause?: unknown): ParseError {
    return parseErrorAt(this.text, range, reason, cause);
  }

  #read(): Token {
    try {
      return this.#lexer.next();
    } catch (error) {
      if (error instanceof LexError) throw this.error(error, error.message);
      throw error;
    }
  }
}
