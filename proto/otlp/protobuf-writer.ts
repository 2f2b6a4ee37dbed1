const TWO_TO_32 = 4_294_967_296;
const MIN_CAPACITY = 256;

/**
 * Writes protobuf front to back. The length of a nested message is known only behind it: one byte is kept free for it,
 * and a longer message is moved to make room.
 */
export class ProtobufWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(capacity = MIN_CAPACITY) {
    this.#buffer = Buffer.allocUnsafe(Math.max(MIN_CAPACITY, capacity));
  }

  /** What was written; the writer must not be used any more. */
  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  tag(field: number, wireType: number): void {
    this.varint(((field << 3) | wireType) >>> 0);
  }

  /** Starts a length-delimited value and returns what {@link close} wants. */
  open(): number {
    this.#reserve(1);
    return this.#length++;
  }

  close(start: number): void {
    const from = start + 1;
    const length = this.#length - from;
    if (length < 0x80) {
      this.#buffer[start] = length;
      return;
    }
    const extra = varintBytes(length) - 1;
    this.#reserve(extra);
    this.#buffer.copyWithin(from + extra, from, this.#length);
    this.#length = start;
    this.varint(length);
    this.#length += length;
  }

  /** An unsigned number of up to 53 bits. */
  varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = (rest % 0x80) | 0x80;
      rest = rest < TWO_TO_32 ? rest >>> 7 : Math.floor(rest / 0x80);
    }
    this.#buffer[this.#length++] = rest;
  }

  varint64(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    this.#reserve(10);
    while (rest >= 0x80n) {
      this.#buffer[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[this.#length++] = Number(rest);
  }

  fixed32(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeUInt32LE(value, this.#length);
  }

  /** The low 64 bits of `value`. */
  fixed64(value: bigint): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeBigUInt64LE(BigInt.asUintN(64, value), this.#length);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeDoubleLE(value, this.#length);
  }

  string(text: string): void {
    // A UTF-16 unit never takes more than three bytes.
    this.#reserve(3 * text.length + 10);
    const start = this.open();
    this.#length += this.#buffer.write(text, this.#length, "utf8");
    this.close(start);
  }

  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}

function varintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) count++;
  return count;
}
