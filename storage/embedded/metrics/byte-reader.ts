import { CorruptionError } from "@sightline/model/errors.ts";

/** Reads what a ByteWriter wrote. Every read beyond the end throws {@link CorruptionError}: nothing is trusted. */
export class ByteReader {
  readonly bytes: Uint8Array;
  offset: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.bytes = bytes;
    this.offset = offset;
  }

  u8(): number {
    const value = this.bytes[this.offset++];
    if (value === undefined) throw truncated();
    return value;
  }

  u32(): number {
    const { bytes, offset } = this;
    if (offset + 4 > bytes.length) throw truncated();
    this.offset += 4;
    return new DataView(bytes.buffer, bytes.byteOffset + offset, 4).getUint32(0, true);
  }

  varint(): number {
    let value = this.u8();
    if (value < 0x80) return value;
    value -= 0x80;
    for (let factor = 0x80; ; factor *= 0x80) {
      const byte = this.u8();
      if (byte < 0x80) return checked(value + byte * factor);
      value += (byte - 0x80) * factor;
      if (factor > Number.MAX_SAFE_INTEGER) throw new CorruptionError("number too long");
    }
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  f64(): number {
    const { bytes, offset } = this;
    if (offset + 8 > bytes.length) throw truncated();
    this.offset += 8;
    return new DataView(bytes.buffer, bytes.byteOffset + offset, 8).getFloat64(0, true);
  }

  /** A view of the next `count` bytes. */
  view(count: number): Uint8Array {
    const { offset } = this;
    if (count > this.bytes.length - offset) throw truncated();
    this.offset += count;
    return this.bytes.subarray(offset, offset + count);
  }

  text(): string {
    const bytes = this.view(this.varint());
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
  }

  /** A varint that counts things of at least `minBytes` bytes each, so that it can't ask for absurd memory. */
  count(minBytes = 1): number {
    const count = this.varint();
    if (count * minBytes > this.bytes.length - this.offset) throw truncated();
    return count;
  }
}

function checked(value: number): number {
  if (value > Number.MAX_SAFE_INTEGER) throw new CorruptionError("number too long");
  return value;
}

function truncated(): CorruptionError {
  return new CorruptionError("data ends too early");
}
