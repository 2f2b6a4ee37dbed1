import { CorruptionError } from "@sightline/model/errors.ts";
import type { NativeHistogram } from "@sightline/model/histogram.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { ChunkTable } from "./chunk-table.ts";
import { MAX_CHUNK_SAMPLES } from "./decode-ints.ts";
import { readHistograms, writeHistograms } from "./histogram-codec.ts";
import { EXTRAS, HEADERS, MAX_INT_WIDTH, PageStreamsWriter, STREAMS, unpackStreams } from "./page-streams.ts";
import { MARK_STRIDE, RunMarks } from "./run-marks.ts";
import { readStarts, writeStarts } from "./start-codec.ts";
import { decodeValues, skipValues, type ValueCursors, ValueEncoder } from "./value-codec.ts";

/**
 * Chunks of many series, ascending by series. In the header stream, per chunk: series (as the distance to that of the
 * chunk before), kind, samples, number of its time run (as a signed distance), bytes in the extras stream if the kind
 * says so, and the values' own header. In the extras stream: start times, exceptions, histograms.
 */
const HISTOGRAMS = 0x01;
const STARTS = 0x02;
const HAS_EXTRAS = 0x04;

export class DataPageWriter {
  readonly #streams = new PageStreamsWriter();
  readonly #values = new ValueEncoder();
  readonly #extras = new ByteWriter();
  readonly #valueHeader = new ByteWriter();
  /** Those of the page, but the header goes aside, because what is before it is not known until the values are coded. */
  readonly #valueStreams = [this.#valueHeader, ...this.#streams.streams.slice(HEADERS + 1)];
  #firstSeries = -1;
  #lastSeries = 0;
  #lastTimeRun = 0;

  get rawBytes(): number {
    return this.#streams.rawBytes;
  }

  get isEmpty(): boolean {
    return this.#firstSeries < 0;
  }

