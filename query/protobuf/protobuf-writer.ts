const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;
const INITIAL_BYTES = 4_096;

/**
 * Writes protobuf. Default values are left out by the caller. A nested message is written in place and its length put
 * before it afterwards, so no message is built twice.
 */
export class ProtobufWriter {
  #bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Starts anew in the same memory. What {@link finish} gave out before is overwritten. */
  reset(): void {
    this.#length = 0;
  }

  /** A view of the writer's memory: write no more after it, or {@link reset} once the view is done with. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  uint32(field: number, value: number): void {
    this.#tag(field, VARINT);
    this.#varint(value >>> 0);
  }

  bool(field: number, value: boolean): void {
    this.uint32(field, value ? 1 : 0);
  }

  /** Two's complement, ten bytes when negative. */
  int64(field: number, value: bigint): void {
    this.#tag(field, VARINT);
    this.#reserve(10);
    let rest = BigInt.asUintN(64, value);
    while (rest > 127n) {
      this.#bytes[this.#length++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  /** An int64 whose value a number counts exactly. */
  safeInt64(field: number, value: number): void {
    if (value < 0) {
      this.int64(field, BigInt(value));
      return;
    }
    this.#tag(field, VARINT);
    this.#reserve(10);
    let rest = value;
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Zigzag. */
  sint32(field: number, value: number): void {
    this.uint32(field, (value << 1) ^ (value >> 31));
  }

  fixed32(field: number, value: number): void {
    this.#tag(field, FIXED32);
    this.#reserve(4);
    this.#length = this.#bytes.writeUInt32LE(value >>> 0, this.#length);
  }

  fixed64(field: number, value: bigint): void {
    this.#tag(field, FIXED64);
    this.#reserve(8);
    this.#length = this.#bytes.writeBigUInt64LE(BigInt.asUintN(64, value), this.#length);
  }

  double(field: number, value: number): void {
    this.#tag(field, FIXED64);
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  /** The 64 bits of a double as two words: a number could not carry which NaN it is. */
  doubleWords(field: number, low: number, high: number): void {
    this.#tag(field, FIXED64);
    this.#reserve(8);
    this.#length = this.#bytes.writeUInt32LE(low, this.#length);
    this.#length = this.#bytes.writeUInt32LE(high, this.#length);
  }

  /** A packed repeated field; written even when there is none. */
  packedDoubles(field: number, values: Float64Array): void {
    this.#tag(field, LENGTH_DELIMITED);
    this.#varint(values.length * 8);
    this.#reserve(values.length * 8);
    for (const value of values) this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  string(field: number, value: string): void {
    const length = Buffer.byteLength(value);
    this.#tag(field, LENGTH_DELIMITED);
    this.#varint(length);
    this.#reserve(length);
    this.#length += this.#bytes.write(value, this.#length);
  }

  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, LENGTH_DELIMITED);
    this.#varint(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  message(field: number, write: (writer: ProtobufWriter) => void): void {
    this.#tag(field, LENGTH_DELIMITED);
    const start = this.#length;
    write(this);
    const length = this.#length - start;
    const prefix = varintLength(length);
    this.#reserve(prefix);
    this.#bytes.copyWithin(start + prefix, start, this.#length);
    this.#length = start;
    this.#varint(length);
    this.#length += length;
  }

  /** What stands before a message of so many bytes, which is written elsewhere. */
  messageHead(field: number, length: number): void {
    this.#tag(field, LENGTH_DELIMITED);
    this.#varint(length);
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  /** `value` is below 2^32. */
  #varint(value: number): void {
    this.#reserve(5);
    let rest = value;
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + bytes));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 127; rest >>>= 7) length++;
  return length;
}
