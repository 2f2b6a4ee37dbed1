import type { WireReader } from "../../wire/reader.ts";

/**
 * The bytes of a repeated field of one message. Usually they lie side by side and the range is a view of the request;
 * where a sender scatters them they are gathered in memory of its own.
 */
export class ByteRange {
  bytes: Uint8Array;
  view: DataView;
  start = 0;
  end = 0;
  #own = new Uint8Array(256);
  #ownView = new DataView(this.#own.buffer);
  #request: Uint8Array;

  constructor() {
    this.bytes = this.#own;
    this.view = this.#ownView;
    this.#request = this.#own;
  }

  get length(): number {
    return this.end - this.start;
  }

  clear(reader: WireReader): void {
    this.#request = reader.bytes;
    this.bytes = reader.bytes;
    this.view = reader.view;
    this.start = 0;
    this.end = 0;
  }

  /** Adds `[start, end)` of the bytes that it was cleared for. */
  add(start: number, end: number): void {
    if (this.start === this.end) {
      this.start = start;
      this.end = end;
    } else if (this.end === start && this.bytes === this.#request) this.end = end;
    else this.#gather(start, end);
  }

  #gather(start: number, end: number): void {
    const held = this.end - this.start;
    const needed = held + end - start;
    const source = this.bytes;
    if (needed > this.#own.length) {
      const larger = new Uint8Array(2 * needed);
      if (source === this.#own) larger.set(source.subarray(0, held));
      this.#own = larger;
      this.#ownView = new DataView(larger.buffer);
    }
    if (source === this.#request) this.#own.set(source.subarray(this.start, this.end));
    this.#own.set(this.#request.subarray(start, end), held);
    this.bytes = this.#own;
    this.view = this.#ownView;
    this.start = 0;
    this.end = needed;
  }
}