  addValues(
    series: number,
    timeRun: number,
    timesMs: Float64Array,
    values: Float64Array,
    startsMs: Float64Array | undefined,
  ): void {
    const extras = this.#extras;
    extras.clear();
    if (startsMs) writeStarts(startsMs, timesMs, timesMs.length, extras);
    this.#valueHeader.clear();
    this.#values.encode(values, values.length, this.#valueStreams, extras);
    this.#writeHeader(series, startsMs ? STARTS : 0, values.length, timeRun);
    (this.#streams.streams[HEADERS] as ByteWriter).bytes(this.#valueHeader.written());
  }

  addHistograms(
    series: number,
    timeRun: number,
    timesMs: Float64Array,
    histograms: readonly NativeHistogram[],
    startsMs: Float64Array | undefined,
  ): void {
    const extras = this.#extras;
    extras.clear();
    if (startsMs) writeStarts(startsMs, timesMs, timesMs.length, extras);
    writeHistograms(histograms, extras);
    this.#writeHeader(series, HISTOGRAMS | (startsMs ? STARTS : 0), histograms.length, timeRun);
  }

  #writeHeader(series: number, kind: number, length: number, timeRun: number): void {
    if (this.#firstSeries < 0) this.#firstSeries = series;
    const header = this.#streams.streams[HEADERS] as ByteWriter;
    const extras = this.#extras.written();
    header.varint(series - this.#lastSeries);
    header.u8(kind | (extras.length > 0 ? HAS_EXTRAS : 0));
    header.varint(length);
    header.zigzag(timeRun - this.#lastTimeRun);
    if (extras.length > 0) {
      header.varint(extras.length);
      (this.#streams.streams[EXTRAS] as ByteWriter).bytes(extras);
    }
    this.#lastSeries = series;
    this.#lastTimeRun = timeRun;
  }

  /** The page's bytes and the first and last series in it; the writer is empty afterwards. */
  finish(): { readonly bytes: Uint8Array; readonly firstSeries: number; readonly lastSeries: number } {
    const page = { bytes: this.#streams.finish(), firstSeries: this.#firstSeries, lastSeries: this.#lastSeries };
    this.#firstSeries = -1;
    this.#lastSeries = 0;
    this.#lastTimeRun = 0;
    return page;
  }
}

/** A decompressed page with a table of its chunks, which are decoded one by one when they are asked for. */
export class DataPage {
  /** Ascending by series, which may have several. */
  readonly chunks = new ChunkTable();
  readonly #streams: readonly Uint8Array[];
  readonly #header: ByteReader;
  readonly #extras: ByteReader;
  readonly #cursors: ValueCursors = { planes: new Uint32Array(MAX_INT_WIDTH), raw: 0 };
  #marks: RunMarks | undefined;

  /** Throws {@link CorruptionError} when the bytes are no page. */
  constructor(bytes: Uint8Array) {
    this.#streams = unpackStreams(bytes, STREAMS);
    this.#header = new ByteReader(this.#streams[HEADERS] as Uint8Array);
    this.#extras = new ByteReader(this.#streams[EXTRAS] as Uint8Array);
    this.#scan();
  }

  get bytes(): number {
    // With all marks, as they will be sooner or later.
    let total = this.chunks.bytes + RunMarks.bytes(this.chunks.length, MAX_CHUNK_SAMPLES);
    for (const stream of this.#streams) total += stream.length;
    return total;
  }

  isHistogram(chunk: number): boolean {
    return (this.chunks.kind(chunk) & HISTOGRAMS) !== 0;
  }

  /** Decodes values `from` (included) to `to` (excluded) of a chunk into `out` from `at` on. */
  readValues(chunk: number, from: number, to: number, out: Float64Array, at: number): void {
    this.#seek(chunk);
    const length = this.chunks.samples(chunk);
    if (this.#hasStarts(chunk)) skipStarts(this.#extras, length);
    if (from >= MARK_STRIDE) this.#marks ??= new RunMarks(this.chunks.length, MAX_CHUNK_SAMPLES);
    const marks = this.#marks?.at(chunk);
    decodeValues(this.#header, this.#extras, this.#streams, this.#cursors, length, from, to, out, at, marks);
  }

  readStarts(chunk: number, timesMs: Float64Array): Float64Array | undefined {
    if (!this.#hasStarts(chunk)) return undefined;
    this.#seek(chunk);
    const length = this.chunks.samples(chunk);
    const starts = new Float64Array(length);
    readStarts(this.#extras, timesMs, length, starts, 0);
    return starts;
  }

  readHistograms(chunk: number): NativeHistogram[] {
    this.#seek(chunk);
    const length = this.chunks.samples(chunk);
    if (this.#hasStarts(chunk)) skipStarts(this.#extras, length);
    return readHistograms(this.#extras, length);
  }

  #hasStarts(chunk: number): boolean {
    return (this.chunks.kind(chunk) & STARTS) !== 0;
  }

  #seek(chunk: number): void {
    this.chunks.seek(chunk, this.#header, this.#extras, this.#cursors);
  }

  #scan(): void {
    const header = this.#header;
    const cursors: ValueCursors = { planes: new Uint32Array(MAX_INT_WIDTH), raw: 0 };
    let series = 0;
    let timeRun = 0;
    let extra = 0;
    while (header.offset < header.bytes.length) {
      series += header.varint();
      const kind = header.u8();
      const length = header.varint();
      timeRun += header.zigzag();
      const extraBytes = (kind & HAS_EXTRAS) === 0 ? 0 : header.varint();
      if (length > MAX_CHUNK_SAMPLES) throw new CorruptionError(`chunk of ${length} samples`);
      this.chunks.add(series, kind, length, timeRun, header.offset, extra, cursors);
      extra += extraBytes;
      if ((kind & HISTOGRAMS) === 0) skipValues(header, length, cursors);
    }
    this.chunks.trim();
  }
}

function skipStarts(extras: ByteReader, length: number): void {
  readStarts(extras, ZEROS, length, ZEROS_OUT, 0);
}
const ZEROS = new Float64Array(MAX_CHUNK_SAMPLES);
const ZEROS_OUT = new Float64Array(MAX_CHUNK_SAMPLES);
