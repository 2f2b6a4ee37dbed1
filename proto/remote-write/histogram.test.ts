import { isStaleHistogram } from "@sightline/model/histogram.ts";
import { describe, expect, test } from "vitest";
import { SeriesInterner } from "../metrics/series-interner.ts";
import { encodeV1, type HistogramInput, type LabelInput, replaceDouble } from "./test-messages.ts";
import { RemoteWrite1Decoder } from "./v1.ts";

const NOW = 1_790_000_000_000;
const UP: LabelInput[] = [["__name__", "up"]];
const newDecoder = () => new RemoteWrite1Decoder(new SeriesInterner(1_000));

const histogramOf = (input: HistogramInput) =>
  newDecoder().decode(encodeV1({ timeseries: [{ labels: UP, histograms: [{ timestamp: NOW, ...input }] }] }));

describe("native histograms", () => {
  test("integer counts become absolute", () => {
    const { batch, rejected } = histogramOf({
      countInt: 17,
      sum: 12.5,
      schema: 3,
      zeroThreshold: 1e-128,
      zeroCountInt: 2,
      positiveSpans: [
        { offset: -2, length: 2 },
        { offset: 4, length: 1 },
      ],
      positiveDeltas: [1, 2, -1],
      negativeSpans: [{ offset: 1, length: 2 }],
      negativeDeltas: [5, -1],
      resetHint: 2,
    });
    expect(rejected).toEqual([]);
    expect(batch.histograms).toEqual([
      {
        ref: 0,
        timeMs: NOW,
        startMs: 0,
        histogram: {
          schema: 3,
          zeroThreshold: 1e-128,
          zeroCount: 2,
          count: 17,
          sum: 12.5,
          positiveSpans: [
            { offset: -2, length: 2 },
            { offset: 4, length: 1 },
          ],
          positiveBuckets: Float64Array.of(1, 3, 2),
          negativeSpans: [{ offset: 1, length: 2 }],
          negativeBuckets: Float64Array.of(5, 4),
          customValues: new Float64Array(0),
          counterResetHint: 2,
        },
      },
    ]);
  });

  test("float counts are taken as they are", () => {
    const { batch } = histogramOf({
      countFloat: 7.5,
      zeroCountFloat: 0.5,
      positiveSpans: [{ length: 2 }],
      positiveCounts: [2.5, 4.5],
      resetHint: 3,
    });
    const histogram = batch.histograms[0]?.histogram;
    expect([histogram?.count, histogram?.zeroCount, histogram?.counterResetHint]).toEqual([7.5, 0.5, 3]);
    expect(histogram?.positiveBuckets).toEqual(Float64Array.of(2.5, 4.5));
  });

  test("custom buckets keep their bounds", () => {
    const { batch, rejected } = histogramOf({
      countInt: 6,
      schema: -53,
      customValues: [0.1, 1, 10],
      positiveSpans: [{ length: 1 }, { offset: 2, length: 1 }],
      positiveDeltas: [4, -2],
    });
    expect(rejected).toEqual([]);
    expect(batch.histograms[0]?.histogram.customValues).toEqual(Float64Array.of(0.1, 1, 10));
  });

  test("a resolution above 8 is brought down to 8", () => {
    const { batch, rejected } = histogramOf({
      countInt: 10,
      schema: 10,
      positiveSpans: [
        { offset: 0, length: 5 },
        { offset: 3, length: 1 },
      ],
      positiveDeltas: [1, 0, 0, 0, 0, 4],
    });
    expect(rejected).toEqual([]);
    // Index 0 -> 0, 1..4 -> 1, 8 -> 2.
    expect(batch.histograms[0]?.histogram).toMatchObject({
      schema: 8,
      positiveSpans: [{ offset: 0, length: 3 }],
      positiveBuckets: Float64Array.of(1, 4, 5),
    });
  });

  test("one whose sum is the staleness marker is the stale histogram", () => {
    const request = encodeV1({ timeseries: [{ labels: UP, histograms: [{ timestamp: NOW, sum: 123.25 }] }] });
    const { batch } = newDecoder().decode(replaceDouble(request, 123.25, 0x7ff00000, 2));
    expect(isStaleHistogram(batch.histograms[0]!.histogram)).toBe(true);
  });

  test.each<[string, HistogramInput, RegExp]>([
    ["fewer buckets than spans", { countInt: 0, positiveSpans: [{ length: 9 }] }, /spans need 9 buckets, it has 0/],
    ["huge spans", { countInt: 0, positiveSpans: [{ length: 0xffffffff }] }, /spans need 4294967295 buckets/],
    ["a negative bucket", { countInt: 0, positiveSpans: [{ length: 1 }], positiveDeltas: [-1] }, /negative count -1/],
    [
      "a span that goes back",
      { countInt: 0, negativeSpans: [{ length: 0 }, { offset: -1, length: 0 }] },
      /negative offset/,
    ],
    [
      "a count that does not add up",
      { countInt: 3, positiveSpans: [{ length: 1 }], positiveDeltas: [2] },
      /hold 2 observations/,
    ],
    ["an unknown schema", { countInt: 0, schema: -9 }, /schema -9: use -4 to 8/],
    ["descending custom values", { schema: -53, customValues: [2, 1] }, /do not ascend/],
    ["custom values that are infinite", { schema: -53, customValues: [1, Number.POSITIVE_INFINITY] }, /not a bound/],
    [
      "spans beyond the custom values",
      { schema: -53, customValues: [1], positiveSpans: [{ length: 3 }], positiveDeltas: [0, 0, 0] },
      /do not cover/,
    ],
    ["a zero bucket with custom values", { schema: -53, zeroCountInt: 1 }, /no zero bucket/],
    ["custom values with an exponential schema", { schema: 0, customValues: [1] }, /do not go with schema 0/],
    ["a negative float count", { countFloat: -1 }, /negative count/],
  ])("one with %s is refused", (_name, input, message) => {
    const { batch, rejected } = histogramOf(input);
    expect(batch.histograms).toEqual([]);
    expect(rejected).toEqual([{ reason: "invalid", count: 1, message: expect.stringMatching(message) }]);
  });

  test("NaN observations may be in no bucket", () => {
    const { rejected } = histogramOf({
      countInt: 3,
      sum: Number.NaN,
      positiveSpans: [{ length: 1 }],
      positiveDeltas: [2],
    });
    expect(rejected).toEqual([]);
  });
});
