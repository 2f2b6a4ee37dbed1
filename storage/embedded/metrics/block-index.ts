import { CorruptionError } from "@sightline/model/errors.ts";
import type { Label, Labels } from "@sightline/model/labels.ts";
import type { MetricType, SeriesInfo } from "@sightline/model/metric-batch.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { foldHash, HASH_SEED, hashPair } from "./labels-hash.ts";
import { packStreams, unpackStreams } from "./page-streams.ts";
import type { LabelIndex } from "./series-source.ts";
import { TimeSlice } from "./time-slice.ts";

/** Where a page is in its file, and its CRC-32. */
export type PagePlace = { readonly offset: number; readonly length: number; readonly crc: number };
export type TimePagePlace = PagePlace & { readonly firstRun: number };
export type DataPagePlace = PagePlace & { readonly firstSeries: number; readonly lastSeries: number };
/** Pages of a stretch of time, so that a query over an hour does not read a day. Data pages ascend by series. */
export type BlockWindow = {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly timePages: readonly TimePagePlace[];
  readonly dataPages: readonly DataPagePlace[];
};

const INDEX_STREAMS = 3;
const NO_PAIRS = { from: 0, to: 0 };

/** Packs the index of a block whose series are sorted by labels. Pauses now and then. */
export async function packBlockIndex(
  labels: readonly Labels[],
  infos: readonly SeriesInfo[],
  windows: readonly BlockWindow[],
): Promise<Uint8Array> {
  const slice = TimeSlice.inBackground();
  const meta = new ByteWriter();
  const pairNumbers = await writePairs(labels, meta, slice);
  const infoNumbers = writeInfos(infos, meta);
  writeWindows(windows, meta);
  const rows = new ByteWriter();
  const rest = new ByteWriter();
  rest.varint(labels.length);
  for (let id = 0; id < labels.length; id++) {
    const series = labels[id] as Labels;
    rest.varint(series.length);
    rest.varint(infoNumbers[id] as number);
    for (const [name, value] of series) rows.u32(pairNumbers.get(name)?.get(value) as number);
    if ((id & 255) === 0 && slice.due) await slice.pause();
  }
  return packStreams([meta.written(), rest.written(), rows.written()]);
}

/** Distinct labels by name, values sorted. Returns the number of each in this order. */
async function writePairs(
  labels: readonly Labels[],
  out: ByteWriter,
  slice: TimeSlice,
): Promise<Map<string, Map<string, number>>> {
  const values = new Map<string, Map<string, number>>();
  for (let id = 0; id < labels.length; id++) {
    for (const [name, value] of labels[id] as Labels) {
      const ofName = values.get(name);
      if (ofName) ofName.set(value, 0);
      else values.set(name, new Map([[value, 0]]));
    }
    if ((id & 255) === 0 && slice.due) await slice.pause();
  }
  let number = 0;
  out.varint(values.size);
  for (const name of [...values.keys()].sort()) {
    const ofName = values.get(name) as Map<string, number>;
    out.text(name);
    out.varint(ofName.size);
    for (const value of [...ofName.keys()].sort()) {
      out.text(value);
      ofName.set(value, number++);
    }
    if (slice.due) await slice.pause();
  }
  return values;
}

function writeInfos(infos: readonly SeriesInfo[], out: ByteWriter): number[] {
  const known = new Map<string, number>();
  const numbers = infos.map(({ type, unit, temporality, otelName }) => {
    const text = JSON.stringify([type, unit, temporality, otelName]);
    let number = known.get(text);
    if (number === undefined) {
      number = known.size;
      known.set(text, number);
    }
    return number;
  });
  out.varint(known.size);
  for (const text of known.keys()) out.text(text);
  return numbers;
}

function writeWindows(windows: readonly BlockWindow[], out: ByteWriter): void {
  const writePlace = ({ offset, length, crc }: PagePlace): void => {
    out.varint(offset);
    out.varint(length);
    out.u32(crc);
  };
  out.varint(windows.length);
  for (const { minTimeMs, maxTimeMs, timePages, dataPages } of windows) {
    out.zigzag(minTimeMs);
    out.zigzag(maxTimeMs);
    out.varint(timePages.length);
    for (const page of timePages) {
      writePlace(page);
      out.varint(page.firstRun);
    }
    out.varint(dataPages.length);
    for (const page of dataPages) {
      writePlace(page);
      out.varint(page.firstSeries);
      out.varint(page.lastSeries);
    }
  }
}

/**
 * The index of a block in memory: distinct labels as numbered pairs, the pairs of every series, and the series of every
 * pair, all as typed arrays: about 12 bytes per label of a series.
 */
