import { CorruptionError } from "@sightline/model/errors.ts";
import {
  type BucketSpan,
  type CounterResetHint,
  EMPTY_BUCKETS,
  isStaleHistogram,
  type NativeHistogram,
  STALE_HISTOGRAM,
} from "@sightline/model/histogram.ts";

/**
 * One native histogram as bytes: a version, then doubles in the byte order of the machine that are its fields, with the length
 * of each list before it. A stale one is the version alone.
 */
const VERSION = 1;
const FIXED = 12;

export function encodeHistogram(histogram: NativeHistogram): Buffer {
  if (isStaleHistogram(histogram)) return Buffer.of(VERSION);
  const { positiveSpans, negativeSpans, positiveBuckets, negativeBuckets, customValues } = histogram;
  const numbers = [
    histogram.schema,
    histogram.zeroThreshold,
    histogram.zeroCount,
    histogram.count,
    histogram.counterResetHint,
    positiveSpans.length,
    positiveBuckets.length,
    negativeSpans.length,
    negativeBuckets.length,
    customValues.length,
    0,
  ];
  for (const { offset, length } of positiveSpans) numbers.push(offset, length);
  for (const { offset, length } of negativeSpans) numbers.push(offset, length);
  const lists = [positiveBuckets, negativeBuckets, customValues];
  const doubles = new Float64Array(numbers.length + 1 + lists.reduce((sum, { length }) => sum + length, 0));
  doubles.set(numbers);
  // The sum alone, from array to array: it may be a NaN whose bits matter.
  doubles[numbers.length] = histogram.sum;
  let at = numbers.length + 1;
  for (const list of lists) {
    doubles.set(list, at);
    at += list.length;
  }
  const out = Buffer.allocUnsafe(1 + doubles.byteLength);
  out[0] = VERSION;
  out.set(new Uint8Array(doubles.buffer), 1);
  return out;
}

/** Throws `CorruptionError` for anything that {@link encodeHistogram} did not make. */
export function decodeHistogram(bytes: Uint8Array): NativeHistogram {
  if (bytes[0] !== VERSION || (bytes.length - 1) % 8 !== 0) throw new CorruptionError("a histogram is damaged");
  if (bytes.length === 1) return STALE_HISTOGRAM;
  const doubles = new Float64Array(new Uint8Array(bytes.subarray(1)).buffer);
  const at = (index: number) => doubles[index] as number;
  const [spans, buckets, negativeSpans, negativeBuckets, custom] = [at(5), at(6), at(7), at(8), at(9)] as const;
  const expected = FIXED + 2 * (spans + negativeSpans) + buckets + negativeBuckets + custom;
  if (doubles.length !== expected) throw new CorruptionError("a histogram has another length than it says");
  let next = FIXED - 1;
  const readSpans = (count: number): BucketSpan[] =>
    Array.from({ length: count }, () => ({ offset: at(next++), length: at(next++) }));
  const positive = readSpans(spans);
  const negative = readSpans(negativeSpans);
  const sum = at(next++);
  const list = (length: number) => {
    if (length === 0) return EMPTY_BUCKETS;
    next += length;
    return doubles.slice(next - length, next);
  };
  return {
    schema: at(0),
    zeroThreshold: at(1),
    zeroCount: at(2),
    count: at(3),
    sum,
    positiveSpans: positive,
    positiveBuckets: list(buckets),
    negativeSpans: negative,
    negativeBuckets: list(negativeBuckets),
    customValues: list(custom),
    counterResetHint: at(4) as CounterResetHint,
  };
}

/** Bit by bit. */
export function sameHistogram(a: NativeHistogram, b: NativeHistogram): boolean {
  return encodeHistogram(a).equals(encodeHistogram(b));
}
