import { CorruptionError } from "@sightline/model/errors.ts";
import type { ByteReader } from "./byte-reader.ts";
import { INT_PLANES, MAX_INT_WIDTH } from "./page-streams.ts";

/** Where the next unread byte of each integer plane is. */
export type PlaneCursors = Uint32Array;

/** Chunks are cut here, so that reading a part of a series does not decode all of it. */
export const MAX_CHUNK_SAMPLES = 1024;

/** Reads past one run of `length` integers, as an IntEncoder wrote it. */
export function skipInts(header: ByteReader, length: number, cursors: PlaneCursors): void {
  const width = widthOf(header.u8());
  header.varint();
  header.varint();
  for (let plane = 0; plane < width; plane++) (cursors[plane] as number) += length - 1;
}

/**
 * Decodes numbers `from` (included) to `to` (excluded) of a run of `length` into `out` from `at` on, each divided by
 * `divisor`, which gives back decimals exactly as they were parsed (an integer below 2^53 divided by a power of ten up
 * to 10^22 rounds once).
 */
export function decodeInts(
  header: ByteReader,
  streams: readonly Uint8Array[],
  cursors: PlaneCursors,
  length: number,
  from: number,
  to: number,
  divisor: number,
  out: Float64Array,
  at: number,
): void {
  const shape = header.u8();
  const width = widthOf(shape);
  const first = header.zigzag();
  const step = header.zigzag();
  if (length === 0) return;
  for (let plane = 0; plane < width; plane++) {
    if ((cursors[plane] as number) + length - 1 > (streams[INT_PLANES + plane] as Uint8Array).length) {
      throw new CorruptionError("a run of integers is longer than its page");
    }
  }
  const end = at + to - from;
  if (from < to) {
    const run: IntRun = { streams, cursors, width, step };
    if ((shape & 0x10) !== 0) decodeOrder2(run, first, from, out, at, end);
    else decodeOrder1(run, first + from * step + sumResiduals(run, from), from, out, at, end);
  }
  if (divisor !== 1) for (let i = at; i < end; i++) out[i] = (out[i] as number) / divisor;
  for (let plane = 0; plane < width; plane++) (cursors[plane] as number) += length - 1;
}

/** Residual i is byte `cursors[k] + i` of each plane k below `width`. */
type IntRun = {
  readonly streams: readonly Uint8Array[];
  readonly cursors: PlaneCursors;
  readonly width: number;
  readonly step: number;
};

function widthOf(shape: number): number {
  const width = shape & 0x0f;
  if (width > MAX_INT_WIDTH) throw new CorruptionError(`integers of ${width} bytes`);
  return width;
}

/** A whole chunk of steps and residuals of two bytes adds up to less than 2^31 below this. */
const MAX_SMALL_STEP = 2 ** 20;

/** Writes `value` and those after it, whose residuals begin at `index`. */
function decodeOrder1(run: IntRun, value: number, index: number, out: Float64Array, at: number, end: number): void {
  const { streams, cursors, width, step } = run;
  if (width === 0) writeLine(value, step, out, at, end);
  else if (width > 4) addAny(run, value, index, out, at, end);
  else if (width > 2 || Math.abs(step) > MAX_SMALL_STEP) addInts(run, value, index, out, at, end);
  else {
    const low = streams[INT_PLANES] as Uint8Array;
    const from = (cursors[0] as number) + index;
    if (width === 1) addBytes(low, from, value, step, out, at, end);
    else {
      const high = streams[INT_PLANES + 1] as Uint8Array;
      addWords(low, from, high, (cursors[1] as number) + index, value, step, out, at, end);
    }
  }
}

function writeLine(first: number, step: number, out: Float64Array, at: number, end: number): void {
  let value = first;
  for (let i = at; i < end; i++) {
    out[i] = value;
    value += step;
  }
}

