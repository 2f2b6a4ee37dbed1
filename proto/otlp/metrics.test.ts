import { InvalidInputError } from "@sightline/model/errors.ts";
import { isStaleHistogram } from "@sightline/model/histogram.ts";
import { formatLabels, labelsToObject } from "@sightline/model/labels.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import { isStaleAt, wordsOf } from "@sightline/model/stale.ts";
import { Writer } from "protobufjs/minimal.js";
import { describe, expect, test } from "vitest";
import { SeriesInterner } from "../metrics/series-interner.ts";
import { DEFAULT_OTLP_METRICS_OPTIONS, type OtlpMetricsOptions } from "./metrics/translation.ts";
import { OtlpMetricsDecoder } from "./metrics.ts";
import {
  type AnyInput,
  type AttributesInput,
  type ExponentialPointInput,
  encodeMetrics,
  type HistogramPointInput,
  type MetricInput,
  type NumberPointInput,
  type ResourceInput,
} from "./test-metrics.ts";

const NOW = 1_790_000_000_000;
const CUMULATIVE = 2;
const DELTA = 1;

const newDecoder = (options: Partial<OtlpMetricsOptions> = {}) =>
  new OtlpMetricsDecoder(new SeriesInterner(10_000), { ...DEFAULT_OTLP_METRICS_OPTIONS, ...options });

/** Decodes twice with one decoder: known series must come out as new ones did. */
function decode(resources: readonly ResourceInput[], options: Partial<OtlpMetricsOptions> = {}) {
  const decoder = newDecoder(options);
  const bytes = encodeMetrics(resources);
  const first = decoder.decode(bytes);
  const seriesCount = first.batch.series.length;
  const second = decoder.decode(bytes);
  expect(rowsOf(second.batch)).toEqual(rowsOf(first.batch));
  expect(second.batch.series).toHaveLength(seriesCount);
  expect(second.rejected).toEqual(first.rejected);
  expect(second.batch.metadata).toEqual(first.batch.metadata);
  return second;
}

const decodeMetrics = (...metrics: MetricInput[]) => decode([{ scopes: [{ metrics }] }]);

/** `name{labels} = value`, or `stale`; in the order of the batch. */
function rowsOf(batch: MetricBatch): string[] {
  const words = wordsOf(batch.values);
  return Array.from({ length: batch.length }, (_, i) => {
    const value = isStaleAt(words, i) ? "stale" : batch.values[i];
    return `${formatLabels(batch.series[batch.refs[i] as number]!.labels)} = ${value}`;
  });
}

const number = (point: NumberPointInput = {}): NumberPointInput => ({ timeMs: NOW, asDouble: 1, ...point });
const gauge = (point: NumberPointInput = {}, name = "g"): MetricInput => ({
  name,
  gauge: { dataPoints: [number(point)] },
});
const counter = (point: NumberPointInput = {}, name = "c"): MetricInput => ({
  name,
  sum: { dataPoints: [number(point)], aggregationTemporality: CUMULATIVE, isMonotonic: true },
});
const histogram = (point: HistogramPointInput, aggregationTemporality = CUMULATIVE): MetricInput => ({
  name: "h",
  unit: "s",
  histogram: { dataPoints: [{ timeMs: NOW, ...point }], aggregationTemporality },
});
const exponential = (point: ExponentialPointInput, aggregationTemporality = CUMULATIVE): MetricInput => ({
  name: "e",
  exponentialHistogram: { dataPoints: [{ timeMs: NOW, ...point }], aggregationTemporality },
});

