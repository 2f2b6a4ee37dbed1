import { InvalidInputError } from "@sightline/model/errors.ts";

export type TokenKind = "{" | "}" | "," | "=" | "!=" | "=~" | "!~" | "quoted" | "unquoted" | "end";
/** `start` and `end` count characters, not bytes: they are shown. */
export type Token = { readonly kind: TokenKind; readonly text: string; readonly start: number; readonly end: number };

const RESERVED = /[\s{}!=~,\\"'`]/u;

/** Splits matchers in the syntax in which a name can be anything (matcher/parse/lexer.go). */
export class MatcherLexer {
  readonly #characters: readonly string[];
  #position = 0;
  #peeked: Token | undefined;

  constructor(text: string) {
    this.#characters = [...text];
  }

  /** Throws `InvalidInputError` for what is no token. */
  peek(): Token {
    this.#peeked ??= this.#scan();
    return this.#peeked;
  }

  next(): Token {
    const token = this.peek();
    this.#peeked = undefined;
    return token;
  }

  #scan(): Token {
    while (/\s/u.test(this.#at(this.#position))) this.#position++;
    const start = this.#position;
    const character = this.#at(start);
    if (character === "") return this.#token("end", start);
    if (character === "{" || character === "}" || character === ",") {
      this.#position++;
      return this.#token(character, start);
    }
    if (character === "=" || character === "!") return this.#operator(start);
    if (character === '"') return this.#quoted(start);
    if (RESERVED.test(character)) {
      this.#position++;
      throw new InvalidInputError(`${start}:${start + 1}: ${character}: invalid input`);
    }
    while (this.#at(this.#position) !== "" && !RESERVED.test(this.#at(this.#position))) this.#position++;
    return this.#token("unquoted", start);
  }

  #operator(start: number): Token {
    const first = this.#at(start);
    const second = this.#at(start + 1);
    if (second === "~" || (first === "!" && second === "=")) {
      this.#position = start + 2;
      return this.#token(`${first}${second}` as TokenKind, start);
    }
    this.#position = start + 1;
    if (first === "=") return this.#token("=", start);
    const where = `${start}:${start + 1}: `;
    if (second === "") throw new InvalidInputError(`${where}unexpected end of input, expected one of '=~'`);
    throw new InvalidInputError(`${where}!: expected one of '=~'`);
  }

  #quoted(start: number): Token {
    let end = start + 1;
    while (this.#at(end) !== '"') {
      if (this.#at(end) === "") {
        this.#position = end;
        throw new InvalidInputError(`${start}:${end}: ${this.#characters.slice(start, end).join("")}: missing end "`);
      }
      end += this.#at(end) === "\\" && this.#at(end + 1) !== "" ? 2 : 1;
    }
    this.#position = end + 1;
    return this.#token("quoted", start);
  }

  #token(kind: TokenKind, start: number): Token {
    const text = this.#characters.slice(start, this.#position).join("");
    return { kind, text, start, end: this.#position };
  }

  #at(position: number): string {
    return this.#characters[position] ?? "";
  }
}
