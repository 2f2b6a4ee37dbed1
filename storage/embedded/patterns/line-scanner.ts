/** Later tokens of a line are one variable together. */
const MAX_TOKENS = 100;
/** So are bytes beyond these. */
export const MAX_SCANNED_BYTES = 1_024;
/** A message of several lines is known by its first, unless that has fewer tokens (a JSON text may begin with `{`). */
const MIN_TOKENS_OF_FIRST_LINE = 3;
/** `v1`, `s3`, `k8s`: words with a digit. Longer tokens with a digit, or with more of them, are taken for values. */
const MAX_WORD_WITH_DIGIT = 4;

const WORD = 0;
const DIGIT = 1;
const DELIMITER = 2;
const COLON = 3;

const CHAR_NEWLINE = 10;
const CHAR_ESCAPE = 27;
const CHAR_COLON = 58;
const CHAR_SEMICOLON = 59;
const CHAR_LESS = 60;
const CHAR_GREATER = 62;
const CHAR_QUESTION = 63;
const CHAR_BRACKET = 91;

/** By byte: those of characters beyond ASCII are parts of words. */
const CLASSES = classes();

function classes(): Uint8Array {
  const kinds = new Uint8Array(256).fill(WORD);
  kinds.fill(DELIMITER, 0, 33);
  kinds.fill(DIGIT, 48, 58);
  for (const character of "\"'()[]{}<>,;=|/\\?&`") kinds[character.charCodeAt(0)] = DELIMITER;
  kinds[CHAR_COLON] = COLON;
  return kinds;
}

const PRIME_A = 0x01000193;
const PRIME_B = 0x9e3779b1 | 0;
const PRIME_C = 0x85ebca6b | 0;
const VALUE_HASH = 0x5bd1e995;
const SPREAD = 0x3c6ef372;
const REST = 0x7e57;
/** In the place of the hash of a word: the token is a value, or differs from line to line. */
export const NO_WORD = 0;
const MANY_DIGITS = 2;

/**
 * Splits a line, in UTF-8, into tokens and the delimiters around them, and hashes it without its values, in one pass and
 * without allocating. What it found stays until the next line.
 *
 * A token is a longest run of characters that are no delimiters. So a variable token never contains what follows it, and
 * a pattern with a capture in its place matches the line however captures are matched. A colon belongs to a token when it
 * is between two digits, and from there on to the token's end, so that times and addresses stay whole and what follows
 * a token with a colon never begins with one.
 */
export class LineScanner {
  /** Beginning and end of each token. */
  readonly starts = new Int32Array(MAX_TOKENS);
  readonly ends = new Int32Array(MAX_TOKENS);
  /** Hash of each token, {@link NO_WORD} for those that look like a value. */
  readonly words = new Int32Array(MAX_TOKENS);
  tokens = 0;
  /** Behind what was split. */
  end = 0;
  /** What comes behind that is variable as a whole. */
  hasRest = false;
  /** Two independent hashes of everything but values: equal for lines that differ in values only. */
  hashA = 0;
  hashB = 0;
  /** Hash of all that is between the tokens. */
  delimiters = 0;
  #a = 0;
  #b = 0;