describe("gauges and sums", () => {
  test.each<[string, MetricInput, string]>([
    ["a gauge of a double", gauge({ asDouble: 2.5 }), "g = 2.5"],
    ["a gauge of an integer", gauge({ asDouble: undefined as never, asInt: -7 }), "g = -7"],
    ["zero", gauge({ asDouble: 0 }), "g = 0"],
    ["infinity", gauge({ asDouble: Number.NEGATIVE_INFINITY }), "g = -Infinity"],
    ["NaN", gauge({ asDouble: Number.NaN }), "g = NaN"],
    ["a monotonic sum", counter({ asDouble: 3 }), "c_total = 3"],
    [
      "a sum that may fall",
      { name: "c", sum: { dataPoints: [number()], aggregationTemporality: CUMULATIVE } },
      "c = 1",
    ],
    ["a point that says its series ended", gauge({ asDouble: undefined as never, flags: 1 }), "g = stale"],
    ["one that has a value besides", counter({ flags: 1 }), "c_total = stale"],
  ])("%s", (_name, metric, row) => {
    const { batch, rejected } = decodeMetrics(metric);
    expect(rejected).toEqual([]);
    expect(rowsOf(batch)).toEqual([row]);
  });

  test("times are whole milliseconds, start times are kept, 0 where there is none", () => {
    const { batch } = decodeMetrics(gauge({ timeMs: NOW + 0.999, startMs: NOW - 5 }), gauge({}, "other"));
    expect([...batch.timesMs.subarray(0, 2)]).toEqual([NOW, NOW]);
    expect([...batch.startsMs!.subarray(0, 2)]).toEqual([NOW - 5, 0]);
  });

  test("a million nanoseconds around a millisecond's edge are told apart exactly", () => {
    for (const timeMs of [1_789_999_999_999, 1_790_000_000_000, 1_790_000_000_001, 4_102_444_800_000, 1]) {
      expect(decodeMetrics(gauge({ timeMs })).batch.timesMs[0]).toBe(timeMs);
      expect(decodeMetrics(gauge({ timeMs: timeMs - 0.001 })).batch.timesMs[0] || timeMs - 1).toBe(timeMs - 1);
    }
  });

  test.each<[string, MetricInput, RegExp]>([
    ["without a time", gauge({ timeMs: 0 }), /time_unix_nano/],
    ["without a value", gauge({ asDouble: undefined as never }), /without a value/],
    [
      "without temporality",
      { name: "c", sum: { dataPoints: [number()], isMonotonic: true } },
      /"c" has no aggregation temporality/,
    ],
    ["without a metric name", gauge({}, ""), /metric name ""/],
    ["with a metric name of nothing but dots", gauge({}, "..."), /metric name "..."/],
    ["with an empty attribute name", gauge({ attributes: { "": "x" } }), /attribute name ""/],
    ["with an attribute that is not UTF-8", gauge({ attributes: [[Uint8Array.of(0xff), "x"]] }), /not valid UTF-8/],
  ])("a point %s is refused and the others are kept", (_name, metric, message) => {
    const { batch, rejected } = decodeMetrics(metric, gauge({}, "good"));
    expect(rowsOf(batch)).toEqual(["good = 1"]);
    expect(rejected).toEqual([{ reason: "invalid", count: 1, message: expect.stringMatching(message) }]);
  });

  test("a replacement character that was sent as such is no error", () => {
    const { batch, rejected } = decodeMetrics(gauge({ attributes: { a: "\ufffd" } }));
    expect(rejected).toEqual([]);
    expect(rowsOf(batch)).toEqual(['g{a="\ufffd"} = 1']);
  });

  test("a metric without points is nothing", () => {
    const { batch, rejected } = decodeMetrics({ name: "g", gauge: { dataPoints: [] } });
    expect([batch.length, rejected, batch.metadata]).toEqual([0, [], []]);
  });
});

describe("attributes", () => {
  const labelsOf = (attributes: AttributesInput, options: Partial<OtlpMetricsOptions> = {}) => {
    const { batch } = decode([{ scopes: [{ metrics: [gauge({ attributes })] }] }], options);
    const { __name__, ...labels } = labelsToObject(batch.series[batch.refs[0] as number]!.labels);
    return labels;
  };

  test.each<[string, AnyInput, string]>([
    ["a string", "x", "x"],
    ["an integer", -12, "-12"],
    ["true", true, "true"],
    ["a double", { double: 0.5 }, "0.5"],
    ["a large double", { double: 1e21 }, "1e+21"],
    ["bytes", Uint8Array.of(1, 2, 255), "AQL/"],
    ["an array", [1, "a", { double: 2.5 }, false], '[1,"a",2.5,false]'],
    ["a map", new Map<string, AnyInput>([["k", [1]]]), '{"k":[1]}'],
  ])("%s becomes text", (_name, value, text) => expect(labelsOf({ a: value })).toEqual({ a: text }));

  test("the names of labels are escaped, colliding ones share their values in the order of the names", () => {
    expect(labelsOf({ "http.method": "GET", "1st": "x", __ok__: "r" })).toEqual({
      http_method: "GET",
      key_1st: "x",
      __ok__: "r",
    });
    expect(labelsOf({ "a.b": "2", a_b: "3", "a-b": "1" })).toEqual({ a_b: "1;2;3" });
  });

  test("empty values are no labels, __name__ is not taken from attributes, the last value of a name wins", () => {
    expect(
      labelsOf([
        ["a", ""],
        ["__name__", "other"],
        ["b", "1"],
        ["b", "2"],
      ]),
    ).toEqual({ b: "2" });
  });

  test("without escaping the names stay as they are", () => {
    expect(labelsOf({ "http.method": "GET", größe: "1" }, { translationStrategy: "NoTranslation" })).toEqual({
      "http.method": "GET",
      größe: "1",
    });
  });

  test("the same attributes in another order are the same series", () => {
    const decoder = newDecoder();
    const ref = (attributes: AttributesInput) =>
      decoder.decode(encodeMetrics([{ scopes: [{ metrics: [gauge({ attributes })] }] }])).batch.refs[0];
    expect(ref({ a: "1", b: "2" })).toBe(ref({ b: "2", a: "1" }));
    expect(ref({ a: "1", b: "2" })).not.toBe(ref({ a: "2", b: "1" }));
  });

  test("attributes that do not lie side by side still name the series", () => {
    const decoder = newDecoder();
    const writer = Writer.create().uint32(10).fork().uint32(18).fork().uint32(18).fork();
    writer.uint32(10).string("g").uint32(42).fork().uint32(10).fork();
    for (const name of ["b", "a", "c"]) {
      writer.uint32(58).fork().uint32(10).string(name).uint32(18).fork().uint32(10).string("1").ldelim().ldelim();
      writer.uint32(25).fixed64(1_000_000).uint32(33).double(1);
    }
    const bytes = writer.ldelim().ldelim().ldelim().ldelim().ldelim().finish();
    for (let round = 0; round < 2; round++) {
      expect(rowsOf(decoder.decode(bytes).batch)).toEqual(['g{a="1", b="1", c="1"} = 1']);
    }
  });
});

