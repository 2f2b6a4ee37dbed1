const BLOCK = 1 << 16;
const HASH_BITS = 14;
const HASH_FACTOR = 0x1e35a7bd;
const MIN_MATCH = 4;
/** The original's search leaves the last bytes of a block alone, so that it may read words without looking. */
const MARGIN = 15;
const MAX_COPY = 64;

/**
 * Snappy's block format (google/snappy format_description.txt): the length as a varint, then literals and copies of what
 * came before. Repetitions are looked for in blocks of 64 KiB, as the original does.
 */
export function snappyCompress(input: Uint8Array): Buffer {
  const output = Buffer.allocUnsafe(maxCompressedLength(input.length));
  const writer = new SnappyWriter(input, output);
  for (let start = 0; start < input.length; start += BLOCK) writer.block(start, Math.min(start + BLOCK, input.length));
  return output.subarray(0, writer.length);
}

function maxCompressedLength(length: number): number {
  return 32 + length + Math.floor(length / 6);
}

class SnappyWriter {
  readonly #input: Uint8Array;
  readonly #output: Buffer;
  /** Where a hash of four bytes was last seen in the block, relative to its start. */
  readonly #seen = new Uint16Array(1 << HASH_BITS);
  length = 0;

  constructor(input: Uint8Array, output: Buffer) {
    this.#input = input;
    this.#output = output;
    let rest = input.length;
    while (rest > 127) {
      output[this.length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    output[this.length++] = rest;
  }

  block(start: number, end: number): void {
    const input = this.#input;
    this.#seen.fill(0);
    let literalFrom = start;
    let at = start + 1;
    let misses = 32;
    while (at < end - MARGIN) {
      const word = this.#word(at);
      const slot = Math.imul(word, HASH_FACTOR) >>> (32 - HASH_BITS);
      const candidate = start + (this.#seen[slot] as number);
      this.#seen[slot] = at - start;
      if (candidate >= at || this.#word(candidate) !== word) {
        // What does not repeat is skipped in ever longer strides.
        at += misses++ >> 5;
        continue;
      }
      misses = 32;
      this.#literal(literalFrom, at);
      let length = MIN_MATCH;
      while (at + length < end && input[at + length] === input[candidate + length]) length++;
      this.#copy(at - candidate, length);
      at += length;
      literalFrom = at;
    }
    this.#literal(literalFrom, end);
  }

  #word(at: number): number {
    const input = this.#input;
    return (
      (input[at] as number) |
      ((input[at + 1] as number) << 8) |
      ((input[at + 2] as number) << 16) |
      ((input[at + 3] as number) << 24)
    );
  }

  #literal(from: number, to: number): void {
    const length = to - from;
    if (length === 0) return;
    const output = this.#output;
    const last = length - 1;
    if (last < 60) output[this.length++] = last << 2;
    else if (last < 256) {
      output[this.length++] = 60 << 2;
      output[this.length++] = last;
    } else {
      output[this.length++] = 61 << 2;
      output[this.length++] = last & 255;
      output[this.length++] = last >> 8;
    }
    output.set(this.#input.subarray(from, to), this.length);
    this.length += length;
  }

  #copy(offset: number, length: number): void {
    let rest = length;
    while (rest > MAX_COPY + MIN_MATCH - 1) {
      this.#copyOf(offset, MAX_COPY);
      rest -= MAX_COPY;
    }
    if (rest > MAX_COPY) {
      // Leaves at least four bytes for the last copy.
      this.#copyOf(offset, 60);
      rest -= 60;
    }
    this.#copyOf(offset, rest);
  }

  #copyOf(offset: number, length: number): void {
    const output = this.#output;
    if (length < 12 && offset < 2048) {
      output[this.length++] = ((offset >> 8) << 5) | ((length - 4) << 2) | 1;
      output[this.length++] = offset & 255;
      return;
    }
    output[this.length++] = ((length - 1) << 2) | 2;
    output[this.length++] = offset & 255;
    output[this.length++] = offset >> 8;
  }
}
