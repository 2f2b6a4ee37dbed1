const BLOCK = 1 << 16;
const HASH_BITS = 14;
const HASH_FACTOR = 0x1e35a7bd;
const MIN_MATCH = 4;
/** The original's search leaves the last bytes of a block alone, so that it may read words without looking. */
const MARGIN = 15;
const MAX_COPY = 64;

/** {@link snappyPieces} in one. */
export function snappyCompress(input: Uint8Array): Buffer {
  return Buffer.concat([...snappyPieces([input])]);
}

/**
 * Snappy's block format (google/snappy format_description.txt): the length as a varint, then literals and copies of what
 * came before. Repetitions are looked for in blocks of 64 KiB, as the original does; each makes one piece, so that a long
 * text need not be compressed at one go.
 */
export function* snappyPieces(inputs: readonly Uint8Array[]): Generator<Buffer> {
  yield varint(inputs.reduce((length, input) => length + input.length, 0));
  const compressor = new BlockCompressor();
  for (const input of inputs) {
    for (let start = 0; start < input.length; start += BLOCK)
      yield compressor.compress(input.subarray(start, start + BLOCK));
  }
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}

class BlockCompressor {
  readonly #output = Buffer.allocUnsafe(32 + BLOCK + Math.floor(BLOCK / 6));
  /** Where a hash of four bytes was last seen in the block. */
  readonly #seen = new Uint16Array(1 << HASH_BITS);
  #input: Uint8Array = new Uint8Array(0);
  #length = 0;

  /** The result belongs to the caller. */
  compress(block: Uint8Array): Buffer {
    this.#input = block;
    this.#length = 0;
    this.#block(block);
    return Buffer.from(this.#output.subarray(0, this.#length));
  }

  #block(input: Uint8Array): void {
    const end = input.length;
    this.#seen.fill(0);
    let literalFrom = 0;
    let at = 1;
    let misses = 32;
    while (at < end - MARGIN) {
      const word = this.#word(at);
      const slot = Math.imul(word, HASH_FACTOR) >>> (32 - HASH_BITS);
      const candidate = this.#seen[slot] as number;
      this.#seen[slot] = at;
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
    if (last < 60) output[this.#length++] = last << 2;
    else if (last < 256) {
      output[this.#length++] = 60 << 2;
      output[this.#length++] = last;
    } else {
      output[this.#length++] = 61 << 2;
      output[this.#length++] = last & 255;
      output[this.#length++] = last >> 8;
    }
    output.set(this.#input.subarray(from, to), this.#length);
    this.#length += length;
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
      output[this.#length++] = ((offset >> 8) << 5) | ((length - 4) << 2) | 1;
      output[this.#length++] = offset & 255;
      return;
    }
    output[this.#length++] = ((length - 1) << 2) | 2;
    output[this.#length++] = offset & 255;
    output[this.#length++] = offset >> 8;
  }
}
