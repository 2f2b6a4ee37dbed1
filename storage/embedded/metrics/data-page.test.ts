import { CorruptionError } from "@sightline/model/errors.ts";
import { EMPTY_BUCKETS, type NativeHistogram, STALE_HISTOGRAM } from "@sightline/model/histogram.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { DataPage, DataPageWriter } from "./data-page.ts";
import { MAX_CHUNK_SAMPLES } from "./decode-ints.ts";

const STALE_BITS = 0x7ff0000000000002n;
const NO_STARTS = undefined;

/** Any 64 bits at all, with the usual kinds of numbers more often. */
const bits = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(STALE_BITS, 0x7ff8000000000001n, 0x8000000000000000n, 0x7ff0000000000000n),
);
const anyValues = fc
  .array(bits, { minLength: 1, maxLength: 200 })
  .map((all) => new Float64Array(BigUint64Array.from(all).buffer));
const decimals = fc
  .tuple(fc.integer({ min: 0, max: 15 }), fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { minLength: 1 }))
  .map(([places, ints]) => Float64Array.from(ints, (int) => int / 10 ** places));
const integers = fc.array(fc.maxSafeInteger(), { minLength: 1 }).map((ints) => Float64Array.from(ints));
const sums = fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 1, maxLength: 300 }).map((steps) => {
  let sum = 0;
  return Float64Array.from(steps, (step) => (sum += step / 1000));
});
const withSpecials = fc.tuple(decimals, fc.array(fc.nat(), { maxLength: 3 })).map(([values, places]) => {
  const all = new BigUint64Array(values.buffer);
  for (const place of places) all[place % all.length] = STALE_BITS;
  return values;
});

test.each([
  ["any doubles", anyValues],
  ["decimals", decimals],
  ["integers up to 2^53", integers],
  ["sums of decimals", sums],
  ["decimals with staleness markers", withSpecials],
])("%s come back bit by bit", (_, values) => {
  fc.assert(
    fc.property(fc.array(values, { minLength: 1, maxLength: 4 }), (chunks) => {
      const writer = new DataPageWriter();
      chunks.forEach((chunk, i) => {
        writer.addValues(i * 3, i, timesOf(chunk.length), chunk, NO_STARTS);
      });
      const page = new DataPage(writer.finish().bytes);
      chunks.forEach((chunk, i) => {
        const out = new Float64Array(chunk.length + 2);
        page.readValues(i, 0, chunk.length, out, 1);
        expect(bitsOf(out.subarray(1, chunk.length + 1))).toEqual(bitsOf(chunk));
        const [from, to] = [Math.floor(chunk.length / 3), Math.ceil((chunk.length * 2) / 3)];
        page.readValues(i, from, to, out, 0);
        expect(bitsOf(out.subarray(0, to - from))).toEqual(bitsOf(chunk.subarray(from, to)));
      });
    }),
    { numRuns: 60 },
  );
});

/** Sums of steps of every width that integers are coded in, some with jumps back to zero. */
const longSums = fc
  .record({
    first: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
    step: fc.constantFrom(0, 7, -100_000, 2 ** 30),
    noise: fc.constantFrom(0, 20, 3_000, 2 ** 19, 2 ** 29, 2 ** 36),
    drift: fc.constantFrom(0, 3, 1_000),
    divisor: fc.constantFrom(1, 100),
    resetAt: fc.integer({ min: 0, max: 3_000 }),
    seed: fc.nat(),
  })
  .map(({ first, step, noise, drift, divisor, resetAt, seed }) => {
    let [value, state] = [first, seed];
    return Float64Array.from({ length: MAX_CHUNK_SAMPLES }, (_, i) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      value += step + drift * i + Math.floor((state / 2 ** 32 - 0.5) * noise);
      if (i === resetAt) value = 0;
      return value / divisor;
    });
  });

test("any part of a long chunk comes back, in whatever order parts are read", () => {
  const part = fc.tuple(fc.nat({ max: 1 }), fc.nat({ max: MAX_CHUNK_SAMPLES }), fc.nat({ max: MAX_CHUNK_SAMPLES }));
  fc.assert(
    fc.property(longSums, longSums, fc.array(part, { minLength: 1, maxLength: 12 }), (one, other, parts) => {
      const chunks = [one, other];
      const writer = new DataPageWriter();
      chunks.forEach((chunk, i) => {
        writer.addValues(i, i, timesOf(chunk.length), chunk, NO_STARTS);
      });
      const page = new DataPage(writer.finish().bytes);
      for (const [i, a, b] of parts) {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const out = new Float64Array(to - from);
        page.readValues(i, from, to, out, 0);
        expect(out).toEqual((chunks[i] as Float64Array).subarray(from, to));
      }
    }),
  );
});