export class BlockIndex implements LabelIndex {
  readonly windows: readonly BlockWindow[];
  readonly seriesCount: number;
  readonly #names = new Map<string, { readonly from: number; readonly to: number }>();
  readonly #pairs: Label[] = [];
  readonly #infos: readonly SeriesInfo[];
  readonly #infoNumbers: Uint32Array;
  readonly #rowOffsets: Uint32Array;
  readonly #rows: Uint32Array;
  readonly #postingOffsets: Uint32Array;
  readonly #postings: Uint32Array;
  readonly #hashes: Int32Array;
  readonly #labels: Labels[] = [];

  private constructor(meta: ByteReader, seriesCount: number, rows: Uint32Array) {
    this.#readPairs(meta);
    this.#infos = readInfos(meta);
    this.windows = readWindows(meta);
    this.seriesCount = seriesCount;
    this.#rowOffsets = new Uint32Array(seriesCount + 1);
    this.#infoNumbers = new Uint32Array(seriesCount);
    this.#hashes = new Int32Array(seriesCount);
    this.#rows = rows;
    this.#postings = new Uint32Array(rows.length);
    this.#postingOffsets = new Uint32Array(this.#pairs.length + 1);
  }

  /** Throws {@link CorruptionError} when the bytes are no index. Pauses now and then. */
  static async unpack(packed: Uint8Array): Promise<BlockIndex> {
    const slice = new TimeSlice();
    const [meta, rest, rows] = unpackStreams(packed, INDEX_STREAMS) as [Uint8Array, Uint8Array, Uint8Array];
    await slice.pause();
    const counts = new ByteReader(rest);
    const seriesCount = counts.count(2);
    // A copy, because a view of 32-bit words must begin at a multiple of four.
    const words = new Uint32Array(new Uint8Array(rows).buffer, 0, rows.length >>> 2);
    const index = new BlockIndex(new ByteReader(meta), seriesCount, words);
    await index.#fill(counts, slice);
    return index;
  }

  get bytes(): number {
    return this.#rows.length * 12 + this.seriesCount * 100 + this.#pairs.length * 150;
  }

  names(): Iterable<string> {
    return this.#names.keys();
  }

