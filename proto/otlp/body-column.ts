import { Utf8Texts } from "@sightline/model/utf8-texts.ts";
import type { WireReader } from "../wire/reader.ts";
import { ANY_STRING, type AnyValueReader } from "./attributes.ts";
import { mayStayBytes, stringsInSteps } from "./kept-as-bytes.ts";

/** Rows that are copied in one go. */
const STEP_ROWS = 8_192;

/** The bodies of log records, row by row. Those that are strings are not decoded but copied as they are. */
export class BodyColumn {
  readonly #buffer: Buffer;
  readonly #values: AnyValueReader;
  /** Where in the request each body is. */
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  /** Bodies that are no strings. */
  readonly #texts = new Map<number, Buffer>();

  constructor(rows: number, buffer: Buffer, values: AnyValueReader) {
    this.#buffer = buffer;
    this.#values = values;
    this.#starts = new Uint32Array(rows);
    this.#ends = new Uint32Array(rows);
  }

  clear(row: number): void {
    this.#ends[row] = this.#starts[row] = 0;
    if (this.#texts.size > 0) this.#texts.delete(row);
  }

  /** Reads the AnyValue that the reader has entered. */
  read(reader: WireReader, row: number): void {
    this.clear(row);
    const start = reader.pos;
    if (reader.nextTag() === ANY_STRING) {
      const length = reader.skipBytes();
      if (reader.pos === reader.end) {
        this.#starts[row] = reader.pos - length;
        this.#ends[row] = reader.pos;
        return;
      }
    }
    reader.pos = start;
    this.#values.read(reader);
    this.#texts.set(row, Buffer.from(this.#values.text));
  }

  /** Of the first `length` rows, some at each step: see `runSteps`. As strings where they can't stay bytes. */
  *finish(length: number): Generator<void, Utf8Texts | string[]> {
    const ends = new Uint32Array(length);
    let size = 0;
    for (let row = 0; row < length; row++) {
      size += this.#texts.get(row)?.length ?? (this.#ends[row] as number) - (this.#starts[row] as number);
      ends[row] = size;
    }
    // Not of the pool, of which a small batch would keep more alive than it has.
    const bytes = Buffer.allocUnsafeSlow(size);
    for (let row = 0, at = 0; row < length; row++) {
      const text = this.#texts.get(row);
      if (text) text.copy(bytes, at);
      else this.#buffer.copy(bytes, at, this.#starts[row], this.#ends[row]);
      at = ends[row] as number;
      if (row % STEP_ROWS === STEP_ROWS - 1) yield;
    }
    yield;
    const texts = new Utf8Texts(bytes, ends);
    return mayStayBytes(texts) ? texts : ((yield* stringsInSteps(texts)) as string[]);
  }
}
