import { CorruptionError } from "@sightline/model/errors.ts";
import { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { decodeInts, MAX_CHUNK_SAMPLES, skipInts } from "./decode-ints.ts";
import { IntEncoder } from "./int-encoder.ts";
import { HEADERS, MAX_INT_WIDTH, PageStreamsWriter, STREAMS, unpackStreams } from "./page-streams.ts";

/** Runs of times. The series of one scrape have the same times, so chunks refer to runs and runs are written once. */
export class TimePageWriter {
  readonly #streams = new PageStreamsWriter();
  readonly #encoder = new IntEncoder();

  get rawBytes(): number {
    return this.#streams.rawBytes;
  }

  add(timesMs: Float64Array): void {
    (this.#streams.streams[HEADERS] as ByteWriter).varint(timesMs.length);
    this.#encoder.encode(timesMs, timesMs.length, this.#streams.streams);
  }

  finish(): Uint8Array {
    return this.#streams.finish();
  }
}

export class TimePage {
  readonly #streams: readonly Uint8Array[];
  readonly #lengths: number[] = [];
  readonly #headerOffsets: number[] = [];
  readonly #planeOffsets: number[] = [];
  readonly #runs: Float64Array[] = [];
  #samples = 0;

  /** Throws CorruptionError when the bytes are no page. */
  constructor(bytes: Uint8Array) {
    this.#streams = unpackStreams(bytes, STREAMS);
    const header = new ByteReader(this.#streams[HEADERS] as Uint8Array);
    const cursors = new Uint32Array(MAX_INT_WIDTH);
    while (header.offset < header.bytes.length) {
      const length = header.varint();
      if (length > MAX_CHUNK_SAMPLES) throw new CorruptionError(`run of ${length} times`);
      this.#lengths.push(length);
      this.#headerOffsets.push(header.offset);
      this.#planeOffsets.push(...cursors);
      this.#samples += length;
      skipInts(header, length, cursors);
    }
  }

  /** With all runs decoded, as they will be sooner or later. */
  get bytes(): number {
    let total = this.#samples * 8 + this.#lengths.length * 100;
    for (const stream of this.#streams) total += stream.length;
    return total;
  }

  /** Runs that are in it. */
  get length(): number {
    return this.#lengths.length;
  }

  /** The same array for the same run every time. */
  run(index: number): Float64Array {
    const known = this.#runs[index];
    if (known) return known;
    const length = this.#lengths[index];
    if (length === undefined) throw new CorruptionError(`no run ${index} in a page of times`);
    const times = new Float64Array(length);
    const header = new ByteReader(this.#streams[HEADERS] as Uint8Array, this.#headerOffsets[index]);
    const cursors = Uint32Array.from(this.#planeOffsets.slice(index * MAX_INT_WIDTH, (index + 1) * MAX_INT_WIDTH));
    decodeInts(header, this.#streams, cursors, length, 0, length, 1, times, 0);
    this.#runs[index] = times;
    return times;
  }
}
