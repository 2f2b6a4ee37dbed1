import { CorruptionError } from "@sightline/model/errors.ts";
import { wordsOf } from "@sightline/model/stale.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { decodeInts, MAX_CHUNK_SAMPLES, type PlaneCursors, skipInts } from "./decode-ints.ts";
import { IntEncoder, MAX_CODED_INT } from "./int-encoder.ts";
import { HEADERS, RAW_PLANES } from "./page-streams.ts";
import type { RunMarks } from "./run-marks.ts";

/**
 * Values of a chunk, bit by bit. Most samples are decimals with few places: they are coded as integers and a power of
 * ten. Sums of decimals are off by some units in the last place, which are coded as a second run of integers. Values
 * that fit neither (NaN, the staleness marker, infinities, -0, odd ones) are listed as exceptions, and a chunk that has
 * many of them is kept as doubles, XORed with the one before.
 *
 * In the header stream: one byte of exponent and flags, then the runs; exceptions are in `extras`.
 */
const EXPONENT = 0x0f;
const EXCEPTIONS = 0x10;
const ULPS = 0x20;
const RAW = 0x40;

const MAX_EXPONENT = 12;
const POWERS = Float64Array.from({ length: MAX_EXPONENT + 1 }, (_, i) => 10 ** i);
/** A sum of some thousand decimals is off by less. */
const MAX_ULPS = 2 ** 16;
/** Exceptions cost ten bytes, doubles seven or eight. */
const MAX_EXCEPTION_SHARE = 1 / 8;

const pair = new Float64Array(2);
const pairWords = wordsOf(pair);

export class ValueEncoder {
  readonly #intEncoder = new IntEncoder();
  #ints = new Float64Array(1024);
  #ulps = new Float64Array(1024);
  #exceptions: number[] = [];

  /** Writes the values to the streams of a page, and the exceptions to `extras`. */
  encode(values: Float64Array, length: number, streams: readonly ByteWriter[], extras: ByteWriter): void {
    if (this.#ints.length < length) {
      this.#ints = new Float64Array(length * 2);
      this.#ulps = new Float64Array(length * 2);
    }
    const header = streams[HEADERS] as ByteWriter;
    const exponent = this.#asDecimals(values, length);
    if (exponent >= 0) {
      this.#writeKind(header, exponent);
      this.#intEncoder.encode(this.#ints, length, streams);
      this.#writeExceptions(values, extras);
      return;
    }
    const nearExponent = this.#asSums(values, length);
    if (nearExponent >= 0) {
      this.#writeKind(header, nearExponent | ULPS);
      this.#intEncoder.encode(this.#ints, length, streams);
      this.#intEncoder.encode(this.#ulps, length, streams);
      this.#writeExceptions(values, extras);
      return;
    }
    header.u8(RAW);
    writeRaw(values, length, streams);
  }

  #writeKind(header: ByteWriter, kind: number): void {
    header.u8(kind | (this.#exceptions.length > 0 ? EXCEPTIONS : 0));
  }

  #writeExceptions(values: Float64Array, extras: ByteWriter): void {
    const exceptions = this.#exceptions;
    if (exceptions.length === 0) return;
    const words = wordsOf(values);
    extras.varint(exceptions.length);
    let before = 0;
    for (const index of exceptions) {
      extras.varint(index - before);
      extras.u32(words[2 * index] as number);
      extras.u32(words[2 * index + 1] as number);
      before = index;
    }
  }

  /** Fills `ints` and `exceptions`; the exponent, or -1 when there are too many exceptions. */
  #asDecimals(values: Float64Array, length: number): number {
    const maxExceptions = Math.floor(length * MAX_EXCEPTION_SHARE);
    this.#exceptions = [];
    let exponent = 0;
    let odd = 0;
    for (let i = 0; i < length; i++) {
      const value = values[i] as number;
      const fitting = fittingExponent(value, exponent);
      if (fitting >= 0) exponent = fitting;
      else if (++odd > maxExceptions) return -1;
    }
    const power = POWERS[exponent] as number;
    const ints = this.#ints;
    let before = 0;
    for (let i = 0; i < length; i++) {
      const value = values[i] as number;
      const int = Math.round(value * power);
      if (int / power === value && Math.abs(int) <= MAX_CODED_INT && !isNegativeZero(value)) before = int;
      else this.#exceptions.push(i);
      ints[i] = before;
    }
    return this.#exceptions.length > maxExceptions ? -1 : exponent;
  }

  /** Fills `ints`, `ulps` and `exceptions`; the exponent, or -1 when the values are no sums of decimals. */
  #asSums(values: Float64Array, length: number): number {
    const exponent = nearExponent(values, length);
    if (exponent < 0) return -1;
    const maxExceptions = Math.floor(length * MAX_EXCEPTION_SHARE);
    const power = POWERS[exponent] as number;
    this.#exceptions = [];
    let before = 0;
    let ulpsBefore = 0;
    for (let i = 0; i < length; i++) {
      const value = values[i] as number;
      const int = Math.round(value * power);
      const ulps =
        Math.abs(int) <= MAX_CODED_INT && !isNegativeZero(value) ? ulpsBetween(int / power, value) : Number.NaN;
      if (Math.abs(ulps) <= MAX_ULPS) {
        before = int;
        ulpsBefore = ulps;
      } else if (this.#exceptions.push(i) > maxExceptions) return -1;
      this.#ints[i] = before;
      this.#ulps[i] = ulpsBefore;
    }
    return exponent;
  }
}