test("chunks are found by series, and may be read in any order", () => {
  const writer = new DataPageWriter();
  writer.addValues(5, 7, timesOf(3), Float64Array.of(1, 2, 3), NO_STARTS);
  writer.addValues(5, 2, timesOf(1), Float64Array.of(4), NO_STARTS);
  writer.addValues(9, 3, timesOf(2), Float64Array.of(0.5, 1e300), NO_STARTS);
  const { bytes, firstSeries, lastSeries } = writer.finish();
  expect([firstSeries, lastSeries]).toEqual([5, 9]);
  const page = new DataPage(bytes);
  const { chunks } = page;
  expect([0, 1, 2].map((chunk) => [chunks.series(chunk), chunks.timeRun(chunk)])).toEqual([
    [5, 7],
    [5, 2],
    [9, 3],
  ]);
  expect([0, 5, 6, 9, 10].map((series) => chunks.firstOf(series))).toEqual([0, 0, 2, 2, 3]);
  expect([2, 0, 1].map((chunk) => valuesOf(page, chunk))).toEqual([[0.5, 1e300], [1, 2, 3], [4]]);
});

test("start times come back, of cumulative and of delta series", () => {
  const times = timesOf(6);
  for (const starts of [
    Float64Array.of(0, 0, 5, 5, 5, 0),
    Float64Array.from(times, (time) => time - 1000),
    Float64Array.of(1, 2, 3, 3, 3, 900),
  ]) {
    const writer = new DataPageWriter();
    writer.addValues(0, 0, times, Float64Array.of(1, 2, Number.NaN, 4, 5, 6), starts);
    const page = new DataPage(writer.finish().bytes);
    expect(page.readStarts(0, times)).toEqual(starts);
    expect(valuesOf(page, 0)).toEqual([1, 2, Number.NaN, 4, 5, 6]);
  }
});

const buckets = fc.array(fc.oneof(fc.nat(), fc.double({ noNaN: true })), { maxLength: 5 });
const histogram: fc.Arbitrary<NativeHistogram> = fc
  .record({
    schema: fc.integer({ min: -4, max: 8 }),
    zeroThreshold: fc.double({ noNaN: true }),
    zeroCount: fc.oneof(fc.nat(), fc.double({ noNaN: true })),
    count: fc.oneof(fc.maxSafeInteger(), fc.double({ noNaN: true })),
    sum: fc.double(),
    positive: buckets,
    negative: buckets,
    customValues: fc.constantFrom(EMPTY_BUCKETS, Float64Array.of(0.5, 1, Number.MAX_VALUE)),
    counterResetHint: fc.constantFrom(0, 1, 2, 3),
  })
  .map(({ positive, negative, ...rest }) => ({
    ...rest,
    positiveBuckets: Float64Array.from(positive),
    positiveSpans: positive.length > 0 ? [{ offset: -3, length: positive.length }] : [],
    negativeBuckets: Float64Array.from(negative),
    negativeSpans: negative.length > 0 ? [{ offset: 2, length: negative.length }] : [],
  }));

test("histograms come back as they were, stale ones as the one object that stands for them", () => {
  const many = fc.array(fc.oneof(histogram, fc.constant(STALE_HISTOGRAM)), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(many, (histograms) => {
      const writer = new DataPageWriter();
      const repeated = histograms.flatMap((one) => [one, one]);
      writer.addHistograms(1, 0, timesOf(repeated.length), repeated, NO_STARTS);
      const page = new DataPage(writer.finish().bytes);
      const read = page.readHistograms(0);
      expect(read).toEqual(repeated);
      expect(read.map((one) => one === STALE_HISTOGRAM)).toEqual(repeated.map((one) => one === STALE_HISTOGRAM));
    }),
    { numRuns: 60 },
  );
});

test("damaged pages are refused or read as something, but never hang or read beyond themselves", () => {
  const writer = new DataPageWriter();
  writer.addValues(
    1,
    0,
    timesOf(40),
    Float64Array.from({ length: 40 }, (_, i) => i * i),
    NO_STARTS,
  );
  writer.addValues(
    2,
    0,
    timesOf(40),
    Float64Array.from({ length: 40 }, (_, i) => Math.sqrt(i)),
    NO_STARTS,
  );
  const { bytes } = writer.finish();
  fc.assert(
    fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const damaged = Uint8Array.from(bytes);
      (damaged[at] as number) ^= flip;
      try {
        const page = new DataPage(damaged);
        for (let chunk = 0; chunk < page.chunks.length; chunk++) {
          page.readValues(chunk, 0, page.chunks.samples(chunk), new Float64Array(MAX_CHUNK_SAMPLES), 0);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(CorruptionError);
      }
    }),
  );
});

function timesOf(length: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => 1_700_000_000_000 + i * 15_000);
}

function valuesOf(page: DataPage, chunk: number): number[] {
  const out = new Float64Array(page.chunks.samples(chunk));
  page.readValues(chunk, 0, out.length, out, 0);
  return [...out];
}

function bitsOf(values: Float64Array): bigint[] {
  return Array.from({ length: values.length }, (_, i) =>
    new DataView(values.buffer, values.byteOffset).getBigUint64(i * 8, true),
  );
}
