import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Label } from "@sightline/model/labels.ts";

/** As Loki's maxStreamLabelsSize allows, but for a server that has other things to do, too. */
const MAX_CHARACTERS = 1024 * 1024;
const SPACE = /[ \t\r\n]*/y;
const NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const QUOTED = /"[^"\\\n]*(?:\\[\s\S][^"\\\n]*)*"|'[^'\\\n]*(?:\\[\s\S][^'\\\n]*)*'|`[^`]*`/y;
const ESCAPE = /\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([\s\S]))/g;
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
};

/**
 * The labels of a stream in the form in which Loki's clients send them, `{name="value", …}`, as its syntax.ParseLabels reads
 * it (strings as in Go, names in quotes may have any characters). Of the same name the last one wins; order is kept.
 * Throws `InvalidInputError` that says where the text goes wrong.
 */
export function parseStreamLabels(text: string): Label[] {
  if (text.length > MAX_CHARACTERS) {
    throw new InvalidInputError(`the labels of a stream are longer than ${MAX_CHARACTERS} characters`);
  }
  return new LabelReader(text).read();
}

class LabelReader {
  readonly #text: string;
  #pos = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Label[] {
    const labels: Label[] = [];
    this.#expect("{");
    while (!this.#accept("}")) {
      const name = this.#take(NAME) ?? this.#string();
      if (name === undefined) throw this.#unexpected("a label's name");
      this.#expect("=");
      const value = this.#string();
      if (value === undefined) throw this.#unexpected("a value in quotes");
      labels.push([name, value]);
      if (this.#accept("}")) break;
      this.#expect(",");
    }
    this.#take(SPACE);
    if (this.#pos < this.#text.length) throw this.#unexpected("the end");
    return labels;
  }

  #string(): string | undefined {
    const start = this.#pos;
    const quoted = this.#take(QUOTED);
    if (quoted === undefined) return undefined;
    const inner = quoted.slice(1, -1);
    if (quoted.startsWith("`") || !inner.includes("\\")) return inner;
    return inner.replaceAll(ESCAPE, (_all, simple, hex, short, long, octal) => {
      if (simple !== undefined) return SIMPLE_ESCAPES[simple] as string;
      const code = octal === undefined ? Number.parseInt(hex ?? short ?? long, 16) : Number.parseInt(octal, 8);
      if (!(code <= 0x10ffff)) {
        this.#pos = start;
        throw this.#unexpected("a string without unknown escapes");
      }
      return String.fromCodePoint(code);
    });
  }

  #expect(text: string): void {
    if (!this.#accept(text)) throw this.#unexpected(JSON.stringify(text));
  }

  #accept(text: string): boolean {
    this.#skipSpace();
    if (!this.#text.startsWith(text, this.#pos)) return false;
    this.#pos += text.length;
    return true;
  }

  #take(pattern: RegExp): string | undefined {
    if (pattern !== SPACE) this.#skipSpace();
    pattern.lastIndex = this.#pos;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#pos += found.length;
    return found;
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#pos;
    this.#pos += SPACE.exec(this.#text)?.[0].length ?? 0;
  }

  #unexpected(wanted: string): InvalidInputError {
    const rest = this.#text.slice(this.#pos, this.#pos + 20);
    const found = rest === "" ? "the end of the text" : JSON.stringify(rest);
    return new InvalidInputError(
      `couldn't parse labels: 1:${this.#pos + 1}: parse error: unexpected ${found}, expected ${wanted}`,
    );
  }
}
