import { MAX_SCANNED_BYTES } from "./line-scanner.ts";

/** A character takes up to four bytes, and one that has no room left is not begun. */
const ROOM = 8;

/** The beginning of a text in UTF-8: all of it, or more than a scanner looks at. Holds one line at a time. */
export class LineBytes {
  readonly bytes: Buffer = Buffer.from(new ArrayBuffer(MAX_SCANNED_BYTES + ROOM));
  length = 0;
  readonly #encoder = new TextEncoder();

  set(line: string): void {
    this.length = this.#encoder.encodeInto(line, this.bytes).written;
  }
}
