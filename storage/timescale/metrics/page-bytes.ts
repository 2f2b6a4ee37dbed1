import { CorruptionError } from "@sightline/model/errors.ts";

/** Grows as it is written to. */
export class PageWriter {
  bytes = Buffer.allocUnsafe(64 * 1024);
  length = 0;

  u8(value: number): void {
    this.#ensure(1);
    this.bytes[this.length++] = value;
  }

  /** Integers from 0 to 2^53. */
  varint(value: number): void {
    this.#ensure(8);
    let left = value;
    while (left >= 128) {
      this.bytes[this.length++] = (left % 128) + 128;
      left = Math.floor(left / 128);
    }
    this.bytes[this.length++] = left;
  }

  /** Integers up to 2^52, of either sign. */
  zigzag(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  id(value: bigint): void {
    this.#ensure(8);
    this.length = this.bytes.writeBigInt64LE(value, this.length);
  }

  word(value: number): void {
    this.#ensure(4);
    this.length = this.bytes.writeUInt32LE(value, this.length);
  }

  #ensure(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(this.bytes.length * 2);
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}

/** Throws `CorruptionError` where the bytes end too early. */
export class PageReader {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  u8(): number {
    if (this.at >= this.bytes.length) throw tooShort();
    return this.bytes[this.at++] as number;
  }

  varint(): number {
    const { bytes } = this;
    let byte = bytes[this.at++] as number;
    if (byte < 128) return byte;
    let value = byte - 128;
    let factor = 128;
    for (;;) {
      byte = bytes[this.at++] as number;
      if (byte === undefined) throw tooShort();
      if (byte < 128) return value + byte * factor;
      value += (byte - 128) * factor;
      factor *= 128;
    }
  }

  zigzag(): number {
    // Most are of one byte.
    const byte = this.bytes[this.at] as number;
    if (byte < 128) {
      this.at++;
      return (byte >>> 1) ^ -(byte & 1);
    }
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  word(): number {
    this.#need(4);
    this.at += 4;
    return this.bytes.readUInt32LE(this.at - 4);
  }

  skip(bytes: number): void {
    this.#need(bytes);
    this.at += bytes;
  }

  #need(bytes: number): void {
    if (this.at + bytes > this.bytes.length) throw tooShort();
  }
}

/** So many times, as differences of differences. Throws `CorruptionError` where the bytes end too early. */
export function readTimes(reader: PageReader, out: Float64Array, from: number, count: number): void {
  const { bytes } = reader;
  let { at } = reader;
  let timeMs = 0;
  let step = 0;
  for (let i = from; i < from + count; i++) {
    const byte = bytes[at] as number;
    if (byte < 128) {
      at++;
      step += (byte >>> 1) ^ -(byte & 1);
    } else {
      reader.at = at;
      step += reader.zigzag();
      at = reader.at;
    }
    timeMs += step;
    out[i] = timeMs;
  }
  reader.at = at;
}

/** Where they end, without reading them: each is a varint. Throws `CorruptionError` where the bytes end too early. */
export function skipTimes(reader: PageReader, count: number): void {
  const { bytes } = reader;
  let { at } = reader;
  for (let left = count; left > 0; at++) if ((bytes[at] ?? 0) < 128) left--;
  if (at > bytes.length) throw tooShort();
  reader.at = at;
}

function tooShort(): CorruptionError {
  return new CorruptionError("a page of samples ends too early");
}
