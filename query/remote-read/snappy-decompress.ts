import { InvalidInputError, TooLargeError } from "@sightline/model/errors.ts";

/**
 * Undoes {@link snappyCompress}. Throws {@link InvalidInputError} for what is not snappy and {@link TooLargeError} for what
 * says that it holds more than `maxBytes`; nothing is allocated before that is checked.
 */
export function snappyDecompress(input: Uint8Array, maxBytes: number): Buffer {
  const reader = new SnappyReader(input);
  const length = reader.length();
  if (length > maxBytes) throw new TooLargeError(`snappy: decoded length ${length} exceeds limit ${maxBytes}`);
  return reader.content(length);
}

class SnappyReader {
  readonly #input: Uint8Array;
  #at = 0;

  constructor(input: Uint8Array) {
    this.#input = input;
  }

  length(): number {
    let length = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#littleEndian(1);
      length += (byte & 127) * 2 ** shift;
      if (byte < 128) return length;
    }
    throw corrupt("its length can't be read");
  }

  content(length: number): Buffer {
    const output = Buffer.allocUnsafe(length);
    let written = 0;
    while (this.#at < this.#input.length) {
      const tag = this.#littleEndian(1);
      written += (tag & 3) === 0 ? this.#literal(tag, output, written) : this.#copy(tag, output, written);
    }
    if (written !== length) throw corrupt("it ends early");
    return output;
  }

  #literal(tag: number, output: Buffer, written: number): number {
    const inTag = (tag >> 2) + 1;
    const size = inTag <= 60 ? inTag : this.#littleEndian(inTag - 60) + 1;
    if (size > this.#input.length - this.#at || size > output.length - written) throw corrupt("a literal is too long");
    output.set(this.#input.subarray(this.#at, this.#at + size), written);
    this.#at += size;
    return size;
  }

  #copy(tag: number, output: Buffer, written: number): number {
    const isShort = (tag & 3) === 1;
    const size = isShort ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const offset = isShort ? ((tag >> 5) << 8) + this.#littleEndian(1) : this.#littleEndian((tag & 3) === 2 ? 2 : 4);
    if (offset === 0 || offset > written || size > output.length - written) throw corrupt("a copy is out of bounds");
    // Byte by byte: a copy may overlap what it makes.
    for (let i = written; i < written + size; i++) output[i] = output[i - offset] as number;
    return size;
  }

  #littleEndian(bytes: number): number {
    if (bytes > this.#input.length - this.#at) throw corrupt("it is cut off");
    let value = 0;
    for (let i = bytes - 1; i >= 0; i--) value = value * 256 + (this.#input[this.#at + i] as number);
    this.#at += bytes;
    return value;
  }
}

function corrupt(problem: string): InvalidInputError {
  return new InvalidInputError(`snappy: corrupt input: ${problem}`);
}
