import { isStaleHistogram } from "@sightline/model/histogram.ts";
import { labelsToObject } from "@sightline/model/labels.ts";
import { describe, expect, test } from "vitest";
import { CUMULATIVE, DELTA, decodeMetrics, exponential, gauge, histogram, NOW, rowsOf } from "../test-decoding.ts";
import type { ExponentialPointInput, HistogramPointInput, MetricInput } from "../test-metrics.ts";

describe("histograms", () => {
  const point: HistogramPointInput = {
    attributes: { a: "b" },
    count: 10,
    sum: 12.5,
    bucketCounts: [1, 2, 3, 4],
    explicitBounds: [0.005, 1, 2.5e21],
  };

  test("become classic ones with cumulative buckets", () => {
    expect(rowsOf(decodeMetrics(histogram(point)).batch)).toEqual([
      'h_seconds_sum{a="b"} = 12.5',
      'h_seconds_count{a="b"} = 10',
      'h_seconds_bucket{a="b", le="0.005"} = 1',
      'h_seconds_bucket{a="b", le="1"} = 3',
      'h_seconds_bucket{a="b", le="2500000000000000000000"} = 6',
      'h_seconds_bucket{a="b", le="+Inf"} = 10',
    ]);
  });

  test("keep their times in every row", () => {
    const { batch } = decodeMetrics(histogram({ ...point, startMs: NOW - 1 }));
    expect([...batch.startsMs!.subarray(0, 6)]).toEqual(Array(6).fill(NOW - 1));
    expect([...batch.timesMs.subarray(0, 6)]).toEqual(Array(6).fill(NOW));
  });

  test("without a sum, or without buckets, lack these", () => {
    expect(rowsOf(decodeMetrics(histogram({ count: 3 })).batch)).toEqual([
      "h_seconds_count = 3",
      'h_seconds_bucket{le="+Inf"} = 3',
    ]);
    expect(rowsOf(decodeMetrics(histogram({ count: 3, bucketCounts: [3] })).batch)).toEqual([
      "h_seconds_count = 3",
      'h_seconds_bucket{le="+Inf"} = 3',
    ]);
  });

  test("may spell out the bound +Inf", () => {
    const { batch } = decodeMetrics(
      histogram({ count: 3, bucketCounts: [1, 2], explicitBounds: [1, Number.POSITIVE_INFINITY] }),
    );
    expect(rowsOf(batch).slice(1)).toEqual(['h_seconds_bucket{le="1"} = 1', 'h_seconds_bucket{le="+Inf"} = 3']);
  });

  test("of one metric may differ in their bounds", () => {
    const { batch } = decodeMetrics(
      histogram({ count: 1, bucketCounts: [1, 0], explicitBounds: [1] }),
      histogram({ count: 1, bucketCounts: [1, 0], explicitBounds: [2] }),
    );
    expect(rowsOf(batch)).toEqual([
      "h_seconds_count = 1",
      'h_seconds_bucket{le="1"} = 1',
      'h_seconds_bucket{le="+Inf"} = 1',
      "h_seconds_count = 1",
      'h_seconds_bucket{le="2"} = 1',
      'h_seconds_bucket{le="+Inf"} = 1',
    ]);
  });

  test("that ended are stale in all their series", () => {
    const { batch } = decodeMetrics(histogram({ explicitBounds: [1], flags: 1 }));
    expect(rowsOf(batch)).toEqual([
      "h_seconds_sum = stale",
      "h_seconds_count = stale",
      'h_seconds_bucket{le="1"} = stale',
      'h_seconds_bucket{le="+Inf"} = stale',
    ]);
  });

  test("give their exemplars to the bucket that counts them", () => {
    const exemplars = [
      {
        asDouble: 0.5,
        timeMs: NOW - 3,
        traceId: "0af7651916cd43dd8448eb211c80319c",
        spanId: "b7ad6b7169203331",
        attributes: { "user.id": 7 },
      },
      { asInt: 9, traceId: "00000000000000000000000000000000" },
      { asDouble: 0.001, attributes: { long: "x".repeat(200) }, traceId: "0af7651916cd43dd8448eb211c80319c" },
    ];
    const { batch } = decodeMetrics(
      histogram({ count: 3, bucketCounts: [1, 1, 1], explicitBounds: [0.01, 1], exemplars }),
    );
    const told = batch.exemplars.map(({ ref, ...rest }) => ({
      le: labelsToObject(batch.series[ref]!.labels).le,
      ...rest,
    }));
    expect(told).toEqual([
      {
        le: "1",
        timeMs: NOW - 3,
        value: 0.5,
        labels: [
          ["span_id", "b7ad6b7169203331"],
          ["trace_id", "0af7651916cd43dd8448eb211c80319c"],
          ["user.id", "7"],
        ],
      },
      { le: "+Inf", timeMs: NOW, value: 9, labels: [] },
      { le: "0.01", timeMs: NOW, value: 0.001, labels: [["trace_id", "0af7651916cd43dd8448eb211c80319c"]] },
    ]);
  });

  test("of thousands of bounds are refused by a limit", () => {
    const explicitBounds = Array.from({ length: 2_001 }, (_, i) => i);
    const { batch, rejected } = decodeMetrics(histogram({ explicitBounds }));
    expect(batch.length).toBe(0);
    expect(rejected).toEqual([{ reason: "limit", count: 1, message: expect.stringMatching(/at most 2000/) }]);
  });

  test.each<[string, HistogramPointInput, RegExp]>([
    ["too few counts", { bucketCounts: [1, 2], explicitBounds: [1, 2, 3] }, /2 bucket_counts and 3 explicit_bounds/],
    ["bounds that do not ascend", { bucketCounts: [1, 2, 3], explicitBounds: [2, 2] }, /must ascend/],
    ["NaN for a bound", { bucketCounts: [1, 2], explicitBounds: [Number.NaN] }, /must ascend/],
  ])("with %s are refused", (_name, bad, message) => {
    const { batch, rejected } = decodeMetrics(histogram(bad), gauge());
    expect(rowsOf(batch)).toEqual(["g = 1"]);
    expect(rejected).toEqual([{ reason: "invalid", count: 1, message: expect.stringMatching(message) }]);
  });
});

