const INITIAL_BYTES = 256;

/** Writes bits, the most significant first, as Prometheus' tsdb/chunkenc/bstream.go. */
export class BitWriter {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #bits = 0;

  /** Whole bytes only, before any bit. */
  header(bytes: number): void {
    this.#bits += bytes * 8;
  }

  setByte(at: number, value: number): void {
    this.#bytes[at] = value;
  }

  /** A copy of what was written, the last byte filled up with zeros. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, (this.#bits + 7) >> 3);
  }

  /** The lower `count` bits of `value`; at most 32. */
  write(value: number, count: number): void {
    if (this.#bits + count > this.#bytes.length * 8 - 8) this.#grow();
    const bytes = this.#bytes;
    let left = count;
    while (left > 0) {
      const free = 8 - (this.#bits & 7);
      const take = Math.min(free, left);
      const part = (value >>> (left - take)) & ((1 << take) - 1);
      const at = this.#bits >> 3;
      bytes[at] = (bytes[at] as number) | (part << (free - take));
      this.#bits += take;
      left -= take;
    }
  }

  /** The lower `count` bits, at most 64, of a number given as two words. */
  writeWords(low: number, high: number, count: number): void {
    if (count > 32) {
      this.write(high, count - 32);
      this.write(low, 32);
    } else this.write(low, count);
  }

  /** Two's complement of an integer that a number counts exactly, of which the lower `count` bits are kept. */
  writeInteger(value: number, count: number): void {
    const high = Math.floor(value / 2 ** 32);
    this.writeWords(value - high * 2 ** 32, high, count);
  }

  #grow(): void {
    const larger = new Uint8Array(this.#bytes.length * 2);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
