/** Longer counted repetitions make large automata. */
const MAX_REPETITIONS = 50;
const MAX_LENGTH = 500;
const WORD_CHARACTER = /^[\w\u{80}-\u{10ffff}]$/u;
const ASCII_LETTER = /^[a-zA-Z]$/;
/** The only letters beyond ASCII that are ASCII letters in another case (Unicode's simple case folding). */
const EXOTIC_CASES: Readonly<Record<string, string>> = { k: "\u212a", s: "\u017f" };

/**
 * A regular expression of RE2 that can only match within a word, as the index has words, in Lucene's syntax: of it a word is
 * found that contains a match. Undefined for whatever else: anchors, `.`, anything that matches a separator.
 */
export function wordRegex(source: string): string | undefined {
  const isInsensitive = source.startsWith("(?i)");
  if (source.length > MAX_LENGTH || !source.isWellFormed()) return undefined;
  const translated = new WordRegex(isInsensitive ? source.slice(4) : source, isInsensitive).translate();
  return translated === undefined ? undefined : `.*(${translated}).*`;
}

/** Throws itself out of nested calls when it meets what it does not know. */
class Unknown extends Error {}

class WordRegex {
  readonly #characters: readonly string[];
  readonly #isInsensitive: boolean;
  #at = 0;

  constructor(source: string, isInsensitive: boolean) {
    this.#characters = [...source];
    this.#isInsensitive = isInsensitive;
  }

  translate(): string | undefined {
    try {
      const text = this.#alternatives();
      return this.#at === this.#characters.length ? text : undefined;
    } catch (error) {
      if (error instanceof Unknown) return undefined;
      throw error;
    }
  }

  #alternatives(): string {
    const branches = [this.#branch()];
    while (this.#take("|")) branches.push(this.#branch());
    return branches.join("|");
  }

  /** Not empty: what matches nothing matches everywhere, which nobody asks an index for. */
  #branch(): string {
    let text = "";
    for (let next = this.#peek; next !== undefined && next !== "|" && next !== ")"; next = this.#peek) {
      text += this.#atom() + this.#quantifier();
    }
    if (text === "") throw new Unknown();
    return text;
  }

  #atom(): string {
    const character = this.#next();
    if (character === "(") return this.#group();
    if (character === "[") return `[${this.#class()}]`;
    if (character === "\\") return `[${this.#escaped()}]`;
    if (!WORD_CHARACTER.test(character)) throw new Unknown();
    const cases = this.#casesOf(character);
    return cases === character ? character : `[${cases}]`;
  }

  #group(): string {
    if (this.#take("?") && !this.#take(":")) throw new Unknown();
    const inner = this.#alternatives();
    if (!this.#take(")")) throw new Unknown();
    return `(${inner})`;
  }

  #class(): string {
    let text = "";
    while (!this.#take("]")) {
      const low = this.#next();
      if (low === "\\") text += this.#escaped();
      else if (!WORD_CHARACTER.test(low)) throw new Unknown();
      else if (this.#take("-")) text += this.#range(low, this.#next());
      else text += this.#casesOf(low);
    }
    if (text === "") throw new Unknown();
    return text;
  }

  #range(low: string, high: string): string {
    const isPlain = [/\d/, /[a-z]/, /[A-Z]/].some((kind) => kind.test(low) && kind.test(high));
    if (!isPlain || low > high) throw new Unknown();
    if (!this.#isInsensitive || /\d/.test(low)) return `${low}-${high}`;
    const [from, to] = [low.toLowerCase(), high.toLowerCase()];
    const exotic = Object.entries(EXOTIC_CASES).filter(([letter]) => from <= letter && letter <= to);
    return `${from}-${to}${from.toUpperCase()}-${to.toUpperCase()}${exotic.map(([, other]) => other).join("")}`;
  }

  #escaped(): string {
    const character = this.#next();
    if (character === "d") return "0-9";
    if (character === "w" && !this.#isInsensitive) return "0-9A-Za-z_";
    throw new Unknown();
  }

  #casesOf(character: string): string {
    if (!this.#isInsensitive) return character;
    if (ASCII_LETTER.test(character)) {
      const lower = character.toLowerCase();
      return `${lower}${lower.toUpperCase()}${EXOTIC_CASES[lower] ?? ""}`;
    }
    if (character.charCodeAt(0) > 127) throw new Unknown();
    return character;
  }

  #quantifier(): string {
    const next = this.#peek;
    let text = "";
    if (next === "*" || next === "+" || next === "?") text = this.#next();
    else if (next === "{") text = this.#counted();
    if (text === "") return "";
    // Greedy or not, it matches or it does not.
    this.#take("?");
    if (["*", "+", "?", "{"].includes(this.#peek ?? "")) throw new Unknown();
    return text;
  }

  #counted(): string {
    const rest = this.#characters.slice(this.#at, this.#at + 10).join("");
    const [text, low, high] = /^\{(\d+)(?:,(\d*))?\}/.exec(rest) ?? [];
    if (text === undefined || Math.max(Number(low), Number(high ?? 0)) > MAX_REPETITIONS) throw new Unknown();
    this.#at += text.length;
    return text;
  }

  get #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #next(): string {
    const character = this.#characters[this.#at++];
    if (character === undefined) throw new Unknown();
    return character;
  }

  #take(character: string): boolean {
    if (this.#peek !== character) return false;
    this.#at++;
    return true;
  }
}