describe("resources", () => {
  const service = { "service.name": "cart", "service.namespace": "shop", "service.instance.id": "i1" };
  const rows = (attributes: AttributesInput, options: Partial<OtlpMetricsOptions> = {}, point: NumberPointInput = {}) =>
    rowsOf(decode([{ attributes, scopes: [{ metrics: [gauge(point)] }] }], options).batch);

  test("service.name and service.instance.id are job and instance, and win over attributes", () => {
    expect(rows(service)).toEqual(['g{instance="i1", job="shop/cart"} = 1']);
    expect(rows({ "service.name": "cart" })).toEqual(['g{job="cart"} = 1']);
    expect(rows(service, {}, { attributes: { job: "x" } })).toEqual(['g{instance="i1", job="shop/cart"} = 1']);
  });

  test("target_info has all other attributes", () => {
    expect(rows({ ...service, "host.name": "h", "process.pid": 7 })).toEqual([
      'g{instance="i1", job="shop/cart"} = 1',
      'target_info{host_name="h", instance="i1", job="shop/cart", process_pid="7"} = 1',
    ]);
    expect(rows({ ...service, "host.name": "h" }, { keepIdentifyingResourceAttributes: true })[1]).toBe(
      'target_info{host_name="h", instance="i1", job="shop/cart", service_instance_id="i1", service_name="cart", service_namespace="shop"} = 1',
    );
  });

  test("there is no target_info without a job and instance, or without other attributes", () => {
    expect(rows({ "host.name": "h" })).toEqual(["g = 1"]);
    expect(rows(service)).toHaveLength(1);
  });

  test("target_info is there for the whole time of the points, once per time", () => {
    const resource = (...timesMs: number[]): ResourceInput => ({
      attributes: { "service.name": "cart", a: "b" },
      scopes: [{ metrics: [{ name: "g", gauge: { dataPoints: timesMs.map((timeMs) => number({ timeMs })) } }] }],
    });
    const timesOf = (...resources: ResourceInput[]) => {
      const { batch } = decode(resources);
      return [...batch.timesMs.subarray(0, batch.length)].filter((_, i) => {
        const { labels } = batch.series[batch.refs[i] as number]!;
        return labels.some(([, value]) => value === "target_info");
      });
    };
    expect(timesOf(resource(NOW + 400_000, NOW))).toEqual([NOW, NOW + 150_000, NOW + 300_000, NOW + 400_000]);
    expect(timesOf(resource(NOW), resource(NOW))).toEqual([NOW]);
    expect(timesOf(resource(1000, 4_102_444_800_000))).toHaveLength(1001);
  });

  test("promoted attributes are labels, and give way to attributes of the point", () => {
    const attributes = { "service.name": "cart", "k8s.pod": "p", zone: "z" };
    expect(rows(attributes, { promoteResourceAttributes: ["k8s.pod"] })[0]).toBe('g{job="cart", k8s_pod="p"} = 1');
    const all = { promoteAllResourceAttributes: true, ignoreResourceAttributes: ["zone"] };
    expect(rows(attributes, all)[0]).toBe('g{job="cart", k8s_pod="p", service_name="cart"} = 1');
    expect(rows(attributes, all, { attributes: { k8s_pod: "q" } })[0]).toBe(
      'g{job="cart", k8s_pod="q", service_name="cart"} = 1',
    );
  });

  test("a resource with a bad attribute is refused with its points, another one is kept", () => {
    const { batch, rejected } = decode([
      { attributes: [["a", Uint8Array.of(0xff)]], scopes: [{ metrics: [gauge(), gauge()] }] },
      { attributes: [[Uint8Array.of(0xff), "x"]], scopes: [{ metrics: [gauge(), gauge()] }] },
      { scopes: [{ metrics: [gauge({}, "good")] }] },
    ]);
    // Bytes that are meant as such are valid values; as a name they are not.
    expect(rowsOf(batch)).toEqual(["g = 1", "g = 1", "good = 1"]);
    expect(rejected).toEqual([{ reason: "invalid", count: 2, message: expect.stringMatching(/UTF-8/) }]);
  });
});

