import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { wordsOf, writeStale } from "@sightline/model/stale.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodePage, decodeWholePage, encodePage, type PageSeries } from "./page-codec.ts";
import { SampleCollector } from "./sample-collector.ts";

const value = fc.oneof(
  fc.integer({ min: -1_000_000, max: 1_000_000 }),
  fc.integer({ min: 0, max: 100_000 }).map((i) => i / 1_000),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, 5e-324, 0.1 + 0.2),
);
const sample = fc.record({ step: fc.integer({ min: 1, max: 100_000 }), value, start: fc.constantFrom(0, 0, 1_000) });

/** `stale`: the place of a staleness marker, if there are so many samples. */
function seriesOf(
  id: bigint,
  samples: readonly { step: number; value: number; start: number }[],
  stale: number,
): PageSeries {
  let timeMs = 1_790_000_000_000;
  const values = Float64Array.from(samples, (one) => one.value);
  if (stale < values.length) writeStale(wordsOf(values), stale);
  const startsMs = Float64Array.from(samples, ({ start }) => start);
  return {
    id,
    timesMs: Float64Array.from(samples, ({ step }) => {
      timeMs += step;
      return timeMs;
    }),
    values,
    startsMs: startsMs.some((start) => start !== 0) ? startsMs : undefined,
  };
}
const page = fc
  .array(fc.record({ samples: fc.array(sample, { minLength: 1, maxLength: 60 }), stale: fc.nat(100) }), {
    maxLength: 8,
  })
  .map((all) => all.map(({ samples, stale }, i) => seriesOf(2n ** 47n * 5n + BigInt(i), samples, stale)));
const plain = ({ id, timesMs, values, startsMs }: PageSeries) => ({
  id,
  timesMs: [...timesMs],
  words: [...new Uint32Array(values.slice().buffer)],
  startsMs: startsMs && [...startsMs],
});

test("a page gives back what was put in, bit by bit", () => {
  fc.assert(
    fc.property(page, (all) => {
      expect(decodeWholePage(encodePage(all)).map(plain)).toEqual(all.map(plain));
    }),
  );
});

test("values that no one scale makes integers of are kept as they are", () => {
  const series = { id: 1n, timesMs: Float64Array.of(1, 2), values: Float64Array.of(5e14, 0.001), startsMs: undefined };
  expect(decodeWholePage(encodePage([series])).map(plain)).toEqual([plain(series)]);
});

test("pages of version 1, which have varints only, are read", () => {
  const far = [0, 1e9, -1e9, 3].map((value) => ({ step: 15_000, value, start: 0 }));
  const series = seriesOf(7n, far, 9);
  const bytes = zstdDecompressSync(encodePage([series]));
  expect(bytes[0]).toBe(2);
  bytes[0] = 1;
  expect(decodeWholePage(zstdCompressSync(bytes)).map(plain)).toEqual([plain(series)]);
});

test("series that nobody asks for are skipped", () => {
  const all = [1n, 2n, 3n].map((id) => seriesOf(id, [{ step: Number(id), value: Number(id), start: 0 }], 9));
  const collector = new SampleCollector(1, 0);
  decodePage(encodePage(all), collector, (_, rest) => (rest === 2 ? 0 : undefined));
  expect(collector.segmentsOf(0)).toEqual([{ from: 0, to: 1, isPacked: true }]);
  expect(collector.values[0]).toBe(2);
});

test("a damaged page is an error", () => {
  const good = encodePage([seriesOf(1n, [{ step: 1, value: 2, start: 0 }], 9)]);
  for (const bad of [good.subarray(0, good.length - 2), Buffer.from("nonsense"), Buffer.alloc(0)]) {
    expect(() => decodeWholePage(bad)).toThrow(expect.objectContaining({ name: "CorruptionError" }));
  }
});
