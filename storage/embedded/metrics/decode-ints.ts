import { CorruptionError } from "@sightline/model/errors.ts";
import type { ByteReader } from "./byte-reader.ts";
import { INT_PLANES, MAX_INT_WIDTH } from "./page-streams.ts";
import { MARK_STRIDE, type RunMarks } from "./run-marks.ts";

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
 * to 10^22 rounds once). `marks` of this run are used and added to.
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
  marks?: RunMarks,
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
  if (from < to) {
    const run = { streams, cursors, width, step, divisor };
    const isOrder2 = (shape & 0x10) !== 0;
    if (marks && width > 0 && from >= MARK_STRIDE)
      decodeFromMark(run, isOrder2, first, from, out, at, to - from, marks);
    else decodePart(run, isOrder2, first, from, out, at, at + to - from);
  }
  for (let plane = 0; plane < width; plane++) (cursors[plane] as number) += length - 1;
}

/** Residual i is byte `cursors[k] + i` of each plane k below `width`. Numbers are divided where they are written, which takes no time of its own. */
type IntRun = {
  readonly streams: readonly Uint8Array[];
  readonly cursors: PlaneCursors;
  readonly width: number;
  readonly step: number;
  readonly divisor: number;
};

function widthOf(shape: number): number {
  const width = shape & 0x0f;
  if (width > MAX_INT_WIDTH) throw new CorruptionError(`integers of ${width} bytes`);
  return width;
}

const shiftedCursors = new Uint32Array(MAX_INT_WIDTH);

/** {@link decodePart} from the last mark before `from`, after setting those that are missing up to there. */
function decodeFromMark(
  run: IntRun,
  isOrder2: boolean,
  first: number,
  from: number,
  out: Float64Array,
  at: number,
  count: number,
  marks: RunMarks,
): void {
  const begin = from - (from % MARK_STRIDE);
  let index = marks.knownBefore(from);
  let value = index === 0 ? first : marks.value(index);
  let step = index === 0 ? run.step : marks.step(index);
  for (; index < begin; index += MARK_STRIDE) {
    const part = shifted(run, index, step);
    if (isOrder2) {
      const residuals = residualsOf(part, MARK_STRIDE);
      for (let k = 0; k < MARK_STRIDE; k++) {
        step += residuals[k] as number;
        value += step;
      }
    } else value += MARK_STRIDE * step + sumResiduals(part, MARK_STRIDE);
    marks.set(index + MARK_STRIDE, value, step);
  }
  decodePart(shifted(run, begin, step), isOrder2, value, from - begin, out, at, at + count);
}

/** The first `count` residuals of a run together. */
function sumResiduals(run: IntRun, count: number): number {
  const { streams, cursors, width } = run;
  const low = streams[INT_PLANES] as Uint8Array;
  if (width === 1) return sumBytes(low, cursors[0] as number, count);
  if (width === 2) {
    return sumWords(low, cursors[0] as number, streams[INT_PLANES + 1] as Uint8Array, cursors[1] as number, count);
  }
  const residuals = residualsOf(run, count);
  let sum = 0;
  for (let k = 0; k < count; k++) sum += residuals[k] as number;
  return sum;
}

/** The run as if it began at `index`. Valid until the next call. */
function shifted({ streams, cursors, width, divisor }: IntRun, index: number, step: number): IntRun {
  for (let plane = 0; plane < width; plane++) shiftedCursors[plane] = (cursors[plane] as number) + index;
  return { streams, cursors: shiftedCursors, width, step, divisor };
}

/** A whole chunk of steps and residuals of two bytes adds up to less than 2^31 below this. */
const MAX_SMALL_STEP = 2 ** 20;

function decodePart(
  run: IntRun,
  isOrder2: boolean,
  first: number,
  from: number,
  out: Float64Array,
  at: number,
  end: number,
): void {
  const { streams, cursors, width, step, divisor } = run;
  const low = streams[INT_PLANES] as Uint8Array;
  const lowAt = cursors[0] as number;
  const start = first + from * step;
  if (isOrder2) addOrder2(residualsOf(run, from + end - at - 1), first, step, divisor, from, out, at, end);
  else if (width === 0) writeLine(start, step, divisor, out, at, end);
  else if (width === 3 || width === 4) addInts(run, first, from, out, at, end);
  else if (width > 2 || Math.abs(step) > MAX_SMALL_STEP) {
    addResiduals(residualsOf(run, from + end - at - 1), first, step, divisor, from, out, at, end);
  } else if (width === 1) {
    addBytes(low, lowAt + from, start + sumBytes(low, lowAt, from), step, divisor, out, at, end);
  } else {
    const high = streams[INT_PLANES + 1] as Uint8Array;
    const highAt = cursors[1] as number;
    const value = start + sumWords(low, lowAt, high, highAt, from);
    addWords(low, lowAt + from, high, highAt + from, value, step, divisor, out, at, end);
  }
}

