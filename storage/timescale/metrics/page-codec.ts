import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { CorruptionError } from "@sightline/model/errors.ts";
import { wordsOf } from "@sightline/model/stale.ts";
import { PageReader, PageWriter, readTimes, skipTimes } from "./page-bytes.ts";
import { SampleCollector } from "./sample-collector.ts";
import { idOf } from "./series-id.ts";
import type { SharedTimes } from "./shared-times.ts";
import { readPlanes, widthOf, writePlanes } from "./value-planes.ts";

/**
 * A page: a version, how many series, then for each its id, count of samples and length of what follows; then the samples of
 * each; all of it compressed by zstd. Times are differences of differences. Values that are decimals of few digits are
 * differences of integers (value-planes.ts; those of version 1 are varints, as larger ones still are), other ones are kept as
 * they are: bit by bit in all cases.
 */
const VERSION = 2;
const OLDEST_VERSION = 1;
const HAS_STARTS = 0x10;
const RAW = 0x0f;
/** The bits of how many bytes each difference has; 0: they are varints. Pages of version 1 have none of them. */
const WIDTH_SHIFT = 5;
const MAX_DECIMALS = 6;
const MAX_INTEGER = 2 ** 50;
const MAX_PAGE_BYTES = 256 * 1024 * 1024;
/** Alike ones that a page's times are compared with; more are no longer. */
const MAX_TIMES_OF_PAGE = 64;
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
function decodeSeries({ reader, offsets, counts }: OpenPage, entry: number, series: number, to: SampleCollector): void {
  const count = counts[entry] as number;
  to.reserve(count);
  to.begin(series, true);
  reader.at = offsets[entry] as number;
  const flags = reader.u8();
  readTimes(reader, to.timesMs, to.length, count);
  readValues(reader, flags, to.values, to.length, count);
  if (flags & HAS_STARTS) readTimes(reader, to.withStarts(), to.length, count);
  to.added(count);
}

/** Columns with room for the samples of a series, from `at` on. */
export type SampleColumns = {
  readonly values: Float64Array;
  readonly at: number;
  /** Where start times go; asked for only when there are some. */
  readonly startsMs: () => Float64Array;
};

/**
 * What a page has of the series at this place of its head; gives its times, which are those of other series, too. Throws
 * `CorruptionError`.
 */
export function decodeInto(page: OpenPage, entry: number, times: SharedTimes, columns: SampleColumns): Float64Array {
  const { reader, counts } = page;
  const count = counts[entry] as number;
  const timesMs = times.ofPage(page, entry);
  const flags = page.flags[entry] as number;
  reader.at = page.valuesAt[entry] as number;
  readValues(reader, flags, columns.values, columns.at, count);
  if (flags & HAS_STARTS) readTimes(reader, columns.startsMs(), columns.at, count);
  return timesMs;
}

/**
 * Looks where the values of this series begin, and which earlier series of the page, in {@link OpenPage.sameTimes}, has the same
 * times. Once for each: in a page that is kept it need not be looked at again.
 */
export function locateValues(page: OpenPage, entry: number): void {
  const { reader, offsets, counts, valuesAt, sameTimes } = page;
  reader.at = offsets[entry] as number;
  page.flags[entry] = reader.u8();
  const from = reader.at;
  const count = counts[entry] as number;
  for (const other of page.timesOf) {
    const start = (offsets[other] as number) + 1;
    const to = from + (valuesAt[other] as number) - start;
    if (counts[other] !== count || to > reader.bytes.length) continue;
    if (reader.bytes.compare(reader.bytes, start, start + to - from, from, to) !== 0) continue;
    valuesAt[entry] = to;
    sameTimes[entry] = other;
    return;
  }
  skipTimes(reader, count);
  valuesAt[entry] = reader.at;
  sameTimes[entry] = entry;
  if (page.timesOf.length < MAX_TIMES_OF_PAGE) page.timesOf.push(entry);
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
  /** Of each, by {@link locateValues}; until then `valuesAt` is 0. */
  readonly flags: Uint8Array;
  readonly valuesAt: Uint32Array;
  readonly sameTimes: Uint32Array;
  /** Series whose times no earlier one has; not all of them, when there are many. */
  readonly timesOf: number[];
};

function readHead(reader: PageReader): OpenPage {
  const version = reader.u8();
  if (version < OLDEST_VERSION || version > VERSION) {
    throw new CorruptionError(`a page of samples has version ${version}, not ${OLDEST_VERSION} to ${VERSION}`);
  }
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
  const arrays = { flags: new Uint8Array(ids.length), valuesAt: new Uint32Array(ids.length) };
  return { reader, ids, counts, offsets, ...arrays, sameTimes: new Uint32Array(ids.length), timesOf: [] };
}

function writeSeries({ timesMs, values, startsMs }: PageSeries, out: PageWriter): void {
  const decimals = decimalsOf(values);
  const differences = decimals === undefined ? undefined : differencesOf(values, 10 ** decimals);
  const width = differences === undefined ? 0 : widthOf(differences);
  out.u8((decimals ?? RAW) | (startsMs ? HAS_STARTS : 0) | (width << WIDTH_SHIFT));
  writeTimes(timesMs, out);
  if (differences === undefined) for (const word of wordsOf(values)) out.word(word);
  else if (width === 0) for (const difference of differences) out.zigzag(difference);
  else writePlanes(differences, width, out);
  if (startsMs) writeTimes(startsMs, out);
}

/** Of each value and the one before, the first and 0. */
function differencesOf(values: Float64Array, scale: number): Float64Array {
  let before = 0;
  return values.map((value) => {
    const difference = Math.round(value * scale) - before;
    before += difference;
    return difference;
  });
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

function readValues(reader: PageReader, flags: number, out: Float64Array, from: number, count: number): void {
  const decimals = flags & RAW;
  if (decimals === RAW) {
    const words = new Uint32Array(out.buffer, out.byteOffset + from * 8, count * 2);
    for (let i = 0; i < words.length; i++) words[i] = reader.word();
    return;
  }
  const width = flags >>> WIDTH_SHIFT;
  if (width === 0) readVarints(reader, out, from, count);
  else readPlanes(reader, width, out, from, count);
  const scale = 10 ** decimals;
  if (scale !== 1) for (let i = from; i < from + count; i++) out[i] = (out[i] as number) / scale;
}

/** Sums of differences. */
function readVarints(reader: PageReader, out: Float64Array, from: number, count: number): void {
  let integer = 0;
  for (let i = from; i < from + count; i++) {
    integer += reader.zigzag();
    out[i] = integer;
  }
}