  *valuesOf(name: string): Iterable<string> {
    const range = this.#names.get(name);
    if (range) for (let pair = range.from; pair < range.to; pair++) yield (this.#pairs[pair] as Label)[1];
  }

  postings(name: string, value: string): ArrayLike<number> {
    const range = this.#names.get(name);
    if (!range) return [];
    let { from: low, to: high } = range;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#pairs[middle] as Label)[1] < value) low = middle + 1;
      else high = middle;
    }
    if (low === range.to || (this.#pairs[low] as Label)[1] !== value) return [];
    return this.#postings.subarray(this.#postingOffsets[low], this.#postingOffsets[low + 1]);
  }

  hashOf(id: number): number {
    return this.#hashes[id] as number;
  }

  hasLabels(id: number, labels: Labels): boolean {
    const from = this.#rowOffsets[id] as number;
    if (labels.length !== (this.#rowOffsets[id + 1] as number) - from) return false;
    for (let i = 0; i < labels.length; i++) {
      const [name, value] = labels[i] as Label;
      const pair = this.#pairs[this.#rows[from + i] as number] as Label;
      if (pair[1] !== value || pair[0] !== name) return false;
    }
    return true;
  }

  labelsOf(id: number): Labels {
    let labels = this.#labels[id];
    if (!labels) {
      const from = this.#rowOffsets[id] as number;
      const to = this.#rowOffsets[id + 1] as number;
      const pairs: Label[] = new Array(to - from);
      for (let i = from; i < to; i++) pairs[i - from] = this.#pairs[this.#rows[i] as number] as Label;
      labels = pairs;
      this.#labels[id] = labels;
    }
    return labels;
  }

  collectLabels(ids: readonly number[], name: string | undefined, into: Set<string>): void {
    const { from, to } = name === undefined ? { from: 0, to: this.#pairs.length } : (this.#names.get(name) ?? NO_PAIRS);
    const marks = new Uint8Array(to - from);
    if (name === undefined) this.#markPairs(ids, marks);
    else this.#markValues(ids, from, marks);
    for (let i = 0; i < marks.length; i++) {
      if (marks[i] === 1) into.add((this.#pairs[from + i] as Label)[name === undefined ? 0 : 1]);
    }
  }

  #markPairs(ids: readonly number[], marks: Uint8Array): void {
    for (let n = 0; n < ids.length; n++) {
      const id = ids[n] as number;
      const end = this.#rowOffsets[id + 1] as number;
      for (let i = this.#rowOffsets[id] as number; i < end; i++) marks[this.#rows[i] as number] = 1;
    }
  }

  /** Of the label with the pairs from `from` on, which `marks` has a place for. */
  #markValues(ids: readonly number[], from: number, marks: Uint8Array): void {
    // Series of one metric mostly have the label at the same place.
    let place = 0;
    for (let n = 0; n < ids.length; n++) {
      const id = ids[n] as number;
      const start = this.#rowOffsets[id] as number;
      const length = (this.#rowOffsets[id + 1] as number) - start;
      if (place >= length || !this.#isAmong(start + place, from, marks)) {
        for (place = 0; place < length && !this.#isAmong(start + place, from, marks); ) place++;
        if (place === length) continue;
      }
      marks[(this.#rows[start + place] as number) - from] = 1;
    }
  }

  #isAmong(row: number, from: number, marks: Uint8Array): boolean {
    const pair = (this.#rows[row] as number) - from;
    return pair >= 0 && pair < marks.length;
  }

  infoOf(id: number): SeriesInfo {
    return this.#infos[this.#infoNumbers[id] as number] as SeriesInfo;
  }

  #readPairs(meta: ByteReader): void {
    for (let names = meta.count(2); names > 0; names--) {
      const name = meta.text();
      const from = this.#pairs.length;
      for (let values = meta.count(); values > 0; values--) this.#pairs.push([name, meta.text()]);
      this.#names.set(name, { from, to: this.#pairs.length });
    }
  }

  /** Reads what belongs to each series, hashes its labels, and inverts the rows by counting. */
  async #fill(counts: ByteReader, slice: TimeSlice): Promise<void> {
    const pairHashes = Int32Array.from(this.#pairs, ([name, value]) => hashPair(name, value));
    const offsets = this.#postingOffsets;
    for (let id = 0; id < this.seriesCount; id++) {
      if ((id & 1023) === 0 && slice.due) await slice.pause();
      const from = this.#rowOffsets[id] as number;
      const to = from + counts.varint();
      this.#rowOffsets[id + 1] = to;
      this.#infoNumbers[id] = counts.varint();
      let hash = HASH_SEED;
      for (let i = from; i < to; i++) {
        const pair = this.#rows[i] as number;
        // Also catches a row beyond the end, whose pair is undefined.
        if (!(pair < this.#pairs.length)) throw new CorruptionError("a series has a label that does not exist");
        hash = foldHash(hash, pairHashes[pair] as number);
        (offsets[pair + 1] as number)++;
      }
      this.#hashes[id] = hash;
    }
    for (let pair = 0; pair < this.#pairs.length; pair++) (offsets[pair + 1] as number) += offsets[pair] as number;
    await this.#invert(slice);
  }

  async #invert(slice: TimeSlice): Promise<void> {
    const next = this.#postingOffsets.slice();
    for (let id = 0; id < this.seriesCount; id++) {
      if ((id & 1023) === 0 && slice.due) await slice.pause();
      for (let i = this.#rowOffsets[id] as number; i < (this.#rowOffsets[id + 1] as number); i++) {
        const pair = this.#rows[i] as number;
        this.#postings[next[pair] as number] = id;
        (next[pair] as number)++;
      }
    }
  }
}

function readInfos(meta: ByteReader): SeriesInfo[] {
  const infos: SeriesInfo[] = [];
  for (let count = meta.count(); count > 0; count--) {
    infos.push(parseInfo(meta.text()));
  }
  return infos;
}

function parseInfo(text: string): SeriesInfo {
  try {
    const [type, unit, temporality, otelName] = JSON.parse(text);
    return { type: type as MetricType, unit, temporality, otelName };
  } catch (cause) {
    throw new CorruptionError("what is known of a series can't be understood", { cause });
  }
}

function readWindows(meta: ByteReader): BlockWindow[] {
  const readPlace = (): PagePlace => ({ offset: meta.varint(), length: meta.varint(), crc: meta.u32() });
  const windows: BlockWindow[] = [];
  for (let count = meta.count(); count > 0; count--) {
    const [minTimeMs, maxTimeMs] = [meta.zigzag(), meta.zigzag()];
    const timePages: TimePagePlace[] = [];
    for (let pages = meta.count(); pages > 0; pages--) timePages.push({ ...readPlace(), firstRun: meta.varint() });
    const dataPages: DataPagePlace[] = [];
    for (let pages = meta.count(); pages > 0; pages--) {
      dataPages.push({ ...readPlace(), firstSeries: meta.varint(), lastSeries: meta.varint() });
    }
    windows.push({ minTimeMs, maxTimeMs, timePages, dataPages });
  }
  return windows;
}
