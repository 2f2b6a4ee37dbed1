/** Reads what the encoders of this folder write: for tests, which check it against samples. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, headerBytes: number) {
    this.#bytes = bytes;
    this.#at = headerBytes * 8;
  }

  bits(count: number): bigint {
    let value = 0n;
    for (let i = 0; i < count; i++, this.#at++) {
      const byte = this.#bytes[this.#at >> 3] as number;
      value = (value << 1n) | BigInt((byte >> (7 - (this.#at & 7))) & 1);
    }
    return value;
  }

  /** How many ones come before the next zero, at most `max`; the zero is read, too. */
  ones(max: number): number {
    let count = 0;
    while (count < max && this.bits(1) === 1n) count++;
    return count;
  }

  signed(count: number): bigint {
    const value = this.bits(count);
    return count < 64 && value > 1n << BigInt(count - 1) ? value - (1n << BigInt(count)) : BigInt.asIntN(64, value);
  }

  uvarint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.bits(8);
      value |= (byte & 127n) << shift;
      if (byte < 128n) return value;
    }
  }

  varbitSigned(): bigint {
    return this.#varbit((size) => this.signed(size));
  }

  varbit(): bigint {
    return this.#varbit((size) => this.bits(size));
  }

  #varbit(read: (size: number) => bigint): bigint {
    const size = [0, 3, 6, 9, 12, 18, 25, 56, 64][this.ones(8)] as number;
    return size === 0 ? 0n : read(size);
  }
}

/** Bits of a column of doubles. */
export class XorReader {
  #value = 0n;
  #leading = 0;
  #trailing = 0;

  first(reader: BitReader): bigint {
    this.#value = reader.bits(64);
    return this.#value;
  }

  next(reader: BitReader): bigint {
    if (reader.bits(1) === 0n) return this.#value;
    if (reader.bits(1) === 1n) {
      this.#leading = Number(reader.bits(5));
      this.#trailing = 64 - this.#leading - (Number(reader.bits(6)) || 64);
    }
    this.#value ^= reader.bits(64 - this.#leading - this.#trailing) << BigInt(this.#trailing);
    return this.#value;
  }
}