describe("exponential histograms", () => {
  const only = (point: ExponentialPointInput, temporality = CUMULATIVE) => {
    const { batch, rejected } = decodeMetrics(exponential(point, temporality));
    expect(rejected).toEqual([]);
    return batch.histograms[0]!;
  };

  test("become native ones", () => {
    const sample = only({
      startMs: NOW - 9,
      count: 21,
      sum: 5.5,
      scale: 3,
      zeroCount: 2,
      zeroThreshold: 0.001,
      positive: { offset: -2, bucketCounts: [1, 0, 3, 0, 0, 0, 4] },
      negative: { offset: 0, bucketCounts: [0, 5, 6, 0] },
    });
    expect(sample).toEqual({
      ref: 0,
      timeMs: NOW,
      startMs: NOW - 9,
      histogram: {
        schema: 3,
        zeroThreshold: 0.001,
        zeroCount: 2,
        count: 21,
        sum: 5.5,
        positiveSpans: [
          { offset: -1, length: 3 },
          { offset: 3, length: 1 },
        ],
        positiveBuckets: Float64Array.of(1, 0, 3, 4),
        negativeSpans: [{ offset: 2, length: 2 }],
        negativeBuckets: Float64Array.of(5, 6),
        customValues: new Float64Array(0),
        counterResetHint: 0,
      },
    });
  });

  test("of scales above 8 are brought down to 8", () => {
    const { histogram: native } = only({
      count: 15,
      scale: 10,
      positive: { offset: -5, bucketCounts: [1, 2, 3, 4, 5] },
    });
    // Indexes -5 | -4 … -1 of scale 10 are -2 | -1 of scale 8; Prometheus counts from one further.
    expect(native).toMatchObject({ schema: 8, positiveSpans: [{ offset: -1, length: 2 }] });
    expect(native.positiveBuckets).toEqual(Float64Array.of(1, 14));
    expect(only({ count: 1, scale: 2_000_000_000, positive: { offset: -5, bucketCounts: [1] } }).histogram.schema).toBe(
      8,
    );
  });

  test("take Prometheus' zero threshold where they have none, and say gauge when they are deltas", () => {
    expect(only({}).histogram).toMatchObject({ zeroThreshold: 1e-128, counterResetHint: 0 });
    expect(only({}, DELTA).histogram.counterResetHint).toBe(3);
  });

  test("that ended are stale, and exemplars go with the series", () => {
    expect(isStaleHistogram(only({ flags: 1 }).histogram)).toBe(true);
    const { batch } = decodeMetrics(exponential({ exemplars: [{ asDouble: 2 }] }));
    expect(batch.exemplars).toEqual([{ ref: 0, timeMs: NOW, value: 2, labels: [] }]);
  });

  test.each<[string, ExponentialPointInput, RegExp]>([
    ["of a scale below -4", { scale: -5 }, /scale -5: scales below -4/],
    [
      "whose buckets do not add up",
      { count: 5, positive: { bucketCounts: [1] } },
      /hold 1 observations, but its count is 5/,
    ],
    ["without a time", { timeMs: 0 }, /time_unix_nano/],
  ])("%s are refused", (_name, point, message) => {
    const { batch, rejected } = decodeMetrics(exponential(point));
    expect(batch.histograms).toEqual([]);
    expect(rejected).toEqual([{ reason: "invalid", count: 1, message: expect.stringMatching(message) }]);
  });
});

test("summaries become a series per quantile, sum and count", () => {
  const quantileValues = [
    { quantile: 0, value: 1 },
    { quantile: 0.5, value: 2 },
    { quantile: 0.99, value: Number.NaN },
  ];
  const summary = (flags: number): MetricInput => ({
    name: "s",
    unit: "ms",
    summary: { dataPoints: [{ timeMs: NOW, attributes: { a: "b" }, count: 4, sum: 5, quantileValues, flags }] },
  });
  const rows = (values: readonly unknown[]) =>
    [
      '_sum{a="b"}',
      '_count{a="b"}',
      '{a="b", quantile="0"}',
      '{a="b", quantile="0.5"}',
      '{a="b", quantile="0.99"}',
    ].map((series, i) => `s_milliseconds${series} = ${values[i]}`);
  expect(rowsOf(decodeMetrics(summary(0)).batch)).toEqual(rows([5, 4, 1, 2, Number.NaN]));
  expect(rowsOf(decodeMetrics(summary(1)).batch)).toEqual(rows(Array(5).fill("stale")));
});
