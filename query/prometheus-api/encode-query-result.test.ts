import { EMPTY_BUCKETS, type NativeHistogram } from "@sightline/model/histogram.ts";
import { rounds } from "@sightline/model/testing/rounds.ts";
import { workedMs } from "@sightline/model/testing/worked-ms.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { timeText } from "../http/time-text.ts";
import type { PromValue, QueryResult, QueryStats } from "../promql/result.ts";
import { encodeQueryResult } from "./encode-query-result.ts";
import { floatText } from "./float-text.ts";
import { histogramJson } from "./histogram-json.ts";
import { encodePoints } from "./point-encoder.ts";
import { MAX_TIME_BYTES, MAX_VALUE_BYTES, writeTime, writeValue } from "./value-bytes.ts";

const STATS: QueryStats = { samplesTotal: 7, samplesPeak: 3, parseMs: 1, selectMs: 2, evalMs: 5 };
function encode(
  value: PromValue,
  rest: Partial<QueryResult> = {},
  stats: "none" | "totals" | "by-step" = "none",
): string {
  const result = { value, warnings: [], infos: [], stats: STATS, ...rest };
  return Array.from(encodeQueryResult(result, [], stats), String).join("");
}
const HISTOGRAM: NativeHistogram = {
  schema: 0,
  zeroThreshold: 0.001,
  zeroCount: 2,
  count: 12,
  sum: 18.4,
  positiveSpans: [
    { offset: 0, length: 2 },
    { offset: 1, length: 1 },
  ],
  positiveBuckets: Float64Array.of(1, 0, 3),
  negativeSpans: [{ offset: 0, length: 2 }],
  negativeBuckets: Float64Array.of(2, 4),
  customValues: EMPTY_BUCKETS,
  counterResetHint: 0,
};

test.each<[PromValue, string]>([
  [{ type: "scalar", timeMs: 1_500, value: 1e-7 }, '{"resultType":"scalar","result":[1.500,"0.0000001"]}'],
  [{ type: "string", timeMs: 0, value: 'a"b' }, '{"resultType":"string","result":[0,"a\\"b"]}'],
  [{ type: "vector", samples: [] }, '{"resultType":"vector","result":[]}'],
  [{ type: "matrix", series: [] }, '{"resultType":"matrix","result":[]}'],
  [
    {
      type: "vector",
      samples: [
        { labels: [["__name__", 'x"']], timeMs: 1_700_000_000_007, value: Number.NaN },
        { labels: [], timeMs: 1_000, value: 0, histogram: HISTOGRAM },
      ],
    },
    '{"resultType":"vector","result":[{"metric":{"__name__":"x\\""},"value":[1700000000.007,"NaN"]},' +
      '{"metric":{},"histogram":[1,{"count":"12","sum":"18.4","buckets":[[1,"-2","-1","4"],[1,"-1","-0.5","2"],' +
      '[3,"-0.001","0.001","2"],[0,"0.5","1","1"],[0,"4","8","3"]]}]}]}',
  ],
  [
    {
      type: "matrix",
      series: [
        {
          labels: [["a", "b"]],
          timesMs: Float64Array.of(1_000, 2_000),
          values: Float64Array.of(1, Number.NEGATIVE_INFINITY),
          histograms: { timesMs: Float64Array.of(3_000), values: [{ ...HISTOGRAM, zeroCount: 0, schema: -53 }] },
        },
        { labels: [], timesMs: new Float64Array(0), values: new Float64Array(0) },
      ],
    },
    '{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"1"],[2,"-Inf"]],"histograms":[[3,' +
      '{"count":"12","sum":"18.4","buckets":',
  ],
])("%j", (value, data) => expect(encode(value)).toContain(`{"status":"success","data":${data}`));

test("of many warnings and infos ten each are written, and how many are missing", () => {
  const texts = (count: number) => Array.from({ length: count }, (_, i) => `note ${i}`);
  const value: PromValue = { type: "scalar", timeMs: 0, value: 1 };
  expect(JSON.parse(encode(value, { warnings: texts(13), infos: texts(11) }))).toMatchObject({
    warnings: [...texts(10), "3 more warning annotations omitted"],
    infos: [...texts(10), "1 more info annotations omitted"],
  });
  expect(JSON.parse(encode(value, { warnings: texts(10) })).warnings).toEqual(texts(10));
});

