/** Later tokens of a line are one variable together. */
const MAX_TOKENS = 100;
/** So are characters beyond these. */
const MAX_CHARACTERS = 1_024;
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

/** By UTF-16 code unit. */
const CLASSES = classes();

function classes(): Uint8Array {
  const kinds = new Uint8Array(65_536).fill(WORD);
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
const MANY_DIGITS = 2;

/**
 * Splits a line into tokens and the delimiters around them, and hashes it without its values, in one pass and without
 * allocating. What it found stays until the next line.
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
  /** 1: looks like a value. */
  readonly masked = new Uint8Array(MAX_TOKENS);
  tokens = 0;
  /** Where the variable rest begins; -1 when all of the line was split. */
  restStart = -1;
  /** Two independent hashes of everything but values: equal for lines that differ in values only. */
  hashA = 0;
  hashB = 0;
  #a = 0;
  #b = 0;
  #delimiters = 0;

  scan(line: string): void {
    const end = Math.min(line.length, MAX_CHARACTERS);
    this.#a = 0x811c9dc5 | 0;
    this.#b = 0x1b873593;
    this.#delimiters = 0x7f4a7c15;
    this.tokens = 0;
    let i = 0;
    let restStart = -1;
    while (i < end) {
      if ((CLASSES[line.charCodeAt(i)] as number) >= DELIMITER) {
        i = this.#delimiter(line, i, end);
        if (line.charCodeAt(i - 1) !== CHAR_NEWLINE || this.tokens < MIN_TOKENS_OF_FIRST_LINE) continue;
        break;
      }
      if (this.tokens === MAX_TOKENS) break;
      const start = i;
      i = this.#token(line, i, end);
      if (i < end || end === line.length) continue;
      // It goes on: how long it is nobody knows.
      this.tokens--;
      restStart = start;
    }
    if (restStart < 0 && i < line.length) restStart = i;
    this.restStart = restStart;
    const delimiters = restStart < 0 ? this.#delimiters : Math.imul(this.#delimiters ^ REST, PRIME_C);
    this.hashA = Math.imul(this.#a ^ (delimiters >>> 13), PRIME_C) | 0;
    this.hashB = (this.#b ^ delimiters) | 0;
  }

  /** Takes one in, and returns where it ends. Colours and the like are one as a whole: `ESC[31m`. */
  #delimiter(line: string, at: number, end: number): number {
    const first = line.charCodeAt(at);
    let delimiters = Math.imul(this.#delimiters ^ first ^ (this.tokens << 8), PRIME_C);
    let i = at + 1;
    if (first === CHAR_ESCAPE && line.charCodeAt(i) === CHAR_BRACKET) {
      const after = endOfSequence(line, i + 1, end);
      for (; i < after; i++) delimiters = Math.imul(delimiters ^ line.charCodeAt(i), PRIME_C);
    }
    this.#delimiters = delimiters;
    return i;
  }

  /** Takes one in, and returns where it ends. */
  #token(line: string, start: number, end: number): number {
    let hash = 0;
    let digits = 0;
    let i = start;
    let char = line.charCodeAt(i);
    let kind = CLASSES[char] as number;
    do {
      digits += kind;
      hash = (Math.imul(hash ^ char, PRIME_A) + SPREAD) | 0;
      if (++i === end) break;
      char = line.charCodeAt(i);
      kind = CLASSES[char] as number;
    } while (kind < DELIMITER);
    if (kind === COLON && i < end && isDigit(line.charCodeAt(i - 1)) && isDigit(line.charCodeAt(i + 1))) {
      digits = MANY_DIGITS;
      i = endOfTokenWithColon(line, i, end);
    }
    const isValue = digits > 1 || (digits === 1 && !isWordWithDigit(line, start, i)) || isTag(line, start, i);
    if (isValue) hash = VALUE_HASH;
    this.#a = Math.imul(this.#a ^ hash, PRIME_A);
    this.#b = Math.imul(this.#b + hash, PRIME_B) ^ (this.#b >>> 15);
    this.starts[this.tokens] = start;
    this.ends[this.tokens] = i;
    this.masked[this.tokens++] = isValue ? 1 : 0;
    return i;
  }
}

/** `<word>` would read as a capture. */
function isTag(line: string, start: number, end: number): boolean {
  return line.charCodeAt(end) === CHAR_GREATER && start > 0 && line.charCodeAt(start - 1) === CHAR_LESS;
}

/** `v1`, `k8s`. */
function isWordWithDigit(line: string, start: number, end: number): boolean {
  return end - start > 1 && end - start <= MAX_WORD_WITH_DIGIT && !isDigit(line.charCodeAt(start));
}

function isLetter(char: number): boolean {
  return (char >= 65 && char <= 90) || (char >= 97 && char <= 122);
}

function isDigit(char: number): boolean {
  return char >= 48 && char <= 57;
}

/** `at` is a colon within a token. */
function endOfTokenWithColon(line: string, at: number, end: number): number {
  let i = at;
  while (i < end && CLASSES[line.charCodeAt(i)] !== DELIMITER) i++;
  return i;
}

/** Behind the last character of a control sequence, or of what there is of it. */
function endOfSequence(line: string, from: number, end: number): number {
  for (let i = from; i < end; i++) {
    const char = line.charCodeAt(i);
    const isParameter = isDigit(char) || char === CHAR_SEMICOLON || char === CHAR_QUESTION;
    if (!isParameter) return isLetter(char) ? i + 1 : i;
  }
  return end;
}