/** The least exponent from `exponent` on that makes the value an integer and back exactly, or -1. */
function fittingExponent(value: number, exponent: number): number {
  for (let e = exponent; e <= MAX_EXPONENT; e++) {
    const power = POWERS[e] as number;
    const int = Math.round(value * power);
    if (Math.abs(int) > MAX_CODED_INT) return -1;
    if (int / power === value) return isNegativeZero(value) ? -1 : e;
    // NaN and infinities are caught here: nothing equals NaN, and an infinite int was too large.
    if (Number.isNaN(value)) return -1;
  }
  return -1;
}

/** The least exponent at which some probes are integers but for a few units in the last place, or -1. */
function nearExponent(values: Float64Array, length: number): number {
  const stride = Math.max(1, Math.floor(length / 16));
  for (let e = 0; e <= MAX_EXPONENT - 3; e++) {
    const power = POWERS[e] as number;
    let near = 0;
    let probes = 0;
    for (let i = 0; i < length; i += stride) {
      const value = values[i] as number;
      const int = Math.round(value * power);
      probes++;
      if (Math.abs(int) <= MAX_CODED_INT && Math.abs(ulpsBetween(int / power, value)) <= MAX_ULPS) near++;
    }
    if (near * 8 >= probes * 7) return e;
  }
  return -1;
}

function isNegativeZero(value: number): boolean {
  return value === 0 && 1 / value < 0;
}

/** How many doubles `to` is away from `from`; NaN across zero and for what is not finite. */
function ulpsBetween(from: number, to: number): number {
  if (from * to <= 0 || !Number.isFinite(to)) return from === to ? 0 : Number.NaN;
  pair[0] = from;
  pair[1] = to;
  const high = ((pairWords[3] as number) & 0x7fffffff) - ((pairWords[1] as number) & 0x7fffffff);
  return high * 2 ** 32 + (pairWords[2] as number) - (pairWords[0] as number);
}

function writeRaw(values: Float64Array, length: number, streams: readonly ByteWriter[]): void {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, length * 8);
  for (let plane = 0; plane < 8; plane++) {
    const out = streams[RAW_PLANES + plane] as ByteWriter;
    const at = out.extend(length);
    const target = out.target;
    let before = 0;
    for (let i = 0; i < length; i++) {
      const byte = bytes[i * 8 + plane] as number;
      target[at + i] = byte ^ before;
      before = byte;
    }
  }
}

/** Where the next unread byte of each plane of doubles is: the same in all eight. */
export type ValueCursors = { readonly planes: PlaneCursors; raw: number };

/** Reads past the values of a chunk. */
export function skipValues(header: ByteReader, length: number, cursors: ValueCursors): void {
  const kind = header.u8();
  if ((kind & RAW) !== 0) {
    cursors.raw += length;
    return;
  }
  skipInts(header, length, cursors.planes);
  if ((kind & ULPS) !== 0) skipInts(header, length, cursors.planes);
}

const ulpScratch = new Float64Array(MAX_CHUNK_SAMPLES);

/**
 * Decodes values `from` (included) to `to` (excluded) of a chunk of `length` into `out` from `at` on. `extras` is read
 * only if there are exceptions. `marks` are those of this chunk.
 */
export function decodeValues(
  header: ByteReader,
  extras: ByteReader,
  streams: readonly Uint8Array[],
  cursors: ValueCursors,
  length: number,
  from: number,
  to: number,
  out: Float64Array,
  at: number,
  marks?: RunMarks,
): void {
  const kind = header.u8();
  if ((kind & RAW) !== 0) {
    decodeRaw(streams, cursors.raw, from, to, out, at);
    cursors.raw += length;
    return;
  }
  const power = POWERS[kind & EXPONENT];
  if (power === undefined) throw new CorruptionError(`exponent ${kind & EXPONENT}`);
  decodeInts(header, streams, cursors.planes, length, from, to, power, out, at, marks);
  if ((kind & ULPS) !== 0) {
    decodeInts(header, streams, cursors.planes, length, from, to, 1, ulpScratch, 0);
    addUlps(ulpScratch, to - from, out, at);
  }
  if ((kind & EXCEPTIONS) !== 0) decodeExceptions(extras, length, from, to, out, at);
}

/** `first` is the byte of the chunk's first value in each plane. */
function decodeRaw(
  streams: readonly Uint8Array[],
  first: number,
  from: number,
  to: number,
  out: Float64Array,
  at: number,
): void {
  const bytes = new Uint8Array(out.buffer, out.byteOffset + at * 8, (to - from) * 8);
  for (let plane = 0; plane < 8; plane++) {
    const source = streams[RAW_PLANES + plane] as Uint8Array;
    if (first + to > source.length) throw new CorruptionError("a run of doubles is longer than its page");
    let before = 0;
    for (let i = first; i < first + from; i++) before ^= source[i] as number;
    for (let i = from; i < to; i++) {
      before ^= source[first + i] as number;
      bytes[(i - from) * 8 + plane] = before;
    }
  }
}

function addUlps(ulps: Float64Array, length: number, out: Float64Array, at: number): void {
  const words = wordsOf(out);
  for (let i = 0; i < length; i++) {
    const low = (words[2 * (at + i)] as number) + (ulps[i] as number);
    words[2 * (at + i)] = low;
    if (low < 0) (words[2 * (at + i) + 1] as number)--;
    else if (low >= 2 ** 32) (words[2 * (at + i) + 1] as number)++;
  }
}

function decodeExceptions(
  extras: ByteReader,
  length: number,
  from: number,
  to: number,
  out: Float64Array,
  at: number,
): void {
  const words = wordsOf(out);
  const count = extras.count(9);
  let index = 0;
  for (let i = 0; i < count; i++) {
    index += extras.varint();
    if (index >= length) throw new CorruptionError("an exception lies outside of its chunk");
    const low = extras.u32();
    const high = extras.u32();
    if (index < from || index >= to) continue;
    words[2 * (at + index - from)] = low;
    words[2 * (at + index - from) + 1] = high;
  }
}
