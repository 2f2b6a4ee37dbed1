const LETTER_BITS = 5;
const GRAM_MASK = 0xfffff;
/** A gram above this has four letters, as no letter is 0. */
const THREE_LETTERS = 0x7fff;
const BYTES = (GRAM_MASK + 1) / 8;

/** ASCII letters of either case to 1 … 26, all else to 0. */
const LETTER_OF_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a ? lower - 0x60 : 0;
});

/**
 * Which runs of four ASCII letters, of either case, occur in some text: a word with one that does not is nowhere in it. A
 * bit for each possible run, five bits a letter: what is said to be absent is, and sets are merged by a bitwise or.
 */
export class LetterGrams {
  readonly bits: Uint8Array;

  constructor(bits: Uint8Array = new Uint8Array(BYTES)) {
    this.bits = bits;
  }

  static fromText(base64: string): LetterGrams | undefined {
    const bits = Buffer.from(base64, "base64");
    return bits.length === BYTES ? new LetterGrams(bits) : undefined;
  }

  toText(): string {
    return Buffer.from(this.bits).toString("base64");
  }

  /** UTF-8, all of which counts as one text. */
  add(bytes: Uint8Array): void {
    const { bits } = this;
    let gram = 0;
    for (let i = 0; i < bytes.length; i++) {
      const letter = LETTER_OF_BYTE[bytes[i] as number] as number;
      gram = letter === 0 ? 0 : ((gram << LETTER_BITS) | letter) & GRAM_MASK;
      if (gram > THREE_LETTERS) bits[gram >>> 3] = (bits[gram >>> 3] as number) | (1 << (gram & 7));
    }
  }

  merge(other: LetterGrams): void {
    for (let i = 0; i < this.bits.length; i++) this.bits[i] = (this.bits[i] as number) | (other.bits[i] as number);
  }

  /** False: no text that was added has this somewhere in it. */
  mayHave(part: string): boolean {
    let gram = 0;
    for (let i = 0; i < part.length; i++) {
      const code = part.charCodeAt(i);
      const letter = code < 128 ? (LETTER_OF_BYTE[code] as number) : 0;
      gram = letter === 0 ? 0 : ((gram << LETTER_BITS) | letter) & GRAM_MASK;
      if (gram > THREE_LETTERS && ((this.bits[gram >>> 3] as number) & (1 << (gram & 7))) === 0) return false;
    }
    return true;
  }
}
