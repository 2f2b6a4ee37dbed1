import { InvalidInputError } from "@sightline/model/errors.ts";
import { labelsToObject } from "@sightline/model/labels.ts";
import { Writer } from "protobufjs/minimal.js";
import { describe, expect, test } from "vitest";
import type { OtlpMetricsOptions } from "./metrics/translation.ts";
import {
  CUMULATIVE,
  counter,
  DELTA,
  decode,
  decodeMetrics,
  gauge,
  histogram,
  NOW,
  newDecoder,
  number,
  rowsOf,
} from "./test-decoding.ts";
import {
  type AnyInput,
  type AttributesInput,
  encodeMetrics,
  type MetricInput,
  type NumberPointInput,
  type ResourceInput,
} from "./test-metrics.ts";

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
