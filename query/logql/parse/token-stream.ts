import type { ParseError } from "@sightline/model/errors.ts";
import { Lexer, type Token, type TokenKind } from "./lexer.ts";
import { parseErrorAt, parseErrorOf } from "./problems.ts";

/** Nesting that no sensible query reaches; keeps recursion, here and over the tree, far from the end of the stack. */
const MAX_DEPTH = 500;

/** The tokens of a query, two of them known ahead, and the messages of Loki's parser about those not expected. */
export class TokenStream {
  readonly text: string;
  readonly #lexer: Lexer;
  #current: Token;
  #next: Token | undefined;
  #depth = 0;
  /** End of the last token taken. */
  lastEnd = 0;

  constructor(text: string) {
    this.text = text;
    this.#lexer = new Lexer(text);
    this.#current = this.#lexer.next();
  }

  get current(): Token {
    return this.#current;
  }

  get next(): Token {
    this.#next ??= this.#lexer.next();
    return this.#next;
  }

  is(...kinds: readonly TokenKind[]): boolean {
    return kinds.includes(this.#current.kind);
  }

  take(): Token {
    const token = this.#current;
    this.lastEnd = token.end;
    this.#current = this.#next ?? this.#lexer.next();
    this.#next = undefined;
    return token;
  }

  takeIf(kind: TokenKind): Token | undefined {
    return this.#current.kind === kind ? this.take() : undefined;
  }

  /** The token, which must be one of these kinds: all that Loki's parser could take here, in the order of its grammar. */
  expect(...kinds: readonly TokenKind[]): Token {
    return this.is(...kinds) ? this.take() : this.unexpected(...kinds);
  }

  /** Loki names what it expects when that is no more than four kinds of tokens. */
  unexpected(...expected: readonly TokenKind[]): never {
    const list = expected.length > 0 ? `, expecting ${expected.join(" or ")}` : "";
    const problem = `syntax error: unexpected ${this.#current.kind}${list}`;
    // Where there is nothing there is no place.
    throw this.text === "" ? parseErrorOf(this.#current, problem) : parseErrorAt(this.text, this.#current, problem);
  }

  nested<T>(parse: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw this.tooDeep();
    try {
      return parse();
    } finally {
      this.#depth--;
    }
  }

  tooDeep(): ParseError {
    return parseErrorAt(this.text, this.#current, `expressions may nest ${MAX_DEPTH} deep`);
  }
}
