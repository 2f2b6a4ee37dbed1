import type { AttributeColumn, AttributeType } from "@sightline/model/attributes.ts";
import { LazyAttributeColumn } from "@sightline/model/lazy-attribute-column.ts";
import { Utf8Texts } from "@sightline/model/utf8-texts.ts";
import { mayStayBytes, stringsInSteps } from "./kept-as-bytes.ts";

const FIRST_ROWS = 16;
/** What a value is taken for at first. */
const TYPICAL_BYTES = 12;
const LAST_ASCII = 0x7f;

/** One attribute of rows that come one after the other: the values are copied from the request, not decoded. */
export class TextColumn {
  readonly name: string;
  readonly type: AttributeType;
  #bytes: Buffer;
  #length = 0;
  #ends: Uint32Array<ArrayBuffer>;
  /** By row, 0 where there is no value; absent as long as there is one in each. */
  #has: Uint8Array<ArrayBuffer> | undefined;
  #rows = 0;
  #count = 0;

  /** `rows`: how many to make room for at once. */
  constructor(name: string, type: AttributeType, rows: number) {
    this.name = name;
    this.type = type;
    const capacity = Math.max(rows, FIRST_ROWS);
    this.#ends = new Uint32Array(capacity);
    this.#bytes = Buffer.allocUnsafeSlow(capacity * TYPICAL_BYTES);
  }

  /** How many rows have a value. */
  get count(): number {
    return this.#count;
  }

  /** Gives a row the bytes in `[start, end)`. Rows ascend; what the last one had before is replaced. */
  putBytes(row: number, source: Uint8Array, start: number, end: number): void {
    this.#begin(row);
    const length = end - start;
    this.#reserve(length);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = start; i < end; i++) bytes[at++] = source[i] as number;
    this.#finishRow(at);
  }

  /** As {@link putBytes}. */
  putText(row: number, text: string): void {
    this.#begin(row);
    // A UTF-16 code unit takes three bytes at most.
    this.#reserve(text.length * 3);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > LAST_ASCII) {
        at = this.#length + bytes.write(text, this.#length);
        break;
      }
      bytes[at++] = code;
    }
    this.#finishRow(at);
  }

  /** Takes back what `row` has, if it is the last one that has something. */
  remove(row: number): void {
    if (row !== this.#rows - 1) return;
    this.#rows = row;
    this.#length = row === 0 ? 0 : (this.#ends[row - 1] as number);
    this.#count--;
  }

  /**
   * `length`: the rows that the column has in the end, at least. In steps (see `runSteps`), and as strings where they can't
   * stay bytes.
   */
  *finish(length: number): Generator<void, AttributeColumn> {
    this.#skipTo(length);
    const { name, type } = this;
    const bytes = Buffer.allocUnsafeSlow(this.#length);
    this.#bytes.copy(bytes, 0, 0, this.#length);
    const rows = this.#rows;
    const texts = new Utf8Texts(bytes, this.#ends.slice(0, rows), this.#has?.slice(0, rows));
    if (mayStayBytes(texts)) return new LazyAttributeColumn(name, type, texts);
    return { name, type, values: yield* stringsInSteps(texts) };
  }

  #begin(row: number): void {
    this.remove(row);
    this.#skipTo(row);
    if (row === this.#ends.length) this.#grow(row + 1);
  }

  #finishRow(end: number): void {
    this.#length = end;
    this.#ends[this.#rows] = end;
    if (this.#has) this.#has[this.#rows] = 1;
    this.#rows++;
    this.#count++;
  }

  /** Rows up to `row` have no value. */
  #skipTo(row: number): void {
    if (this.#rows >= row) return;
    if (row > this.#ends.length) this.#grow(row);
    this.#has ??= new Uint8Array(this.#ends.length).fill(1, 0, this.#rows);
    this.#has.fill(0, this.#rows, row);
    this.#ends.fill(this.#length, this.#rows, row);
    this.#rows = row;
  }

  #grow(rows: number): void {
    const capacity = Math.max(rows, 2 * this.#ends.length);
    const ends = new Uint32Array(capacity);
    ends.set(this.#ends);
    this.#ends = ends;
    if (!this.#has) return;
    const has = new Uint8Array(capacity);
    has.set(this.#has);
    this.#has = has;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