test("warnings, infos and statistics are written when there are any", () => {
  const value: PromValue = { type: "scalar", timeMs: 0, value: 1 };
  const answer = JSON.parse(encode(value, { warnings: ["w"], infos: ["i"] }, "totals"));
  expect(answer).toMatchObject({ warnings: ["w"], infos: ["i"] });
  expect(answer.data.stats.samples).toEqual({ totalQueryableSamples: 7, samplesRead: 7, peakSamples: 3 });
  expect(answer.data.stats.timings).toMatchObject({ evalTotalTime: 0.005, execTotalTime: 0.006 });
  expect(JSON.parse(encode(value))).toEqual({ status: "success", data: { resultType: "scalar", result: [0, "1"] } });
});

test("custom buckets include their upper bound, the first one both", () => {
  const histogram: NativeHistogram = {
    ...HISTOGRAM,
    schema: -53,
    zeroCount: 0,
    positiveSpans: [{ offset: 0, length: 3 }],
    positiveBuckets: Float64Array.of(1, 2, 3),
    negativeSpans: [],
    negativeBuckets: EMPTY_BUCKETS,
    customValues: Float64Array.of(5, 10),
  };
  expect(JSON.parse(histogramJson(histogram)).buckets).toEqual([
    [3, "-Inf", "5", "1"],
    [0, "5", "10", "2"],
    [0, "10", "+Inf", "3"],
  ]);
});

test.each([
  [0, "0"],
  [-0, "-0"],
  [1e21, "1e+21"],
  [123456789012345680000, "123456789012345680000"],
  [1e-6, "0.000001"],
  [1.5e-7, "1.5e-07"],
  [-1e-9, "-1e-09"],
  [5e-324, "5e-324"],
  [Number.POSITIVE_INFINITY, "+Inf"],
])("the value %d is written %s", (value, want) => expect(floatText(value)).toBe(want));

test("a value is written to bytes as it is to text", () => {
  const target = new DataView(new ArrayBuffer(MAX_VALUE_BYTES));
  const written = (value: number) => Buffer.from(target.buffer, 0, writeValue(target, 0, value)).toString("latin1");
  const value = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 }).map((thousandths) => thousandths / 1_000),
    fc.constantFrom(0, -0, 1e21, 123456789012345680000, -1.25e-300, 5e-324, 1999999.999, 2e6, -2e6, 2 ** 31),
  );
  fc.assert(
    fc.property(value, (value) => written(value) === floatText(value)),
    { numRuns: rounds(1_000) },
  );
});

test("points are written as their texts, whatever values come together", () => {
  const value = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.integer().map((cents) => cents / 100),
    fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-7, -5e-324, 1e-6, 1e21),
  );
  fc.assert(
    fc.property(fc.array(value, { maxLength: 30 }), fc.integer({ min: 0, max: 2_500 }), (values, filling) => {
      // Longer than what is written at a time, and then some.
      const all = Float64Array.from([...values, ...new Array<number>(filling).fill(1 / 3), ...values]);
      const timesMs = all.map((_, i) => i * 500);
      const points = Array.from(all, (value, i) => `[${timeText(i * 500)},"${floatText(value)}"]`);
      return Array.from(encodePoints(timesMs, all), String).join("") === points.join(",");
    }),
  );
});

test("every value reads back as the same number", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) =>
      Object.is(Number(floatText(value)), value),
    ),
  );
});

test.each([
  [-1, "-0.001"],
  [-1_500, "-1.500"],
  [1_010, "1.010"],
  [Number.MAX_SAFE_INTEGER, "9007199254740.991"],
])("the time %d is written %s", (timeMs, want) => expect(timeText(timeMs)).toBe(want));

test("a thousand series of 1,440 points are encoded in bounded time", () => {
  const timesMs = new Float64Array(1_440).map((_, i) => 1_700_000_000_000 + i * 60_000);
  const series = Array.from({ length: 1_000 }, (_, s) => ({
    labels: [["pod", `pod-${s}`]] as const,
    timesMs,
    values: timesMs.map((_, i) => Math.round(Math.sin(s + i) * 1e6) / 1e3),
  }));
  const startMs = workedMs();
  let length = 0;
  for (const piece of encodeQueryResult(
    { value: { type: "matrix", series }, warnings: [], infos: [], stats: STATS },
    [],
    "none",
  )) {
    length += piece.length;
  }
  expect(length).toBeGreaterThan(30_000_000);
  expect(workedMs() - startMs).toBeLessThan(5_000);
});

test("times are written as their text", () => {
  const target = new DataView(new ArrayBuffer(MAX_TIME_BYTES));
  const timeMs = fc.oneof(fc.integer({ min: -5_000, max: 5_000 }), fc.maxSafeInteger(), fc.integer({ max: 2 ** 42 }));
  fc.assert(
    fc.property(timeMs, (timeMs) => {
      expect(Buffer.from(target.buffer, 0, writeTime(target, 0, timeMs)).toString("latin1")).toBe(timeText(timeMs));
    }),
  );
});
