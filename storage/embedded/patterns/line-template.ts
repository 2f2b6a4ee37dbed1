import { NO_WORD } from "./line-scanner.ts";
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
  /** Hashes of the tokens that are alike, {@link NO_WORD} for the others. */
  readonly #words: Int32Array;
  #text: string | undefined;
  /** Whether each token is the name of a value. */
  readonly #isName: Uint8Array;

  constructor(literals: readonly string[], tokens: (string | undefined)[], hasRest: boolean) {
    this.literals = literals;
    this.tokens = tokens;
    this.hasRest = hasRest;
    this.#words = new Int32Array(tokens.length);
    this.#isName = Uint8Array.from(tokens, (_, i) => (isName(literals[i + 1] as string) ? 1 : 0));
  }

  /** Takes the hashes of its words from a scanner that has just seen a line with them. */
  learn(words: Int32Array): void {
    for (let i = 0; i < this.tokens.length; i++)
      this.#words[i] = this.tokens[i] === undefined ? NO_WORD : (words[i] as number);
  }

  get memoryBytes(): number {
    let bytes = 300 + 70 * this.tokens.length;
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

  /** Takes in another line of the same literals: where its words differ the template has a variable from now on. */
  generalize(words: Int32Array): void {
    const own = this.#words;
    for (let i = 0; i < own.length; i++) {
      if (own[i] === words[i] || own[i] === NO_WORD) continue;
      own[i] = NO_WORD;
      this.tokens[i] = undefined;
      this.#text = undefined;
    }
  }

  /**
   * The share of its words that another line of the same literals has, too. Names of values (`name=`, `"name":`) don't
   * count: they say nothing of what happened.
   */
  similarity(words: Int32Array): number {
    const own = this.#words;
    let count = 0;
    let equal = 0;
    for (let i = 0; i < own.length; i++) {
      const word = own[i] as number;
      if (word === NO_WORD) continue;
      if (this.#isName[i] === 1) {
        if (word !== words[i]) return 0;
        continue;
      }
      count++;
      if (word === words[i]) equal++;
    }
    return count === 0 ? 1 : equal / count;
  }

  /** No line is counted any more. */
  get isEmpty(): boolean {
    return this.counts.every((counts) => counts === undefined || counts.length === 0);
  }
}

function isName(after: string): boolean {
  return after.startsWith("=") || after.startsWith('":') || after.startsWith('" :');
}
