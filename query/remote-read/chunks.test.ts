import {
  CUSTOM_BUCKETS_SCHEMA,
  EMPTY_BUCKETS,
  type NativeHistogram,
  STALE_HISTOGRAM,
} from "@sightline/model/histogram.ts";
import { isStaleBits, wordsOf, writeStale } from "@sightline/model/stale.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Chunk } from "./chunk.ts";
import { histogramChunks } from "./histogram-chunks.ts";
import { BitReader, XorReader } from "./test-chunk-reader.ts";
import { xorChunks } from "./xor-chunks.ts";

type Point = readonly [timeMs: number, bits: bigint];

function readXorChunk({ data }: Chunk): Point[] {
  const count = (data[0] as number) * 256 + (data[1] as number);
  const reader = new BitReader(data, 2);
  const values = new XorReader();
  const zigzag = reader.uvarint();
  let time = zigzag & 1n ? -(zigzag >> 1n) - 1n : zigzag >> 1n;
  const points: Point[] = [[Number(time), values.first(reader)]];
  let delta = 0n;
  for (let i = 1; i < count; i++) {
    if (i === 1) delta = reader.uvarint();
    else {
      const size = [0, 14, 17, 20, 64][reader.ones(4)] as number;
      delta += size === 0 ? 0n : reader.signed(size);
    }
    time += delta;
    points.push([Number(time), values.next(reader)]);
  }
  return points;
}

const bitsOf = (values: Float64Array) => [...new BigUint64Array(values.buffer, values.byteOffset, values.length)];
const gaps = fc.array(
  fc.oneof(fc.constant(15_000), fc.integer({ min: 1, max: 40_000 }), fc.integer({ min: 1, max: 2 ** 45 })),
  {
    minLength: 1,
    maxLength: 300,
  },
);
const number = fc.oneof(fc.double(), fc.integer({ min: 0, max: 1_000 }), fc.constantFrom(0, -0, 1, Number.NaN));

test("float samples come back to the bit, however they lie in time", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -(2 ** 40), max: 2 ** 42 }),
      gaps,
      fc.infiniteStream(number),
      (startMs, gaps, numbers) => {
        let timeMs = startMs;
        const timesMs = Float64Array.from(gaps, (gap) => (timeMs += gap));
        const values = Float64Array.from(gaps, () => numbers.next().value as number);
        const chunks = [...xorChunks(timesMs, values)];
        expect(chunks.flatMap(readXorChunk)).toEqual(bitsOf(values).map((bits, i) => [timesMs[i], bits]));
        expect(chunks[0]?.minTimeMs).toBe(timesMs[0]);
        expect(chunks.at(-1)?.maxTimeMs).toBe(timesMs.at(-1));
      },
    ),
    { numRuns: 200 },
  );
});

test("the staleness marker stays itself", () => {
  const values = Float64Array.of(1, 0, 2);
  writeStale(wordsOf(values), 1);
  const [chunk] = [...xorChunks(Float64Array.of(1, 2, 3), values)];
  const bits = readXorChunk(chunk as Chunk)[1]?.[1] as bigint;
  expect(isStaleBits(Number(bits & 0xffffffffn), Number(bits >> 32n))).toBe(true);
});

const HISTOGRAM: NativeHistogram = {
  schema: 1,
  zeroThreshold: 2 ** -128,
  zeroCount: 1,
  count: 7,
  sum: 12.5,
  positiveSpans: [
    { offset: -3, length: 2 },
    { offset: 2, length: 1 },
  ],
  positiveBuckets: Float64Array.of(1, 2, 3),
  negativeSpans: [],
  negativeBuckets: EMPTY_BUCKETS,
  customValues: EMPTY_BUCKETS,
  counterResetHint: 0,
};
const grown: NativeHistogram = { ...HISTOGRAM, count: 9, sum: 20, positiveBuckets: Float64Array.of(1, 3, 4) };
const chunksOf = (...values: NativeHistogram[]) => [
  ...histogramChunks({ timesMs: Float64Array.from(values, (_, i) => 1_000 * (i + 1)), values }),
];

function readSpans(reader: BitReader): unknown[] {
  return Array.from({ length: Number(reader.varbit()) }, () => {
    const length = Number(reader.varbit());
    return { offset: Number(reader.varbitSigned()), length };
  });
}

function readBound(reader: BitReader): number {
  const thousandths = reader.varbit();
  return thousandths === 0n ? double(reader.bits(64)) : Number(thousandths - 1n) / 1_000;
}

function double(bits: bigint): number {
  return new Float64Array(BigUint64Array.of(bits).buffer)[0] as number;
}

