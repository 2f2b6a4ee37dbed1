/** Writes protobuf fields into a growing buffer; just what the tests' and the load generator's payloads need. */
export class ProtobufWriter {
  #bytes = Buffer.allocUnsafe(1 << 16);
  #length = 0;

  /** A copy of what was written so far. */
  finish(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  varint(field: number, value: number | bigint): this {
    return this.#tag(field, 0).#rawVarint(BigInt.asUintN(64, BigInt(value)));
  }

  double(field: number, value: number): this {
    this.#tag(field, 1).#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
    return this;
  }

  fixed64(field: number, value: bigint): this {
    this.#tag(field, 1).#reserve(8);
    this.#length = this.#bytes.writeBigUInt64LE(value, this.#length);
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#tag(field, 2).#rawVarint(BigInt(value.length)).#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value));
  }

  /** A nested message, written by `body` into this same buffer and then moved to make room for its length. */
  message(field: number, body: (writer: this) => void): this {
    this.#tag(field, 2);
    const start = this.#length;
    body(this);
    const size = this.#length - start;
    let prefix = 1;
    for (let rest = size; rest > 127; rest >>>= 7) prefix++;
    this.#reserve(prefix);
    this.#bytes.copyWithin(start + prefix, start, this.#length);
    this.#length = start;
    this.#rawVarint(BigInt(size));
    this.#length = start + prefix + size;
    return this;
  }

  /** Bytes that are already a field. */
  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** Unsigned varints without tags, as a packed field's content. */
  packed(field: number, values: readonly number[]): this {
    return this.message(field, () => {
      for (const value of values) this.#rawVarint(BigInt(value));
    });
  }

  #tag(field: number, wire: number): this {
    return this.#rawVarint(BigInt((field << 3) | wire));
  }

  #rawVarint(value: bigint): this {
    this.#reserve(10);
    let rest = value;
    while (rest > 127n) {
      this.#bytes[this.#length++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
    return this;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + count));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
