const LETTERS = 26;
const GRAM_LETTERS = 4;
const GRAMS = LETTERS ** GRAM_LETTERS;
const NO_LETTER = 255;

/** ASCII letters of either case to 0 … 25. */
const LETTER_OF_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a ? lower - 0x61 : NO_LETTER;
});

/**
 * Which runs of four ASCII letters, of either case, occur in some text: a word with one that does not is nowhere in it. A
 * bit for each of the 456,976, so what is said to be absent is, and sets are merged by a bitwise or.
 */
export class LetterGrams {
  readonly bits: Uint8Array;

  constructor(bits: Uint8Array = new Uint8Array(GRAMS / 8)) {
    this.bits = bits;
  }

  /** UTF-8, all of which counts as one text. */
  add(bytes: Uint8Array): void {
    const { bits } = this;
    let gram = 0;
    let letters = 0;
    for (let i = 0; i < bytes.length; i++) {
      const letter = LETTER_OF_BYTE[bytes[i] as number] as number;
      if (letter === NO_LETTER) {
        letters = 0;
        gram = 0;
        continue;
      }
      gram = (gram * LETTERS + letter) % GRAMS;
      if (++letters < GRAM_LETTERS) continue;
      bits[gram >>> 3] = (bits[gram >>> 3] as number) | (1 << (gram & 7));
    }
  }

  merge(other: LetterGrams): void {
    for (let i = 0; i < this.bits.length; i++) this.bits[i] = (this.bits[i] as number) | (other.bits[i] as number);
  }

  /** False: no text that was added has this somewhere in it. */
  mayHave(part: string): boolean {
    let gram = 0;
    let letters = 0;
    for (let i = 0; i < part.length; i++) {
      const code = part.charCodeAt(i);
      const letter = code < 128 ? (LETTER_OF_BYTE[code] as number) : NO_LETTER;
      if (letter === NO_LETTER) {
        letters = 0;
        gram = 0;
        continue;
      }
      gram = (gram * LETTERS + letter) % GRAMS;
      if (++letters >= GRAM_LETTERS && ((this.bits[gram >>> 3] as number) & (1 << (gram & 7))) === 0) return false;
    }
    return true;
  }
}
