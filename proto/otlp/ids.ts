/**
 * Trace and span ids as lower-case hex. Rows of one trace tend to come together: an id that equals the one before it is
 * not made again.
 */
export class IdReader {
  readonly #buffer: Buffer;
  readonly #length: number;
  #lastStart = -1;
  #last = "";

  /** `length` is the number of bytes of a valid id: 16 for traces, 8 for spans. */
  constructor(buffer: Buffer, length: number) {
    this.#buffer = buffer;
    this.#length = length;
  }

  /** The id in `[start, end)`, "" when it is not valid: of another length, or all zero. */
  read(start: number, end: number): string {
    if (end - start !== this.#length) return "";
    if (this.#lastStart >= 0 && this.#isLast(start)) return this.#last;
    if (this.#isZero(start)) return "";
    this.#lastStart = start;
    this.#last = this.#buffer.toString("hex", start, end);
    return this.#last;
  }

  #isLast(start: number): boolean {
    const buffer = this.#buffer;
    for (let i = 0; i < this.#length; i++) if (buffer[this.#lastStart + i] !== buffer[start + i]) return false;
    return true;
  }

  #isZero(start: number): boolean {
    for (let i = start; i < start + this.#length; i++) if (this.#buffer[i] !== 0) return false;
    return true;
  }
}