function writeLine(first: number, step: number, divisor: number, out: Float64Array, at: number, end: number): void {
  let value = first;
  for (let i = at; i < end; i++) {
    out[i] = value / divisor;
    value += step;
  }
}

function sumBytes(bytes: Uint8Array, from: number, count: number): number {
  let sum = 0;
  for (let k = from; k < from + count; k++) {
    const coded = bytes[k] as number;
    sum = (sum + ((coded >>> 1) ^ -(coded & 1))) | 0;
  }
  return sum;
}

function addBytes(
  bytes: Uint8Array,
  from: number,
  value: number,
  step: number,
  divisor: number,
  out: Float64Array,
  at: number,
  end: number,
): void {
  out[at] = value / divisor;
  let sum = 0;
  for (let i = at + 1, k = from; i < end; i++, k++) {
    const coded = bytes[k] as number;
    sum = (sum + step + ((coded >>> 1) ^ -(coded & 1))) | 0;
    out[i] = (value + sum) / divisor;
  }
}

function sumWords(low: Uint8Array, fromLow: number, high: Uint8Array, fromHigh: number, count: number): number {
  let sum = 0;
  for (let k = fromLow, l = fromHigh; k < fromLow + count; k++, l++) {
    const coded = (low[k] as number) | ((high[l] as number) << 8);
    sum = (sum + ((coded >>> 1) ^ -(coded & 1))) | 0;
  }
  return sum;
}

function addWords(
  low: Uint8Array,
  fromLow: number,
  high: Uint8Array,
  fromHigh: number,
  value: number,
  step: number,
  divisor: number,
  out: Float64Array,
  at: number,
  end: number,
): void {
  out[at] = value / divisor;
  let sum = 0;
  for (let i = at + 1, k = fromLow, l = fromHigh; i < end; i++, k++, l++) {
    const coded = (low[k] as number) | ((high[l] as number) << 8);
    sum = (sum + step + ((coded >>> 1) ^ -(coded & 1))) | 0;
    out[i] = (value + sum) / divisor;
  }
}

/** Three or four bytes: what a counter that began again at zero leaves in its chunk. */
function addInts(
  { streams, cursors, width, step, divisor }: IntRun,
  first: number,
  from: number,
  out: Float64Array,
  at: number,
  end: number,
): void {
  const plane = (k: number) => (streams[INT_PLANES + k] as Uint8Array).subarray(cursors[k]);
  const [a, b, c] = [plane(0), plane(1), plane(2)];
  const d = width === 4 ? plane(3) : undefined;
  let value = first;
  for (let k = 0; k < from; k++) value += step + intAt(a, b, c, d, k);
  out[at] = value / divisor;
  for (let i = at + 1, k = from; i < end; i++, k++) {
    value += step + intAt(a, b, c, d, k);
    out[i] = value / divisor;
  }
}

function intAt(a: Uint8Array, b: Uint8Array, c: Uint8Array, d: Uint8Array | undefined, k: number): number {
  let coded = (a[k] as number) | ((b[k] as number) << 8) | ((c[k] as number) << 16);
  if (d !== undefined) coded |= (d[k] as number) << 24;
  return (coded >>> 1) ^ -(coded & 1);
}

function addResiduals(
  residuals: Float64Array,
  first: number,
  step: number,
  divisor: number,
  from: number,
  out: Float64Array,
  at: number,
  end: number,
): void {
  let value = first;
  for (let k = 0; k < from; k++) value += step + (residuals[k] as number);
  out[at] = value / divisor;
  for (let i = at + 1, k = from; i < end; i++, k++) {
    value += step + (residuals[k] as number);
    out[i] = value / divisor;
  }
}

function addOrder2(
  residuals: Float64Array,
  first: number,
  firstStep: number,
  divisor: number,
  from: number,
  out: Float64Array,
  at: number,
  end: number,
): void {
  let value = first;
  let step = firstStep;
  for (let k = 0; k < from; k++) {
    step += residuals[k] as number;
    value += step;
  }
  out[at] = value / divisor;
  for (let i = at + 1, k = from; i < end; i++, k++) {
    step += residuals[k] as number;
    value += step;
    out[i] = value / divisor;
  }
}

const residualScratch = new Float64Array(MAX_CHUNK_SAMPLES);

/** The first `count` residuals, of any width; valid until the next call. */
function residualsOf({ streams, cursors, width }: IntRun, count: number): Float64Array {
  const residuals = residualScratch;
  residuals.fill(0, 0, count);
  for (let plane = 0, factor = 1; plane < width; plane++, factor *= 256) {
    const bytes = streams[INT_PLANES + plane] as Uint8Array;
    const from = cursors[plane] as number;
    for (let k = 0; k < count; k++) residuals[k] = (residuals[k] as number) + factor * (bytes[from + k] as number);
  }
  for (let k = 0; k < count; k++) {
    const coded = residuals[k] as number;
    const half = Math.floor(coded / 2);
    residuals[k] = half * 2 === coded ? half : -half - 1;
  }
  return residuals;
}