function readHistogramChunk({ data }: Chunk) {
  const reader = new BitReader(data, 3);
  const byte = Number(reader.bits(8));
  const zeroThreshold = byte === 0 ? 0 : byte === 255 ? double(reader.bits(64)) : 2 ** (byte - 244);
  const schema = Number(reader.varbitSigned());
  const positiveSpans = readSpans(reader);
  const negativeSpans = readSpans(reader);
  const customValues =
    schema === CUSTOM_BUCKETS_SCHEMA ? Array.from({ length: Number(reader.varbit()) }, () => readBound(reader)) : [];
  const columns =
    3 +
    [...positiveSpans, ...negativeSpans].reduce((sum: number, span) => sum + (span as { length: number }).length, 0);
  const readers = Array.from({ length: columns }, () => new XorReader());
  const rows: number[][] = [];
  let [timeMs, delta] = [0, 0];
  for (let i = 0; i < (data[1] as number); i++) {
    const step = Number(reader.varbitSigned());
    if (i === 0) timeMs = step;
    else timeMs += delta += step;
    rows.push([timeMs, ...readers.map((column) => double(i === 0 ? column.first(reader) : column.next(reader)))]);
  }
  return { flags: data[2], zeroThreshold, schema, positiveSpans, negativeSpans, customValues, rows };
}

test("histograms of one layout share a chunk", () => {
  const chunks = chunksOf(HISTOGRAM, grown);
  expect(chunks).toHaveLength(1);
  expect(readHistogramChunk(chunks[0] as Chunk)).toEqual({
    flags: 0,
    zeroThreshold: HISTOGRAM.zeroThreshold,
    schema: 1,
    positiveSpans: HISTOGRAM.positiveSpans,
    negativeSpans: [],
    customValues: [],
    rows: [
      [1_000, 7, 1, 12.5, 1, 2, 3],
      [2_000, 9, 1, 20, 1, 3, 4],
    ],
  });
});

test.each<[string, NativeHistogram]>([
  ["another layout", { ...grown, positiveSpans: [{ offset: 0, length: 3 }] }],
  ["a counter reset", { ...HISTOGRAM, count: 1, positiveBuckets: Float64Array.of(0, 0, 0) }],
  ["a hint of one", { ...grown, counterResetHint: 1 }],
  ["a gauge after a counter", { ...grown, counterResetHint: 3 }],
  ["a staleness marker", STALE_HISTOGRAM],
])("%s begins a chunk", (_, next) => expect(chunksOf(HISTOGRAM, next)).toHaveLength(2));

test("chunks are those that Prometheus' own encoder makes of the same samples", () => {
  const timesMs = Float64Array.of(1_700_000_000_000, 1_700_000_015_000, 1_700_000_030_000, 1_700_000_045_010);
  const hex = (chunk: Chunk | undefined) => Buffer.from(chunk?.data ?? []).toString("hex");
  const [floats] = [...xorChunks(timesMs, Float64Array.of(1, 2, 2, 3.5))];
  expect(hex(floats)).toBe("000480a0abfef9623ff00000000000009875c25fff2002b60580");
  expect(hex(chunksOf(HISTOGRAM, grown)[0])).toBe(
    "000200748ca558c9e3e8401c0000000000003ff000000000000040290000000000003ff000000000000040000000000000004008000000000000f1f46a17ed62f5b01eb0b0",
  );
});

test("gauges share a chunk whatever their counts do, and it says so", () => {
  const gauge = { ...HISTOGRAM, counterResetHint: 3 } as const;
  const chunks = chunksOf({ ...gauge, count: 100 }, gauge);
  expect(chunks).toHaveLength(1);
  expect(readHistogramChunk(chunks[0] as Chunk).flags).toBe(0b1100_0000);
});

test("custom bounds and odd zero thresholds come back", () => {
  const customValues = Float64Array.of(-1, 0, 0.005, 0.1234567, 33_554.43, 33_554.431, 1e9);
  const custom = { ...HISTOGRAM, schema: CUSTOM_BUCKETS_SCHEMA, zeroThreshold: 0, customValues };
  expect(readHistogramChunk(chunksOf(custom)[0] as Chunk).customValues).toEqual([...customValues]);
  for (const zeroThreshold of [0, 1, 1_024, 2_048, 2 ** -243, 2 ** -244, 0.001]) {
    expect(readHistogramChunk(chunksOf({ ...HISTOGRAM, zeroThreshold })[0] as Chunk).zeroThreshold).toBe(zeroThreshold);
  }
});