describe("scopes", () => {
  const scope = { name: "lib", version: "1.2", schemaUrl: "https://x/1", attributes: { "a.b": 3 }, metrics: [gauge()] };
  test("give labels of their own", () => {
    expect(rowsOf(decode([{ scopes: [scope] }]).batch)).toEqual([
      'g{otel_scope_a_b="3", otel_scope_name="lib", otel_scope_schema_url="https://x/1", otel_scope_version="1.2"} = 1',
    ]);
    expect(rowsOf(decode([{ scopes: [{ name: "lib", metrics: [gauge()] }] }]).batch)).toEqual([
      'g{otel_scope_name="lib"} = 1',
    ]);
  });
  test("give none when they are told not to, or have no name", () => {
    expect(rowsOf(decode([{ scopes: [scope] }], { promoteScopeMetadata: false }).batch)).toEqual(["g = 1"]);
    expect(rowsOf(decode([{ scopes: [{ ...scope, name: "" }] }]).batch)).toEqual(["g = 1"]);
  });
  test("tell series of one name apart", () => {
    const { batch } = decode([{ scopes: [scope, { ...scope, version: "2" }] }]);
    expect(batch.refs[0]).not.toBe(batch.refs[1]);
  });
});

describe("what a series says of itself", () => {
  test.each<[string, MetricInput, object, object]>([
    [
      "a gauge",
      { ...gauge({}, "cpu.use"), unit: "1", description: "Use." },
      { type: "gauge", temporality: "", otelName: "cpu.use", unit: "" },
      { metric: "cpu_use_ratio", type: "gauge", help: "Use.", unit: "" },
    ],
    [
      "a counter",
      { ...counter({}, "io.read"), unit: "By" },
      { type: "counter", temporality: "cumulative", otelName: "io.read", unit: "bytes" },
      { metric: "io_read_bytes_total", type: "counter", help: "", unit: "bytes" },
    ],
    [
      "a delta counter",
      {
        name: "d",
        sum: { dataPoints: [number({ startMs: NOW - 10 })], aggregationTemporality: DELTA, isMonotonic: true },
      },
      { type: "counter", temporality: "delta", otelName: "d", unit: "" },
      { metric: "d_total", type: "counter" },
    ],
    [
      "a delta sum that may fall",
      { name: "d", sum: { dataPoints: [number()], aggregationTemporality: DELTA } },
      { type: "gauge", temporality: "delta" },
      { metric: "d", type: "gauge" },
    ],
    [
      "a delta histogram",
      histogram({ count: 0 }, DELTA),
      { type: "histogram", temporality: "delta", unit: "seconds" },
      { metric: "h_seconds", type: "histogram", unit: "seconds" },
    ],
    [
      "a summary",
      { name: "s", summary: { dataPoints: [{ timeMs: NOW }] } },
      { type: "summary", temporality: "" },
      { metric: "s", type: "summary" },
    ],
  ])("%s", (_name, metric, info, metadata) => {
    const { batch, rejected } = decodeMetrics(metric);
    expect(rejected).toEqual([]);
    for (const series of batch.series) expect(series.info).toMatchObject(info);
    expect(batch.metadata).toEqual([expect.objectContaining(metadata)]);
  });
});

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

test("exemplars of counters go with the counter", () => {
  const { batch } = decodeMetrics(
    counter({ exemplars: [{ asInt: 1, timeMs: NOW - 1, spanId: "b7ad6b7169203331" }, {}] }),
  );
  expect(batch.exemplars).toEqual([{ ref: 0, timeMs: NOW - 1, value: 1, labels: [["span_id", "b7ad6b7169203331"]] }]);
});

test("an empty request is an empty batch, a cut one is refused with the place", () => {
  expect(newDecoder().decode(new Uint8Array(0)).batch.length).toBe(0);
  const bytes = encodeMetrics([{ scopes: [{ metrics: [gauge()] }] }]);
  expect(() => newDecoder().decode(bytes.subarray(0, bytes.length - 1))).toThrow(InvalidInputError);
  expect(() => newDecoder().decode(bytes.subarray(0, bytes.length - 1))).toThrow(
    /^malformed protobuf in ExportMetricsServiceRequest field 1: length \d+ runs past the end at byte \d/,
  );
});
