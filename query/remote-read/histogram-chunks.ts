import {
  type BucketSpan,
  CUSTOM_BUCKETS_SCHEMA,
  isStaleHistogram,
  type NativeHistogram,
  sameLayout,
} from "@sightline/model/histogram.ts";
import type { HistogramSlice } from "@sightline/model/metric-store.ts";
import { wordsOf, writeStale } from "@sightline/model/stale.ts";
import { detectReset } from "../promql/histogram/detect-reset.ts";
import { BitWriter } from "./bit-writer.ts";
import { type Chunk, FLOAT_HISTOGRAM_CHUNK, SAMPLES_PER_CHUNK } from "./chunk.ts";
import { writeVarbitInt, writeVarbitUint } from "./varbit.ts";
import { XorValues } from "./xor-values.ts";

const HEADER_BYTES = 3;
/** What a chunk's header says of counter resets: nothing, or that its histograms are gauges, which have none. */
const UNKNOWN_RESETS = 0;
const GAUGE = 0b1100_0000;
const GAUGE_HINT = 3;

/**
 * Native histograms as float histogram chunks (tsdb/chunkenc/float_histogram.go). The histograms of a chunk share a
 * layout, and a reader takes every one but the first for one without counter reset: where either does not hold, a
 * new chunk begins.
 */
export function* histogramChunks({ timesMs, values }: HistogramSlice): Generator<Chunk> {
  for (let from = 0; from < values.length; ) {
    let to = from + 1;
    while (to < values.length && to - from < SAMPLES_PER_CHUNK && continues(values[to - 1], values[to])) to++;
    yield {
      minTimeMs: timesMs[from] as number,
      maxTimeMs: timesMs[to - 1] as number,
      encoding: FLOAT_HISTOGRAM_CHUNK,
      data: encode(timesMs.subarray(from, to), values.slice(from, to)),
    };
    from = to;
  }
}

function continues(before: NativeHistogram | undefined, next: NativeHistogram | undefined): boolean {
  if (!before || !next || isStaleHistogram(before) || isStaleHistogram(next)) return false;
  const isGauge = next.counterResetHint === GAUGE_HINT;
  if (isGauge !== (before.counterResetHint === GAUGE_HINT) || !sameLayout(before, next)) return false;
  return isGauge || !detectReset(next, before);
}

function encode(timesMs: Float64Array, histograms: readonly NativeHistogram[]): Uint8Array {
  const bits = new BitWriter();
  const first = histograms[0] as NativeHistogram;
  bits.header(HEADER_BYTES);
  bits.setByte(1, histograms.length);
  bits.setByte(2, first.counterResetHint === GAUGE_HINT ? GAUGE : UNKNOWN_RESETS);
  writeLayout(bits, first);
  const numbers = numbersOf(first);
  const columns = Array.from(numbers, () => new XorValues());
  let lastDelta = 0;
  for (const [i, histogram] of histograms.entries()) {
    const timeMs = timesMs[i] as number;
    const words = wordsOf(numbersOf(histogram));
    if (i === 0) writeVarbitInt(bits, timeMs);
    else {
      const delta = timeMs - (timesMs[i - 1] as number);
      writeVarbitInt(bits, delta - lastDelta);
      lastDelta = delta;
    }
    for (const [k, column] of columns.entries()) {
      if (i === 0) column.first(bits, words[2 * k] as number, words[2 * k + 1] as number);
      else column.next(bits, words[2 * k] as number, words[2 * k + 1] as number);
    }
  }
  return bits.finish();
}

/** What each sample of a chunk has of its own, in the order it is written. */
function numbersOf(histogram: NativeHistogram): Float64Array {
  const { count, zeroCount, sum, positiveBuckets, negativeBuckets } = histogram;
  const numbers = Float64Array.of(count, zeroCount, sum, ...positiveBuckets, ...negativeBuckets);
  if (isStaleHistogram(histogram)) writeStale(wordsOf(numbers), 2);
  return numbers;
}

function writeLayout(bits: BitWriter, histogram: NativeHistogram): void {
  writeZeroThreshold(bits, histogram.zeroThreshold);
  writeVarbitInt(bits, histogram.schema);
  writeSpans(bits, histogram.positiveSpans);
  writeSpans(bits, histogram.negativeSpans);
  if (histogram.schema !== CUSTOM_BUCKETS_SCHEMA) return;
  writeVarbitUint(bits, histogram.customValues.length);
  for (const bound of histogram.customValues) writeCustomBound(bits, bound);
}

function writeSpans(bits: BitWriter, spans: readonly BucketSpan[]): void {
  writeVarbitUint(bits, spans.length);
  for (const { offset, length } of spans) {
    writeVarbitUint(bits, length);
    writeVarbitInt(bits, offset);
  }
}

/** A power of two from 2^-243 to 2^10 in one byte, anything else but 0 in nine. */
function writeZeroThreshold(bits: BitWriter, threshold: number): void {
  const exponent = Math.round(Math.log2(threshold));
  if (threshold === 0) bits.write(0, 8);
  else if (2 ** exponent === threshold && exponent >= -243 && exponent <= 10) bits.write(exponent + 1 + 243, 8);
  else {
    bits.write(255, 8);
    writeDouble(bits, threshold);
  }
}

const MAX_SHORT_BOUND = 33_554_430;

/** Thousandths in a varbit as long as they are few, anything else in full after a zero bit. */
function writeCustomBound(bits: BitWriter, bound: number): void {
  const thousandths = Math.round(bound * 1_000);
  if (bound >= 0 && bound * 1_000 <= MAX_SHORT_BOUND && thousandths / 1_000 === bound) {
    writeVarbitUint(bits, thousandths + 1);
    return;
  }
  bits.write(0, 1);
  writeDouble(bits, bound);
}

function writeDouble(bits: BitWriter, value: number): void {
  const [low, high] = wordsOf(Float64Array.of(value)) as unknown as [number, number];
  bits.writeWords(low, high, 64);
}
