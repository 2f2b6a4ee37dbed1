import type { TimeRange } from "@sightline/model/time-range.ts";
import { type PageReader, readTimes } from "./page-bytes.ts";
import { locateValues, type OpenPage } from "./page-codec.ts";

/** Alike ones of the same first time and length that are compared with; more are no longer. */
const MAX_ALIKE = 8;
/** Times that are kept; with more, those that come from then on are compared with each other only. */
const MAX_TIMES = 4_000_000;

/** Times as a page has them, and what they are. */
type ReadTimes = { readonly bytes: Buffer; readonly timesMs: Float64Array };
/** What begins with certain pieces: longer ones by the piece that is next, and all of them together. */
type Joined = { readonly next: Map<Float64Array, Joined>; times: TimesInRange | undefined };
/** Those of several pieces that are in the range: from the place `from` to before `to`. */
export type TimesInRange = { readonly from: number; readonly to: number; readonly timesMs: Float64Array };

/**
 * Series that are scraped together have the same times, and so in each page. They are decoded once for all of them, and put together
 * once. When they have the same array, the query engine, too, works out once which samples are in which window.
 */
export class SharedTimes {
  readonly #known = new Map<number, Float64Array[]>();
  readonly #read = new Map<number, ReadTimes[]>();
  readonly #ofPages = new Map<OpenPage, Map<number, Float64Array>>();
  readonly #range: TimeRange;
  #joined: Joined = { next: new Map(), times: undefined };
  #kept = 0;

  constructor(range: TimeRange) {
    this.#range = range;
  }

  /** An array with these times: that of an earlier call, or a copy. */
  of(timesMs: Float64Array): Float64Array {
    if (timesMs.length === 0) return timesMs;
    const key = (timesMs[0] as number) + timesMs.length;
    const bytes = bytesOf(timesMs);
    const same = this.#known.get(key)?.find((known) => bytesOf(known).equals(bytes));
    if (same) return same;
    const copy = timesMs.slice();
    this.#keep(this.#known, key, copy, copy.length);
    return copy;
  }

  /** So many times from where the reader is, which is behind them then. Throws `CorruptionError`. */
  read(reader: PageReader, count: number): Float64Array {
    const from = reader.at;
    // The low bits of the first time: four bytes begin no other number than themselves.
    const key = from + 4 <= reader.bytes.length ? reader.bytes.readUInt32LE(from) * 65_536 + (count % 65_536) : -1;
    for (const { bytes, timesMs } of this.#read.get(key) ?? []) {
      const to = from + bytes.length;
      if (timesMs.length !== count || to > reader.bytes.length || bytes.compare(reader.bytes, from, to) !== 0) continue;
      reader.at = to;
      return timesMs;
    }
    const timesMs = new Float64Array(count);
    readTimes(reader, timesMs, 0, count);
    // A copy: the page would stay in memory for it.
    const bytes = Buffer.from(reader.bytes.subarray(from, reader.at));
    this.#keep(this.#read, key, { bytes, timesMs }, count);
    return timesMs;
  }

  /** Those of the series at this place of the page's head. Throws `CorruptionError`. */
  ofPage(page: OpenPage, entry: number): Float64Array {
    if (page.valuesAt[entry] === 0) locateValues(page, entry);
    const first = page.sameTimes[entry] as number;
    let times = this.#ofPages.get(page);
    if (!times) {
      times = new Map();
      this.#ofPages.set(page, times);
    }
    let own = times.get(first);
    if (!own) {
      const { reader, offsets, counts } = page;
      reader.at = (offsets[first] as number) + 1;
      own = this.read(reader, counts[first] as number);
      times.set(first, own);
    }
    return own;
  }

  /** These arrays of earlier calls, one behind the other and ascending, and what of them is in the range. */
  join(pieces: readonly Float64Array[]): TimesInRange {
    let node = this.#joined;
    for (const piece of pieces) {
      let next = node.next.get(piece);
      if (!next) {
        next = { next: new Map(), times: undefined };
        node.next.set(piece, next);
      }
      node = next;
    }
    node.times ??= this.#inRange(concatenated(pieces));
    return node.times;
  }

  #inRange(timesMs: Float64Array): TimesInRange {
    const { startMs, endMs } = this.#range;
    let from = 0;
    let to = timesMs.length;
    while (from < to && (timesMs[from] as number) < startMs) from++;
    while (to > from && (timesMs[to - 1] as number) > endMs) to--;
    this.#makeRoom(timesMs.length);
    return { from, to, timesMs: timesMs.subarray(from, to) };
  }

  #keep<T>(known: Map<number, T[]>, key: number, value: T, times: number): void {
    this.#makeRoom(times);
    const alike = known.get(key);
    if (!alike) known.set(key, [value]);
    else if (alike.length < MAX_ALIKE) alike.push(value);
  }

  #makeRoom(times: number): void {
    this.#kept += times;
    if (this.#kept <= MAX_TIMES) return;
    this.#known.clear();
    this.#read.clear();
    this.#ofPages.clear();
    this.#joined = { next: new Map(), times: undefined };
    this.#kept = times;
  }
}

function concatenated(pieces: readonly Float64Array[]): Float64Array {
  if (pieces.length === 1) return pieces[0] as Float64Array;
  const all = new Float64Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float64Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
