/** Those of ten thousand rules; what is made of a character takes about 50 bytes. */
const MAX_CHARACTERS = 512 * 1024;
/** Of one text; longer ones are rare. */
const MAX_LENGTH = 2_000;

/** Texts as they were parsed lately: rules and dashboards ask the same ones again and again. */
export class ParsedTexts<T extends object> {
  readonly #parse: (text: string) => T;
  readonly #parsed = new Map<string, T>();
  #characters = 0;

  constructor(parse: (text: string) => T) {
    this.#parse = parse;
  }

  /** Throws as the parser does. What it returns must not be changed. */
  parse(text: string): T {
    const known = this.#parsed.get(text);
    if (known) return known;
    const parsed = this.#parse(text);
    if (text.length > MAX_LENGTH) return parsed;
    this.#parsed.set(text, parsed);
    this.#characters += text.length;
    for (const oldest of this.#parsed.keys()) {
      if (this.#characters <= MAX_CHARACTERS) break;
      this.#parsed.delete(oldest);
      this.#characters -= oldest.length;
    }
    return parsed;
  }
}
