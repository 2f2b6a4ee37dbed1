import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { CorruptionError } from "@sightline/model/errors.ts";
import { wordsOf } from "@sightline/model/stale.ts";
import { PageReader, PageWriter } from "./page-bytes.ts";
import { SampleCollector } from "./sample-collector.ts";
import { idOf } from "./series-id.ts";

/**
 * A page: a version, how many series, then for each its id, count of samples and length of what follows; then the samples of
 * each; all of it compressed by zstd. Times are differences of differences. Values that are decimals of few digits are
 * differences of integers, other ones are kept as they are: bit by bit in both cases.
 */
const VERSION = 1;
const HAS_STARTS = 0x10;
const RAW = 0x0f;
const MAX_DECIMALS = 6;
const MAX_INTEGER = 2 ** 50;
const MAX_PAGE_BYTES = 256 * 1024 * 1024;
/** Most pages fit into it, so that nothing is put together from pieces. */
const CHUNK_BYTES = 128 * 1024;
const COMPRESSION = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

/** Samples of one series, ascending in time, one per timestamp. */
export type PageSeries = {
  readonly id: bigint;
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  readonly startsMs: Float64Array | undefined;
};

export function encodePage(all: readonly PageSeries[]): Buffer {
  const head = new PageWriter();
  const body = new PageWriter();
  head.u8(VERSION);
  head.varint(all.length);
  for (const series of all) {
    const before = body.length;
    writeSeries(series, body);
    head.id(series.id);
    head.varint(series.timesMs.length);
    head.varint(body.length - before);
  }
  const bytes = Buffer.concat([head.bytes.subarray(0, head.length), body.bytes.subarray(0, body.length)]);
  return zstdCompressSync(bytes, COMPRESSION);
}

/** Finds the number of a wanted series by the two parts of its id (series-id.ts): BigInts would take longer than the samples. */
export type SeriesLookUp = (bucket: number, rest: number) => number | undefined;

/** Adds the samples of those series that `seriesOf` gives a number. Throws `CorruptionError`. */
export function decodePage(page: Uint8Array, collector: SampleCollector, seriesOf: SeriesLookUp): void {
  const open = openPage(page);
  for (const [entry, { bucket, rest }] of open.ids.entries()) {
    const series = seriesOf(bucket, rest);
    if (series !== undefined) decodeSeries(open, entry, series, collector);
  }
  collector.end();
}

/** Adds what a page has of one series, the one at this place of its head, as `series`. Throws `CorruptionError`. */
function decodeSeries(page: OpenPage, entry: number, series: number, collector: SampleCollector): void {
  const count = page.counts[entry] as number;
  collector.reserve(count);
  collector.begin(series, true);
  const { timesMs, values, length } = collector;
  const startsMs = () => collector.withStarts();
  decodeInto(page, entry, { timesMs, timesAt: length, values, valuesAt: length, startsMs });
  collector.added(count);
}

/** Columns with room for the samples of a series. */
export type SampleColumns = {
  readonly timesMs: Float64Array;
  readonly timesAt: number;
  readonly values: Float64Array;
  readonly valuesAt: number;
  /** Where start times go, at `timesAt`; asked for only when there are some. */
  readonly startsMs: () => Float64Array;
};

/** What a page has of the series at this place of its head. Throws `CorruptionError`. */
export function decodeInto({ reader, offsets, counts }: OpenPage, entry: number, columns: SampleColumns): void {
  reader.at = offsets[entry] as number;
  readSeries(reader, counts[entry] as number, columns);
}

/** All of it. */
export function decodeWholePage(page: Uint8Array): PageSeries[] {
  const { ids, counts } = openPage(page);
  const collector = new SampleCollector(
    ids.length,
    counts.reduce((sum, count) => sum + count, 0),
  );
  let next = 0;
  decodePage(page, collector, () => next++);
  return ids.map(({ bucket, rest }, number) => {
    const { from, to } = collector.segmentsOf(number)[0] ?? { from: 0, to: 0 };
    const startsMs = collector.startsOf(from, to);
    return {
      id: idOf(bucket, rest),
      timesMs: collector.timesMs.subarray(from, to),
      values: collector.values.subarray(from, to),
      startsMs: startsMs?.some((start) => start !== 0) ? startsMs : undefined,
    };
  });
}

/** A page whose head has been read. Throws `CorruptionError`. */
export function openPage(page: Uint8Array): OpenPage {
  return readHead(decompress(page));
}

function decompress(page: Uint8Array): PageReader {
  try {
    return new PageReader(zstdDecompressSync(page, { maxOutputLength: MAX_PAGE_BYTES, chunkSize: CHUNK_BYTES }));
  } catch (cause) {
    throw new CorruptionError(`a page of samples is damaged: ${(cause as Error).message}`, { cause });
  }
}

