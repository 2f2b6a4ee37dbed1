/** Rows of a file that have a filter together: those of a row group, which is the least that is read. */
export const BLOCK_ROWS = 16_384;
/** With so many a block of 4 MB of log lines, ids and numbers in each, has about half of the bits set. */
const SLOT_BITS = 19;
const BLOCK_BYTES = 2 ** SLOT_BITS / 8;
const GRAM_BYTES = 5;
const CODE_BITS = 6;
const GRAM_MASK = 2 ** (GRAM_BYTES * CODE_BITS) - 1;
const HASH_FACTOR = 0x9e3779b1;
/** Where more blocks than these are left, to name them saves nothing. */
const MAX_SHARE = 3 / 4;

/** Letters of either case to 0 … 25, digits to 26 … 35; the 28 codes that are left are shared by all other bytes. */
const CODE_OF_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => {
  const lower = byte | 0x20;
  if (lower >= 0x61 && lower <= 0x7a) return lower - 0x61;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30 + 26;
  return 36 + (byte % 28);
});

/** Rows of a file, both ends included. */
export type RowSpan = { readonly from: number; readonly to: number };

/**
 * Which runs of five bytes occur in a text column, for each block of a file's rows: a text with a run that does not is
 * in none of the block's rows. One bit for each hash of a run, so a block may be said to have what it has not; never the
 * other way round.
 */
export class BlockGrams {
  readonly bits: Uint8Array;

  /** `bits` is {@link bytesForRows} long. */
  constructor(bits: Uint8Array) {
    this.bits = bits;
  }

  static bytesForRows(rows: number): number {
    return Math.ceil(rows / BLOCK_ROWS) * BLOCK_BYTES;
  }

  /** UTF-8: the texts of a block, one behind the other in any order. */
  add(block: number, bytes: Uint8Array): void {
    const { bits } = this;
    const first = block * BLOCK_BYTES;
    let gram = 0;
    for (let i = 0; i < bytes.length; i++) {
      gram = ((gram << CODE_BITS) | (CODE_OF_BYTE[bytes[i] as number] as number)) & GRAM_MASK;
      const slot = slotOf(gram);
      const at = first + (slot >>> 3);
      bits[at] = (bits[at] as number) | (1 << (slot & 7));
    }
  }

  /** The rows among which all texts are that have each of `parts` in them; undefined: nearly all. */
  spansOf(parts: readonly string[]): readonly RowSpan[] | undefined {
    const slots = parts.flatMap(slotsOf);
    if (slots.length === 0) return undefined;
    const blocks = this.bits.length / BLOCK_BYTES;
    const spans: { from: number; to: number }[] = [];
    let found = 0;
    for (let block = 0; block < blocks; block++) {
      if (!this.#has(block, slots)) continue;
      found++;
      const last = spans.at(-1);
      const to = (block + 1) * BLOCK_ROWS - 1;
      if (last?.to === block * BLOCK_ROWS - 1) last.to = to;
      else spans.push({ from: block * BLOCK_ROWS, to });
    }
    return found > MAX_SHARE * blocks ? undefined : spans;
  }

  #has(block: number, slots: readonly number[]): boolean {
    const first = block * BLOCK_BYTES;
    for (const slot of slots) if (((this.bits[first + (slot >>> 3)] as number) & (1 << (slot & 7))) === 0) return false;
    return true;
  }
}

/** Parts of texts that are long enough to be looked for. */
export function hasGrams(part: string): boolean {
  // Each of its UTF-16 units takes a byte at least.
  return part.length >= GRAM_BYTES;
}

function slotsOf(part: string): number[] {
  const bytes = Buffer.from(part.toWellFormed());
  const slots = new Set<number>();
  let gram = 0;
  for (const [i, byte] of bytes.entries()) {
    gram = ((gram << CODE_BITS) | (CODE_OF_BYTE[byte] as number)) & GRAM_MASK;
    if (i >= GRAM_BYTES - 1) slots.add(slotOf(gram));
  }
  return [...slots];
}

function slotOf(gram: number): number {
  return Math.imul(gram, HASH_FACTOR) >>> (32 - SLOT_BITS);
}
