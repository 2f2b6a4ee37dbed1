import { CorruptionError } from "@sightline/model/errors.ts";
import {
  type BucketSpan,
  type CounterResetHint,
  EMPTY_BUCKETS,
  isStaleHistogram,
  type NativeHistogram,
  STALE_HISTOGRAM,
  sameLayout,
} from "@sightline/model/histogram.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";

/**
 * Native histograms one after the other. The layout (schema, thresholds, spans, custom bounds) is written only when it
 * changes; counts are written as differences to the histogram before when both are integers, else as doubles.
 */
const STALE = 0x01;
const SAME_LAYOUT = 0x02;
const INTEGERS = 0x04;
const HINT_SHIFT = 4;
/** Differences of two integers up to here can be zigzag coded. */
const MAX_INTEGER = 2 ** 50;

export function writeHistograms(histograms: readonly NativeHistogram[], out: ByteWriter): void {
  let before: NativeHistogram | undefined;
  for (const histogram of histograms) {
    if (isStaleHistogram(histogram)) {
      out.u8(STALE);
      continue;
    }
    const same = before !== undefined && sameLayout(before, histogram);
    const integers = hasIntegers(histogram) && (!same || hasIntegers(before as NativeHistogram));
    out.u8((same ? SAME_LAYOUT : 0) | (integers ? INTEGERS : 0) | (histogram.counterResetHint << HINT_SHIFT));
    if (!same) writeLayout(histogram, out);
    writeCounts(histogram, same ? before : undefined, integers, out);
    out.f64(histogram.sum);
    before = histogram;
  }
}

/** Throws CorruptionError when the bytes are not what {@link writeHistograms} wrote. */
export function readHistograms(input: ByteReader, count: number): NativeHistogram[] {
  const histograms: NativeHistogram[] = [];
  let before: NativeHistogram | undefined;
  for (let i = 0; i < count; i++) {
    const flags = input.u8();
    if ((flags & STALE) !== 0) {
      histograms.push(STALE_HISTOGRAM);
      continue;
    }
    const same = (flags & SAME_LAYOUT) !== 0;
    if (same && !before) throw new CorruptionError("the first histogram has no layout");
    const layout: Layout = same ? (before as NativeHistogram) : readLayout(input);
    before = readCounts(input, layout, same ? before : undefined, flags);
    histograms.push(before);
  }
  return histograms;
}

type Layout = Pick<
  NativeHistogram,
  | "schema"
  | "zeroThreshold"
  | "positiveSpans"
  | "negativeSpans"
  | "customValues"
  | "positiveBuckets"
  | "negativeBuckets"
>;

function writeLayout(histogram: NativeHistogram, out: ByteWriter): void {
  out.zigzag(histogram.schema);
  out.f64(histogram.zeroThreshold);
  for (const [spans, buckets] of [
    [histogram.positiveSpans, histogram.positiveBuckets],
    [histogram.negativeSpans, histogram.negativeBuckets],
  ] as const) {
    out.varint(spans.length);
    for (const { offset, length } of spans) {
      out.zigzag(offset);
      out.varint(length);
    }
    out.varint(buckets.length);
  }
  out.varint(histogram.customValues.length);
  for (const bound of histogram.customValues) out.f64(bound);
}

function readLayout(input: ByteReader): Layout {
  const schema = input.zigzag();
  const zeroThreshold = input.f64();
  const [positiveSpans, positive] = readSpans(input);
  const [negativeSpans, negative] = readSpans(input);
  const customValues = new Float64Array(input.count(8));
  for (let i = 0; i < customValues.length; i++) customValues[i] = input.f64();
  return {
    schema,
    zeroThreshold,
    positiveSpans,
    negativeSpans,
    customValues: customValues.length > 0 ? customValues : EMPTY_BUCKETS,
    positiveBuckets: positive > 0 ? new Float64Array(positive) : EMPTY_BUCKETS,
    negativeBuckets: negative > 0 ? new Float64Array(negative) : EMPTY_BUCKETS,
  };
}

function readSpans(input: ByteReader): [spans: BucketSpan[], buckets: number] {
  const spans: BucketSpan[] = [];
  for (let left = input.count(2); left > 0; left--) spans.push({ offset: input.zigzag(), length: input.varint() });
  return [spans, input.count()];
}

function writeCounts(
  histogram: NativeHistogram,
  before: NativeHistogram | undefined,
  integers: boolean,
  out: ByteWriter,
): void {
  const write = (value: number, base: number) => (integers ? out.zigzag(value - base) : out.f64(value));
  write(histogram.count, before?.count ?? 0);
  write(histogram.zeroCount, before?.zeroCount ?? 0);
  histogram.positiveBuckets.forEach((count, i) => {
    write(count, before?.positiveBuckets[i] ?? 0);
  });
  histogram.negativeBuckets.forEach((count, i) => {
    write(count, before?.negativeBuckets[i] ?? 0);
  });
}

function readCounts(
  input: ByteReader,
  layout: Layout,
  before: NativeHistogram | undefined,
  flags: number,
): NativeHistogram {
  const integers = (flags & INTEGERS) !== 0;
  const read = (base: number) => (integers ? input.zigzag() + base : input.f64());
  const count = read(before?.count ?? 0);
  const zeroCount = read(before?.zeroCount ?? 0);
  const positiveBuckets = layout.positiveBuckets.map((_, i) => read(before?.positiveBuckets[i] ?? 0));
  const negativeBuckets = layout.negativeBuckets.map((_, i) => read(before?.negativeBuckets[i] ?? 0));
  return {
    schema: layout.schema,
    zeroThreshold: layout.zeroThreshold,
    zeroCount,
    count,
    sum: input.f64(),
    positiveSpans: layout.positiveSpans,
    positiveBuckets,
    negativeSpans: layout.negativeSpans,
    negativeBuckets,
    customValues: layout.customValues,
    counterResetHint: (flags >> HINT_SHIFT) as CounterResetHint,
  };
}

function hasIntegers({ count, zeroCount, positiveBuckets, negativeBuckets }: NativeHistogram): boolean {
  return (
    isInteger(count) && isInteger(zeroCount) && positiveBuckets.every(isInteger) && negativeBuckets.every(isInteger)
  );
}

function isInteger(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= MAX_INTEGER && !Object.is(value, -0);
}