type PageId = { readonly bucket: number; readonly rest: number };
export type OpenPage = {
  readonly reader: PageReader;
  readonly ids: readonly PageId[];
  /** Samples of each. */
  readonly counts: readonly number[];
  /** Where those begin. */
  readonly offsets: readonly number[];
};

function readHead(reader: PageReader): OpenPage {
  const version = reader.u8();
  if (version !== VERSION) throw new CorruptionError(`a page of samples has version ${version}, not ${VERSION}`);
  const ids: PageId[] = [];
  const counts: number[] = [];
  const bytes: number[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    const low = reader.word();
    const high = reader.word();
    ids.push({ bucket: high >>> 15, rest: (high & 0x7fff) * 2 ** 32 + low });
    counts.push(reader.varint());
    bytes.push(reader.varint());
  }
  let at = reader.at;
  const offsets = bytes.map((length) => {
    at += length;
    return at - length;
  });
  if (at > reader.bytes.length) throw new CorruptionError("a page of samples ends too early");
  return { reader, ids, counts, offsets };
}

function writeSeries({ timesMs, values, startsMs }: PageSeries, out: PageWriter): void {
  const decimals = decimalsOf(values);
  out.u8((decimals ?? RAW) | (startsMs ? HAS_STARTS : 0));
  writeTimes(timesMs, out);
  if (decimals === undefined) {
    const words = wordsOf(values);
    for (const word of words) out.word(word);
  } else {
    const scale = 10 ** decimals;
    let before = 0;
    for (const value of values) {
      const integer = Math.round(value * scale);
      out.zigzag(integer - before);
      before = integer;
    }
  }
  if (startsMs) writeTimes(startsMs, out);
}

function writeTimes(timesMs: Float64Array, out: PageWriter): void {
  let before = 0;
  let step = 0;
  for (const timeMs of timesMs) {
    out.zigzag(timeMs - before - step);
    step = timeMs - before;
    before = timeMs;
  }
}

/** How many decimals make integers of all values, exactly; undefined: not so. */
function decimalsOf(values: Float64Array): number | undefined {
  let decimals = 0;
  for (const value of values) {
    while (!isIntegerOf(value, 10 ** decimals)) if (++decimals > MAX_DECIMALS) return undefined;
  }
  // What few decimals made an integer may be too large a one with more.
  const scale = 10 ** decimals;
  return values.every((value) => isIntegerOf(value, scale)) ? decimals : undefined;
}

/** False for NaN, too large ones, and -0, whose sign would be lost. */
function isIntegerOf(value: number, scale: number): boolean {
  const integer = Math.round(value * scale);
  return integer / scale === value && Math.abs(integer) <= MAX_INTEGER && !Object.is(value, -0);
}

function readSeries(reader: PageReader, count: number, columns: SampleColumns): void {
  const { timesMs, timesAt, values, valuesAt } = columns;
  const flags = reader.u8();
  readTimes(reader, timesMs, timesAt, count);
  const decimals = flags & RAW;
  if (decimals === RAW) {
    const words = new Uint32Array(values.buffer, values.byteOffset + valuesAt * 8, count * 2);
    for (let i = 0; i < words.length; i++) words[i] = reader.word();
  } else {
    readDecimals(reader, values, valuesAt, count, 10 ** decimals);
  }
  if (flags & HAS_STARTS) readTimes(reader, columns.startsMs(), timesAt, count);
}

function readDecimals(reader: PageReader, out: Float64Array, from: number, count: number, scale: number): void {
  const { bytes } = reader;
  let { at } = reader;
  let integer = 0;
  for (let i = from; i < from + count; i++) {
    const byte = bytes[at] as number;
    // Most are of one byte.
    if (byte < 128) {
      at++;
      integer += (byte >>> 1) ^ -(byte & 1);
    } else {
      reader.at = at;
      integer += reader.zigzag();
      at = reader.at;
    }
    out[i] = scale === 1 ? integer : integer / scale;
  }
  reader.at = at;
}

function readTimes(reader: PageReader, out: Float64Array, from: number, count: number): void {
  const { bytes } = reader;
  let { at } = reader;
  let timeMs = 0;
  let step = 0;
  for (let i = from; i < from + count; i++) {
    const byte = bytes[at] as number;
    if (byte < 128) {
      at++;
      step += (byte >>> 1) ^ -(byte & 1);
    } else {
      reader.at = at;
      step += reader.zigzag();
      at = reader.at;
    }
    timeMs += step;
    out[i] = timeMs;
  }
  reader.at = at;
}
