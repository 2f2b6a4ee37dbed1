import type { ByteReader } from "./byte-reader.ts";
import { MAX_INT_WIDTH } from "./page-streams.ts";
import type { ValueCursors } from "./value-codec.ts";

/** Words of a chunk in the table: what its header says, then where each of its streams begins. */
const SERIES = 0;
const KIND = 1;
const LENGTH = 2;
const TIME_RUN = 3;
const HEADER = 4;
const EXTRA = 5;
const RAW = 6;
const PLANES = 7;
const WORDS = PLANES + MAX_INT_WIDTH;

/** The chunks of a page and where in its streams they are, in one array: pages have some hundred. */
export class ChunkTable {
  #words = new Uint32Array(64 * WORDS);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#words.byteLength;
  }

  add(
    series: number,
    kind: number,
    length: number,
    timeRun: number,
    header: number,
    extra: number,
    cursors: ValueCursors,
  ): void {
    const at = this.#length++ * WORDS;
    if (at === this.#words.length) {
      const words = new Uint32Array(at * 2);
      words.set(this.#words);
      this.#words = words;
    }
    const words = this.#words;
    words[at + SERIES] = series;
    words[at + KIND] = kind;
    words[at + LENGTH] = length;
    words[at + TIME_RUN] = timeRun;
    words[at + HEADER] = header;
    words[at + EXTRA] = extra;
    words[at + RAW] = cursors.raw;
    for (let plane = 0; plane < MAX_INT_WIDTH; plane++) words[at + PLANES + plane] = cursors.planes[plane] as number;
  }

  /** To be called after the last `add`. */
  trim(): void {
    this.#words = this.#words.slice(0, this.#length * WORDS);
  }

  series(chunk: number): number {
    return this.#words[chunk * WORDS + SERIES] as number;
  }

  kind(chunk: number): number {
    return this.#words[chunk * WORDS + KIND] as number;
  }

  samples(chunk: number): number {
    return this.#words[chunk * WORDS + LENGTH] as number;
  }

  timeRun(chunk: number): number {
    return this.#words[chunk * WORDS + TIME_RUN] as number;
  }

  /** Sets readers and cursors to where the chunk begins. */
  seek(chunk: number, header: ByteReader, extras: ByteReader, cursors: ValueCursors): void {
    const words = this.#words;
    const at = chunk * WORDS;
    header.offset = words[at + HEADER] as number;
    extras.offset = words[at + EXTRA] as number;
    cursors.raw = words[at + RAW] as number;
    for (let plane = 0; plane < MAX_INT_WIDTH; plane++) cursors.planes[plane] = words[at + PLANES + plane] as number;
  }

  /** Index of the first chunk that is not of a series before this one. */
  firstOf(series: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.series(middle) < series) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
