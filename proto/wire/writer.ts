import { BYTES, FIXED64, VARINT } from "./reader.ts";

const MAX_LENGTH_BYTES = 5;

/** Writes protobuf into a buffer that grows. Fields with their default are written, too. */
export class WireWriter {
  #bytes = Buffer.allocUnsafe(1_024);
  #length = 0;

  /** What was written; the writer must not be used any more. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A message whose fields `write` writes. */
  message(field: number, write: () => void): void {
    this.#tag(field, BYTES);
    const start = this.#length;
    // How long it is shows afterwards.
    this.#reserve(MAX_LENGTH_BYTES);
    this.#length += MAX_LENGTH_BYTES;
    write();
    const size = this.#length - start - MAX_LENGTH_BYTES;
    this.#length = start;
    this.#varint(size);
    this.#bytes.copy(this.#bytes, this.#length, start + MAX_LENGTH_BYTES, start + MAX_LENGTH_BYTES + size);
    this.#length += size;
  }

  text(field: number, text: string): void {
    this.#tag(field, BYTES);
    const size = Buffer.byteLength(text);
    this.#varint(size);
    this.#reserve(size);
    this.#bytes.write(text, this.#length);
    this.#length += size;
  }

  /** Integral, from 0 to 2^53. */
  integer(field: number, value: number): void {
    this.#tag(field, VARINT);
    this.#varint(value);
  }

  /** Of 32 bits. */
  zigzag(field: number, value: number): void {
    this.integer(field, ((value << 1) ^ (value >> 31)) >>> 0);
  }

  double(field: number, value: number): void {
    this.#tag(field, FIXED64);
    this.#reserve(8);
    this.#bytes.writeDoubleLE(value, this.#length);
    this.#length += 8;
  }

  /** An element of an array, whose bits stay as they are: a staleness marker is one of many NaNs. */
  doubleAt(field: number, values: Float64Array, index: number): void {
    this.#tag(field, FIXED64);
    this.#copy(values, index, 1);
  }

  /** A packed list; nothing for an empty one. */
  doubles(field: number, values: Float64Array): void {
    if (values.length === 0) return;
    this.#tag(field, BYTES);
    this.#varint(values.length * 8);
    this.#copy(values, 0, values.length);
  }

  #copy(values: Float64Array, start: number, count: number): void {
    this.#reserve(count * 8);
    const bytes = new Uint8Array(values.buffer, values.byteOffset + start * 8, count * 8);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #tag(field: number, type: number): void {
    this.#varint(field * 8 + type);
  }

  #varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + size));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
