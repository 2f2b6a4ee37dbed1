import type { PageReader, PageWriter } from "./page-bytes.ts";

/**
 * Differences of the values of a series that all fit into as many bytes: the first as a varint, for it is the first value itself,
 * then the lowest byte of each of the others, then the next byte of each. Nothing in them has to be looked at to know where the
 * next one begins, which made up most of the time that reading varints took, and upper bytes, mostly zero, compress to nothing.
 */
const MAX_WIDTH = 3;

/** Bytes that each difference but the first needs, zigzagged; 0: they don't fit, or there are none. */
export function widthOf(differences: Float64Array): number {
  if (differences.length < 2) return 0;
  let largest = 0;
  for (let i = 1; i < differences.length; i++) largest = Math.max(largest, zigzagOf(differences[i] as number));
  for (let width = 1; width <= MAX_WIDTH; width++) if (largest < 256 ** width) return width;
  return 0;
}

/** `width`: that of {@link widthOf}. */
export function writePlanes(differences: Float64Array, width: number, out: PageWriter): void {
  out.zigzag(differences[0] as number);
  for (let plane = 0; plane < width; plane++) {
    for (let i = 1; i < differences.length; i++) out.u8((zigzagOf(differences[i] as number) >>> (8 * plane)) & 255);
  }
}

/** The values: sums of the differences. Throws `CorruptionError` where the bytes end too early. */
export function readPlanes(reader: PageReader, width: number, out: Float64Array, from: number, count: number): void {
  const { bytes } = reader;
  const first = reader.zigzag();
  const others = count - 1;
  const at = reader.at;
  reader.skip(others * width);
  const to = out.subarray(from, from + count);
  to[0] = first;
  if (width === 1) sumBytes(bytes, at, to);
  else if (width === 2) sumPairs(bytes, at, to);
  else sumTriples(bytes, at, to);
}

function sumBytes(bytes: Uint8Array, from: number, out: Float64Array): void {
  let value = out[0] as number;
  for (let i = 1, at = from; i < out.length; i++, at++) {
    const zigzag = bytes[at] as number;
    value += (zigzag >>> 1) ^ -(zigzag & 1);
    out[i] = value;
  }
}

function sumPairs(bytes: Uint8Array, from: number, out: Float64Array): void {
  const others = out.length - 1;
  let value = out[0] as number;
  for (let i = 1, at = from; i <= others; i++, at++) {
    const zigzag = (bytes[at] as number) | ((bytes[at + others] as number) << 8);
    value += (zigzag >>> 1) ^ -(zigzag & 1);
    out[i] = value;
  }
}

function sumTriples(bytes: Uint8Array, from: number, out: Float64Array): void {
  const others = out.length - 1;
  let value = out[0] as number;
  for (let i = 1, at = from; i <= others; i++, at++) {
    const pair = (bytes[at] as number) | ((bytes[at + others] as number) << 8);
    const zigzag = pair | ((bytes[at + 2 * others] as number) << 16);
    value += (zigzag >>> 1) ^ -(zigzag & 1);
    out[i] = value;
  }
}

/** Exact for what fits; what does not is at least as large. */
function zigzagOf(difference: number): number {
  return difference < 0 ? -2 * difference - 1 : 2 * difference;
}