  /** The line in `[from, to)`; all of it, or at least more than {@link MAX_SCANNED_BYTES}. */
  scan(bytes: Uint8Array, from: number, to: number): void {
    const end = Math.min(to, from + MAX_SCANNED_BYTES);
    this.#a = 0x811c9dc5 | 0;
    this.#b = 0x1b873593;
    this.delimiters = 0x7f4a7c15;
    this.tokens = 0;
    let i = from;
    let cut = -1;
    while (i < end) {
      if ((CLASSES[bytes[i] as number] as number) >= DELIMITER) {
        i = this.#delimiter(bytes, i, end);
        if (bytes[i - 1] !== CHAR_NEWLINE || this.tokens < MIN_TOKENS_OF_FIRST_LINE) continue;
        break;
      }
      if (this.tokens === MAX_TOKENS) break;
      const start = i;
      i = this.#token(bytes, from, i, end, to);
      if (i < end || end === to) continue;
      // It goes on: how long it is nobody knows.
      this.tokens--;
      cut = start;
    }
    this.end = cut < 0 ? i : cut;
    this.hasRest = this.end < to;
    const delimiters = this.hasRest ? Math.imul(this.delimiters ^ REST, PRIME_C) : this.delimiters;
    this.hashA = Math.imul(this.#a ^ (delimiters >>> 13), PRIME_C) | 0;
    this.hashB = (this.#b ^ delimiters) | 0;
  }

  /** Takes one in, and returns where it ends. Colours and the like are one as a whole: `ESC[31m`. */
  #delimiter(bytes: Uint8Array, at: number, end: number): number {
    const first = bytes[at] as number;
    let delimiters = Math.imul(this.delimiters ^ first ^ (this.tokens << 8), PRIME_C);
    let i = at + 1;
    if (first === CHAR_ESCAPE && i < end && bytes[i] === CHAR_BRACKET) {
      const after = endOfSequence(bytes, i + 1, end);
      for (; i < after; i++) delimiters = Math.imul(delimiters ^ (bytes[i] as number), PRIME_C);
    }
    this.delimiters = delimiters;
    return i;
  }

  /** Takes one in, and returns where it ends. */
  #token(bytes: Uint8Array, from: number, start: number, end: number, to: number): number {
    let hash = 0;
    let digits = 0;
    let i = start;
    let char = bytes[i] as number;
    let kind = CLASSES[char] as number;
    do {
      digits += kind;
      hash = (Math.imul(hash ^ char, PRIME_A) + SPREAD) | 0;
      if (++i === end) break;
      char = bytes[i] as number;
      kind = CLASSES[char] as number;
    } while (kind < DELIMITER);
    if (kind === COLON && i + 1 < to && isDigit(bytes[i - 1] as number) && isDigit(bytes[i + 1] as number)) {
      digits = MANY_DIGITS;
      i = endOfTokenWithColon(bytes, i, end);
    }
    const isValue =
      digits > 1 ||
      (digits === 1 && !isWordWithDigit(bytes, start, i)) ||
      (i < to && bytes[i] === CHAR_GREATER && start > from && bytes[start - 1] === CHAR_LESS);
    // `<word>` would read as a capture, hence a value.
    if (isValue) hash = VALUE_HASH;
    this.#a = Math.imul(this.#a ^ hash, PRIME_A);
    this.#b = Math.imul(this.#b + hash, PRIME_B) ^ (this.#b >>> 15);
    const { tokens } = this;
    this.starts[tokens] = start;
    this.ends[tokens] = i;
    this.words[tokens] = isValue ? NO_WORD : hash || 1;
    this.tokens = tokens + 1;
    return i;
  }
}

/** `v1`, `k8s`. */
function isWordWithDigit(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start > 1 && end - start <= MAX_WORD_WITH_DIGIT && !isDigit(bytes[start] as number);
}

function isLetter(char: number): boolean {
  return (char >= 65 && char <= 90) || (char >= 97 && char <= 122);
}

function isDigit(char: number): boolean {
  return char >= 48 && char <= 57;
}

/** `at` is a colon within a token. */
function endOfTokenWithColon(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && CLASSES[bytes[i] as number] !== DELIMITER) i++;
  return i;
}

/** Behind the last character of a control sequence, or of what there is of it. */
function endOfSequence(bytes: Uint8Array, from: number, end: number): number {
  for (let i = from; i < end; i++) {
    const char = bytes[i] as number;
    const isParameter = isDigit(char) || char === CHAR_SEMICOLON || char === CHAR_QUESTION;
    if (!isParameter) return isLetter(char) ? i + 1 : i;
  }
  return end;
}
