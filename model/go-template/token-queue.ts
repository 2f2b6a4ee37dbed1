/** A part of an action: a word, a sign, a literal, or space. */
export type Token = { readonly text: string; readonly start: number; readonly end: number };

/** Tokens of one action, taken from the front; each in constant time, for an action may have very many. */
export class TokenQueue {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get first(): Token | undefined {
    return this.#tokens[this.#next];
  }

  get length(): number {
    return this.#tokens.length - this.#next;
  }

  shift(): Token | undefined {
    return this.#tokens[this.#next++];
  }

  /** The texts of the next ones that are no space, `count` at most. */
  words(count: number): readonly string[] {
    const words: string[] = [];
    for (let i = this.#next; i < this.#tokens.length && words.length < count; i++) {
      const { text } = this.#tokens[i] as Token;
      if (!/^\s/.test(text)) words.push(text);
    }
    return words;
  }
}
