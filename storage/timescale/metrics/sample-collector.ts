import { wordsOf } from "@sightline/model/stale.ts";
import { type CopyRowSink, readInt8 } from "../database/binary-copy-parser.ts";

/** Consecutive samples of one series in the columns of a collector. `isPacked`: they were written before those that are not. */
export type Segment = { readonly from: number; to: number; readonly isPacked: boolean };

type Run = {
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  readonly startsMs: Float64Array | undefined;
};

/** Samples of several series in shared columns. Takes rows of (ordinal of the series from 1, time, value, start). */
export class SampleCollector implements CopyRowSink {
  timesMs: Float64Array<ArrayBuffer>;
  values: Float64Array<ArrayBuffer>;
  /** Undefined as long as no start time is known. */
  #startsMs: Float64Array<ArrayBuffer> | undefined;
  length = 0;
  readonly #segments: Segment[][];
  #words: Uint32Array;
  #series = -1;
  #open: Segment | undefined;

  /** `capacity`: for how many samples there is room at first. */
  constructor(seriesCount: number, capacity: number) {
    this.timesMs = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
    this.#words = wordsOf(this.values);
    this.#segments = Array.from({ length: seriesCount }, () => []);
  }

  /** Empty for a number that no series has. */
  segmentsOf(series: number): readonly Segment[] {
    return this.#segments[series] ?? [];
  }

  get hasStarts(): boolean {
    return this.#startsMs !== undefined;
  }

  /** Start times of these rows, 0 where unknown; undefined when none is known at all. */
  startsOf(from: number, to: number): Float64Array | undefined {
    return this.#startsMs?.subarray(from, to);
  }

  /** The column of start times, to be written to. */
  withStarts(): Float64Array {
    this.#startsMs ??= new Float64Array(this.timesMs.length);
    return this.#startsMs;
  }

  row(bytes: Buffer, offsets: Int32Array, lengths: Int32Array): void {
    this.rowOf(bytes.readUInt32BE((offsets[0] as number) + 4) - 1, bytes, offsets, lengths);
  }

  addSeries(): void {
    this.#segments.push([]);
  }

  /** Samples that ascend in time. */
  addRun(series: number, { timesMs, values, startsMs }: Run, isPacked = false): void {
    this.reserve(timesMs.length);
    this.begin(series, isPacked);
    this.timesMs.set(timesMs, this.length);
    this.values.set(values, this.length);
    if (startsMs) this.withStarts().set(startsMs, this.length);
    this.added(timesMs.length);
    this.end();
  }

  /** Field 0 is not looked at. */
  rowOf(series: number, bytes: Buffer, offsets: Int32Array, lengths: Int32Array): void {
    const timeMs = readInt8(bytes, offsets[1] as number);
    const row = this.length;
    if (series !== this.#series || !this.#open) this.begin(series, false);
    // The rows of a series are in the order of time, then of writing.
    else if (timeMs === this.timesMs[row - 1]) return;
    this.reserve(1);
    this.timesMs[row] = timeMs;
    const value = offsets[2] as number;
    this.#words[2 * row + 1] = bytes.readUInt32BE(value);
    this.#words[2 * row] = bytes.readUInt32BE(value + 4);
    if ((lengths[3] as number) > 0) this.withStarts()[row] = readInt8(bytes, offsets[3] as number);
    this.length = row + 1;
    (this.#open as Segment).to = row + 1;
  }

  /** What is added from now on belongs to this series. */
  begin(series: number, isPacked: boolean): void {
    this.#series = series;
    this.#open = { from: this.length, to: this.length, isPacked };
    (this.#segments[series] as Segment[]).push(this.#open);
  }

  /** Of samples that were written into the columns from `length` on. */
  added(count: number): void {
    this.length += count;
    (this.#open as Segment).to = this.length;
  }

  /** Ends the run of one series: what comes next begins another, even of the same. */
  end(): void {
    this.#open = undefined;
  }

  reserve(samples: number): void {
    const needed = this.length + samples;
    if (needed <= this.timesMs.length) return;
    const size = Math.max(needed, this.timesMs.length * 2);
    this.timesMs = grown(this.timesMs, size);
    if (this.#startsMs) this.#startsMs = grown(this.#startsMs, size);
    // Words, because a copy of doubles may make all NaNs alike.
    const words = new Uint32Array(2 * size);
    words.set(this.#words);
    this.#words = words;
    this.values = new Float64Array(words.buffer);
  }
}

function grown(from: Float64Array, size: number): Float64Array<ArrayBuffer> {
  const to = new Float64Array(size);
  to.set(from);
  return to;
}