function addBytes(
  bytes: Uint8Array,
  from: number,
  value: number,
  step: number,
  out: Float64Array,
  at: number,
  end: number,
): void {
  out[at] = value;
  let sum = 0;
  for (let i = at + 1, k = from; i < end; i++, k++) {
    const coded = bytes[k] as number;
    sum = (sum + step + ((coded >>> 1) ^ -(coded & 1))) | 0;
    out[i] = value + sum;
  }
}

function addWords(
  low: Uint8Array,
  fromLow: number,
  high: Uint8Array,
  fromHigh: number,
  value: number,
  step: number,
  out: Float64Array,
  at: number,
  end: number,
): void {
  out[at] = value;
  let sum = 0;
  for (let i = at + 1, k = fromLow, l = fromHigh; i < end; i++, k++, l++) {
    const coded = (low[k] as number) | ((high[l] as number) << 8);
    sum = (sum + step + ((coded >>> 1) ^ -(coded & 1))) | 0;
    out[i] = value + sum;
  }
}

/** Up to four bytes: three or four are what a counter that began again at zero leaves in its chunk. */
function addInts(run: IntRun, first: number, index: number, out: Float64Array, at: number, end: number): void {
  const [a, b, c, d] = [planeOf(run, 0), planeOf(run, 1), planeOf(run, 2), planeOf(run, 3)];
  const { step } = run;
  let value = first;
  out[at] = value;
  for (let i = at + 1, k = index; i < end; i++, k++) {
    let coded = a[k] as number;
    if (b !== NO_BYTES) coded |= (b[k] as number) << 8;
    if (c !== NO_BYTES) coded |= (c[k] as number) << 16;
    if (d !== NO_BYTES) coded |= (d[k] as number) << 24;
    value += step + ((coded >>> 1) ^ -(coded & 1));
    out[i] = value;
  }
}

const NO_BYTES = new Uint8Array(0);

/** The bytes of a plane from residual 0 on, none if the plane is not used. */
function planeOf({ streams, cursors, width }: IntRun, plane: number): Uint8Array {
  return plane < width ? (streams[INT_PLANES + plane] as Uint8Array).subarray(cursors[plane]) : NO_BYTES;
}

function addAny(run: IntRun, first: number, index: number, out: Float64Array, at: number, end: number): void {
  let value = first;
  out[at] = value;
  for (let i = at + 1, k = index; i < end; i++, k++) {
    value += run.step + residualAt(run, k);
    out[i] = value;
  }
}

function decodeOrder2(run: IntRun, first: number, from: number, out: Float64Array, at: number, end: number): void {
  let value = first;
  let { step } = run;
  for (let k = 0; k < from; k++) {
    step += residualAt(run, k);
    value += step;
  }
  out[at] = value;
  for (let i = at + 1, k = from; i < end; i++, k++) {
    step += residualAt(run, k);
    value += step;
    out[i] = value;
  }
}

function residualAt({ streams, cursors, width }: IntRun, index: number): number {
  let coded = 0;
  for (let plane = width - 1; plane >= 0; plane--) {
    coded = coded * 256 + ((streams[INT_PLANES + plane] as Uint8Array)[(cursors[plane] as number) + index] as number);
  }
  return coded % 2 === 0 ? coded / 2 : -(coded + 1) / 2;
}

/** Of the first `count` residuals. */
function sumResiduals(run: IntRun, count: number): number {
  if (run.width === 1) return sumBytes(run.streams[INT_PLANES] as Uint8Array, run.cursors[0] as number, count);
  let sum = 0;
  if (run.width > 0) for (let k = 0; k < count; k++) sum += residualAt(run, k);
  return sum;
}

function sumBytes(bytes: Uint8Array, from: number, count: number): number {
  let sum = 0;
  for (let k = from; k < from + count; k++) {
    const coded = bytes[k] as number;
    sum = (sum + ((coded >>> 1) ^ -(coded & 1))) | 0;
  }
  return sum;
}
