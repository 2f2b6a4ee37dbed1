import { type FileHandle, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import type { Labels } from "@sightline/model/labels.ts";
import type { SeriesInfo } from "@sightline/model/metric-batch.ts";
import type { HistogramSlice } from "@sightline/model/metric-store.ts";
import { syncDirectory } from "../files/write-file-atomic.ts";
import { BLOCK_MAGIC, packTrailer } from "./block-file.ts";
import { type PagePlace, packBlockIndex } from "./block-index.ts";
import { MAX_CHUNK_SAMPLES } from "./decode-ints.ts";
import type { AssembledSeries } from "./series-assembler.ts";
import { WindowWriter } from "./window-writer.ts";

/** Chunks end at multiples of this. */
const WINDOW_MS = 4 * 3_600_000;

export type BlockSummary = {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly samples: number;
  readonly series: number;
  readonly bytes: number;
};

/** Writes a block file: give it the series in the order of their labels, await `drain` in between, and finish or abort. */
export class BlockWriter {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #labels: Labels[] = [];
  readonly #infos: SeriesInfo[] = [];
  readonly #windows = new Map<number, WindowWriter>();
  #pending: Uint8Array[] = [BLOCK_MAGIC];
  #offset = BLOCK_MAGIC.length;
  #samples = 0;

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  static async create(path: string): Promise<BlockWriter> {
    return new BlockWriter(path, await open(path, "w"));
  }

  /** Takes a series, whose labels come after those of the series before. Synchronous, about 50 ns a sample. */
  add(labels: Labels, info: SeriesInfo, { timesMs, values, startsMs, histograms }: AssembledSeries): void {
    const series = this.#labels.push(labels) - 1;
    this.#infos.push(info);
    forEachChunk(timesMs, (window, from, to) => {
      const starts = nonZero(startsMs?.subarray(from, to));
      this.#window(window).addValues(series, timesMs.subarray(from, to), values.subarray(from, to), starts);
    });
    if (histograms) this.#addHistograms(series, histograms);
    this.#samples += timesMs.length + (histograms?.timesMs.length ?? 0);
  }

  /** Writes what has been collected to the file, so that little is held in memory. */
  async drain(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    if (pending.length > 0) await this.#file.writev(pending);
  }

  /** Makes the file and its name durable. */
  async finish(): Promise<BlockSummary> {
    const windows = [...this.#windows.keys()]
      .sort((a, b) => a - b)
      .map((window) => (this.#windows.get(window) as WindowWriter).finish());
    const index = await packBlockIndex(this.#labels, this.#infos, windows);
    const place = this.#append(index);
    this.#append(packTrailer(place));
    await this.drain();
    await this.#file.sync();
    await this.#file.close();
    await syncDirectory(dirname(this.path));
    return {
      minTimeMs: Math.min(...windows.map(({ minTimeMs }) => minTimeMs)),
      maxTimeMs: Math.max(...windows.map(({ maxTimeMs }) => maxTimeMs)),
      samples: this.#samples,
      series: this.#labels.length,
      bytes: this.#offset,
    };
  }

  /** Leaves no file. */
  async abort(): Promise<void> {
    await this.#file.close().catch(() => {});
    await rm(this.path, { force: true });
  }

  #addHistograms(series: number, { timesMs, values, startsMs }: HistogramSlice): void {
    forEachChunk(timesMs, (window, from, to) => {
      const starts = nonZero(startsMs?.subarray(from, to));
      this.#window(window).addHistograms(series, timesMs.subarray(from, to), values.slice(from, to), starts);
    });
  }

  #window(number: number): WindowWriter {
    let window = this.#windows.get(number);
    if (!window) {
      window = new WindowWriter((page) => this.#append(page));
      this.#windows.set(number, window);
    }
    return window;
  }

  #append(bytes: Uint8Array): PagePlace {
    const place = { offset: this.#offset, length: bytes.length, crc: crc32(bytes) };
    this.#pending.push(bytes);
    this.#offset += bytes.length;
    return place;
  }
}

function forEachChunk(timesMs: Float64Array, take: (window: number, from: number, to: number) => void): void {
  for (let from = 0; from < timesMs.length; ) {
    const window = Math.floor((timesMs[from] as number) / WINDOW_MS);
    const endMs = (window + 1) * WINDOW_MS;
    const limit = Math.min(timesMs.length, from + MAX_CHUNK_SAMPLES);
    let to = from + 1;
    while (to < limit && (timesMs[to] as number) < endMs) to++;
    take(window, from, to);
    from = to;
  }
}

function nonZero(startsMs: Float64Array | undefined): Float64Array | undefined {
  return startsMs?.some((start) => start !== 0) ? startsMs : undefined;
}
