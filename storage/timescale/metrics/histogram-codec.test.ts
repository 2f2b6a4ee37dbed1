import { type NativeHistogram, STALE_HISTOGRAM } from "@sightline/model/histogram.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeHistogram, encodeHistogram, sameHistogram } from "./histogram-codec.ts";

const doubles = fc.array(fc.double(), { maxLength: 6 }).map((all) => Float64Array.from(all));
const spans = fc.array(fc.record({ offset: fc.integer(), length: fc.nat() }), { maxLength: 4 });
const histogram: fc.Arbitrary<NativeHistogram> = fc.record({
  schema: fc.integer({ min: -53, max: 8 }),
  zeroThreshold: fc.double(),
  zeroCount: fc.double(),
  count: fc.double(),
  sum: fc.double(),
  positiveSpans: spans,
  positiveBuckets: doubles,
  negativeSpans: spans,
  negativeBuckets: doubles,
  customValues: doubles,
  counterResetHint: fc.constantFrom(0, 1, 2, 3),
});

test("a histogram comes back as it was", () => {
  fc.assert(
    fc.property(histogram, (one) => {
      const again = decodeHistogram(encodeHistogram(one));
      expect(again).toEqual(one);
      expect(sameHistogram(again, one)).toBe(true);
    }),
  );
});

test("the stale one comes back as itself", () => {
  expect(decodeHistogram(encodeHistogram(STALE_HISTOGRAM))).toBe(STALE_HISTOGRAM);
});

test.each([
  ["nothing", Buffer.alloc(0)],
  ["another version", Buffer.of(9)],
  ["too little", Buffer.of(1, 2, 3)],
  ["a length that is not there", Buffer.concat([Buffer.of(1), Buffer.from(new Float64Array(12).fill(7).buffer)])],
])("refuses %s", (_, bytes) => {
  expect(() => decodeHistogram(bytes)).toThrow(expect.objectContaining({ name: "CorruptionError" }));
});
