import { TimeCounts } from "./time-counts.ts";

const CAPTURE = "<_>";

/** The form of some lines: what is around the tokens, and the tokens that are alike in all of them. */
export class LineTemplate {
  /** Before each token, and after the last. */
  readonly literals: readonly string[];
  /** Undefined: differs from line to line. */
  readonly tokens: (string | undefined)[];
  /** What comes after the last literal differs, too. */
  readonly hasRest: boolean;
  /** By the number of the stream. */
  readonly counts: (TimeCounts | undefined)[] = [];
  /** When its last line came, by our clock. */
  lastUsedMs = 0;
  #text: string | undefined;
  /** Whether each token is the name of a value. */
  readonly #isName: readonly boolean[];

  constructor(literals: readonly string[], tokens: (string | undefined)[], hasRest: boolean) {
    this.literals = literals;
    this.tokens = tokens;
    this.hasRest = hasRest;
    this.#isName = tokens.map((_, i) => isName(literals[i + 1] as string));
  }

  get memoryBytes(): number {
    let bytes = 300 + 60 * this.tokens.length;
    for (const counts of this.counts) bytes += counts?.memoryBytes ?? 8;
    return bytes;
  }

  /** As a pattern filter of LogQL. */
  get text(): string {
    if (this.#text !== undefined) return this.#text;
    let text = this.literals[0] as string;
    for (const [i, token] of this.tokens.entries()) text += (token ?? CAPTURE) + this.literals[i + 1];
    this.#text = this.hasRest ? text + CAPTURE : text;
    return this.#text;
  }

  add(stream: number, seconds: number, count: number): void {
    let counts = this.counts[stream];
    if (!counts) {
      counts = new TimeCounts();
      this.counts[stream] = counts;
    }
    counts.add(seconds, count);
  }

  /** Takes in another line of the same literals: where it differs the template has a variable from now on. */
  generalize(tokens: readonly (string | undefined)[]): void {
    for (let i = 0; i < this.tokens.length; i++) {
      if (this.tokens[i] === tokens[i] || this.tokens[i] === undefined) continue;
      this.tokens[i] = undefined;
      this.#text = undefined;
    }
  }

  /**
   * The share of its words that another line of the same literals has, too. Names of values (`name=`, `"name":`) don't
   * count: they say nothing of what happened.
   */
  similarity(tokens: readonly (string | undefined)[]): number {
    let words = 0;
    let equal = 0;
    for (let i = 0; i < this.tokens.length; i++) {
      const word = this.tokens[i];
      if (word === undefined) continue;
      if (this.#isName[i]) {
        if (word !== tokens[i]) return 0;
        continue;
      }
      words++;
      if (word === tokens[i]) equal++;
    }
    return words === 0 ? 1 : equal / words;
  }

  /** No line is counted any more. */
  get isEmpty(): boolean {
    return this.counts.every((counts) => counts === undefined || counts.length === 0);
  }
}

function isName(after: string): boolean {
  return after.startsWith("=") || after.startsWith('":') || after.startsWith('" :');
}
