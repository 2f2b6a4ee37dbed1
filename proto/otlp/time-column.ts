import { endianness } from "node:os";
import type { WireReader } from "../wire/reader.ts";

/** Signed nanoseconds end here, while the wire's are unsigned. */
export const LAST_TIME_MESSAGE = "is after 2262-04-11T23:47:16Z, the last time that can be kept";

const LOW = endianness() === "LE" ? 0 : 1;
const HIGH = 1 - LOW;

/** Nanoseconds since the epoch, row by row, read from fixed64 fields without making a BigInt of each. */
export class TimeColumn {
  readonly #values: BigInt64Array<ArrayBuffer>;
  readonly #words: Uint32Array;

  constructor(rows: number) {
    this.#values = new BigInt64Array(rows);
    this.#words = new Uint32Array(this.#values.buffer);
  }

  read(reader: WireReader, row: number): void {
    reader.readFixed64();
    this.#words[2 * row + LOW] = reader.low;
    this.#words[2 * row + HIGH] = reader.high;
  }

  clear(row: number): void {
    this.#words[2 * row] = 0;
    this.#words[2 * row + 1] = 0;
  }

  set(row: number, valueNs: bigint): void {
    this.#values[row] = valueNs;
  }

  copy(row: number, from: TimeColumn): void {
    this.#words[2 * row] = from.#words[2 * row] as number;
    this.#words[2 * row + 1] = from.#words[2 * row + 1] as number;
  }

  isZero(row: number): boolean {
    return this.#words[2 * row] === 0 && this.#words[2 * row + 1] === 0;
  }

  /** Whether the wire's unsigned number does not fit. */
  isAfterLast(row: number): boolean {
    return (this.#words[2 * row + HIGH] as number) >= 0x8000_0000;
  }

  /** Sets `row` to its distance from `start`, to 0 where it is before it. */
  subtract(row: number, start: TimeColumn): void {
    const low = (this.#words[2 * row + LOW] as number) - (start.#words[2 * row + LOW] as number);
    const high = (this.#words[2 * row + HIGH] as number) - (start.#words[2 * row + HIGH] as number) - (low < 0 ? 1 : 0);
    this.#words[2 * row + LOW] = high < 0 ? 0 : low;
    this.#words[2 * row + HIGH] = Math.max(high, 0);
  }

  finish(length: number): BigInt64Array {
    return this.#values.subarray(0, length);
  }
}
