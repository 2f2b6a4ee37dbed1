import { InvalidInputError } from "@sightline/model/errors.ts";
import { labelsToObject } from "@sightline/model/labels.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import { isStaleAt, wordsOf } from "@sightline/model/stale.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SeriesInterner } from "../metrics/series-interner.ts";
import { encodeV1, encodeV2, type LabelInput, replaceDouble, type SeriesInput } from "./test-messages.ts";
import { RemoteWrite1Decoder } from "./v1.ts";

const NOW = 1_790_000_000_000;
const UP: LabelInput[] = [
  ["__name__", "up"],
  ["job", "node"],
];

const newDecoder = (maxSeries = 1_000) => new RemoteWrite1Decoder(new SeriesInterner(maxSeries));

/** Rows as `name{…} time value`, so that cases read as they were sent. */
function rowsOf(batch: MetricBatch) {
  return Array.from({ length: batch.length }, (_, i) => [
    labelsToObject(batch.series[batch.refs[i] as number]!.labels),
    batch.timesMs[i],
    batch.values[i],
  ]);
}

test("samples come out with the labels, times and values they were sent with, the first time and when known", () => {
  const decoder = newDecoder();
  const request = encodeV1({
    timeseries: [
      { labels: UP, samples: [{ value: 1, timestamp: NOW }, { timestamp: NOW + 1 }] },
      { labels: [["__name__", "go_info"]], samples: [{ value: -0.5, timestamp: 5 }] },
    ],
  });
  for (let round = 0; round < 2; round++) {
    const { batch, rejected } = decoder.decode(request);
    expect(rejected).toEqual([]);
    expect(rowsOf(batch)).toEqual([
      [{ __name__: "up", job: "node" }, NOW, 1],
      [{ __name__: "up", job: "node" }, NOW + 1, 0],
      [{ __name__: "go_info" }, 5, -0.5],
    ]);
    expect(batch.series).toHaveLength(2);
    expect(batch.startsMs).toBeUndefined();
  }
});

test("an empty request is an empty batch", () => {
  const { batch, rejected } = newDecoder().decode(new Uint8Array(0));
  expect(batch.length).toBe(0);
  expect(rejected).toEqual([]);
});

test("a series is the same object whatever order its labels come in, and without empty labels", () => {
  const decoder = newDecoder();
  const spelled = (labels: LabelInput[]) => encodeV1({ timeseries: [{ labels, samples: [{ timestamp: NOW }] }] });
  for (let round = 0; round < 2; round++) {
    for (const labels of [UP, [...UP].reverse(), [...UP, ["zone", ""] as LabelInput]]) {
      const { batch } = decoder.decode(spelled(labels));
      expect(batch.refs[0]).toBe(0);
      expect(batch.series[0]?.labels).toEqual(UP);
    }
  }
});

test("long labels, and labels behind the samples, name their series too", () => {
  const decoder = newDecoder();
  const long: LabelInput[] = [...UP, ["url", "/".repeat(20_000)]];
  const first = encodeV1({ timeseries: [{ labels: long, samples: [{ timestamp: NOW }] }] });
  // Two encodings of the same field are merged: the second series' labels are split around its sample.
  const head = encodeV1({ timeseries: [{ labels: UP.slice(0, 1), samples: [{ timestamp: NOW }] }] });
  const tail = encodeV1({ timeseries: [{ labels: UP.slice(1) }] }).subarray(2);
  const split = Uint8Array.from([0x0a, (head[1] as number) + tail.length, ...head.subarray(2), ...tail]);
  const nameOnly = encodeV1({ timeseries: [{ labels: UP.slice(0, 1), samples: [{ timestamp: NOW }] }] });
  for (let round = 0; round < 2; round++) {
    expect(rowsOf(decoder.decode(first).batch)[0]?.[0]).toEqual({
      __name__: "up",
      job: "node",
      url: "/".repeat(20_000),
    });
    expect(rowsOf(decoder.decode(split).batch)[0]?.[0]).toEqual({ __name__: "up", job: "node" });
    expect(rowsOf(decoder.decode(nameOnly).batch)[0]?.[0]).toEqual({ __name__: "up" });
  }
});

const invalidUtf8 = Uint8Array.of(0xc3, 0x28);
test.each<[string, LabelInput[], RegExp]>([
  ["without labels", [], /without a metric name/],
  ["without a metric name", [["job", "a"]], /without a metric name: \{job="a"\}/],
  ["with an empty metric name", [["__name__", ""]], /without a metric name/],
  [
    "with an empty label name",
    [
      ["__name__", "up"],
      ["", "x"],
    ],
    /empty label name/,
  ],
  [
    "with a label twice",
    [
      ["__name__", "up"],
      ["a", "1"],
      ["a", "2"],
    ],
    /the label "a" twice/,
  ],
  [
    "with more labels than any series has",
    [["__name__", "up"], ...Array.from({ length: 2_000 }, (_, i): LabelInput => [`label_${i}`, "x"])],
    /more than 2000 labels/,
  ],
  [
    "with a label name that is not UTF-8",
    [
      ["__name__", "up"],
      [invalidUtf8, "x"],
    ],
    /not valid UTF-8/,
  ],
  [
    "with a label value that is not UTF-8",
    [
      ["__name__", "up"],
      ["a", invalidUtf8],
    ],
    /not valid UTF-8/,
  ],
])("a series %s is refused and the rest is kept", (_name, labels, message) => {
  const decoder = newDecoder();
  const request = encodeV1({
    timeseries: [
      { labels, samples: [{ timestamp: NOW }, { timestamp: NOW }], exemplars: [{ labels: [] }] },
      { labels: UP, samples: [{ timestamp: NOW }] },
    ],
  });
  for (let round = 0; round < 2; round++) {
    const { batch, rejected } = decoder.decode(request);
    expect(rowsOf(batch)).toEqual([[{ __name__: "up", job: "node" }, NOW, 0]]);
    expect(rejected).toEqual([{ reason: "invalid", count: 3, message: expect.stringMatching(message) }]);
  }
});

test("UTF-8 label names and metric names are kept", () => {
  const labels: LabelInput[] = [
    ["__name__", "http.server.größe"],
    ["ключ", "значение"],
  ];
  const { batch } = newDecoder().decode(encodeV1({ timeseries: [{ labels, samples: [{ timestamp: NOW }] }] }));
  expect(batch.series[0]?.labels).toEqual(labels);
});

test.each([
  [-1, /timestamp -1 is before 1970/],
  [9e15, /after the year 275760/],
])("a sample at %d is refused, one in 1970 or 2100 is not", (timestamp, message) => {
  const samples = [
    { timestamp },
    { value: 1 },
    { value: 2, timestamp: 4_102_444_800_000 },
    { value: 3, timestamp: 1000 },
  ];
  const { batch, rejected } = newDecoder().decode(encodeV1({ timeseries: [{ labels: UP, samples }] }));
  expect([...batch.timesMs.subarray(0, 3)]).toEqual([0, 4_102_444_800_000, 1000]);
  expect(rejected).toEqual([{ reason: "invalid", count: 1, message: expect.stringMatching(message) }]);
});

test("the staleness marker keeps its bits, every other NaN becomes the normal one, infinities stay", () => {
  const decoder = newDecoder();
  const sent = [123.25, 456.25, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let request = encodeV1({ timeseries: [{ labels: UP, samples: sent.map((value) => ({ value, timestamp: NOW })) }] });
  request = replaceDouble(request, 123.25, 0x7ff00000, 2);
  request = replaceDouble(request, 456.25, 0xfff12345, 0x6789);
  for (let round = 0; round < 2; round++) {
    const { batch } = decoder.decode(request);
    const words = wordsOf(batch.values);
    expect(isStaleAt(words, 0)).toBe(true);
    expect([words[2], words[3]]).toEqual([1, 0x7ff80000]);
    expect([...batch.values.subarray(2, 4)]).toEqual(sent.slice(2));
  }
});

test("metadata and exemplars are kept", () => {
  const { batch } = newDecoder().decode(
    encodeV1({
      timeseries: [
        {
          labels: UP,
          samples: [{ timestamp: NOW }],
          exemplars: [
            {
              labels: [
                ["trace_id", "ab"],
                ["a", "1"],
              ],
              value: 7,
              timestamp: NOW - 1,
            },
          ],
        },
      ],
      metadata: [{ type: 1, metricFamilyName: "requests_total", help: "All of them.", unit: "requests" }],
    }),
  );
  expect(batch.metadata).toEqual([
    { metric: "requests_total", type: "counter", help: "All of them.", unit: "requests" },
  ]);
  expect(batch.exemplars).toEqual([
    {
      ref: 0,
      timeMs: NOW - 1,
      value: 7,
      labels: [
        ["a", "1"],
        ["trace_id", "ab"],
      ],
    },
  ]);
});

test("what is not the wire format is refused with the place", () => {
  const request = encodeV1({ timeseries: [{ labels: UP, samples: [{ value: 1, timestamp: NOW }] }] });
  expect(() => newDecoder().decode(request.subarray(0, request.length - 3))).toThrow(InvalidInputError);
  expect(() => newDecoder().decode(Uint8Array.of(0x0a, 0x05, 0x12, 0x09, 1, 2, 3))).toThrow(
    "malformed protobuf in WriteRequest.timeseries field 2: length 9 runs past the end at byte 4",
  );
});

test("a remote write 2.0 body is refused, naming its content type", () => {
  const two = encodeV2([{ labels: UP, samples: [{ timestamp: NOW }] }]);
  expect(() => newDecoder().decode(two)).toThrow(/remote write 2\.0 request.*io\.prometheus\.write\.v2\.Request/);
});

test.each([
  ["timeseries", 1],
  ["metadata", 3],
])("%s are taken up to a number that no sender reaches", (what, field) => {
  const many = Buffer.alloc(2 * 1_000_001, Uint8Array.of((field << 3) | 2, 0));
  expect(() => newDecoder().decode(many)).toThrow(`more than 1000000 ${what}`);
});

test("more new series than fit are refused by the name of the limit, known ones go on", () => {
  const decoder = newDecoder(2);
  const timeseries = Array.from(
    { length: 8 },
    (_, i): SeriesInput => ({
      labels: [["__name__", `m${i}`]],
      samples: [{ timestamp: NOW }],
    }),
  );
  for (let round = 0; round < 2; round++) {
    const { batch, rejected } = decoder.decode(encodeV1({ timeseries }));
    expect(batch.length).toBe(5);
    expect(rejected).toEqual([
      { reason: "limit", count: 3, message: expect.stringContaining("limits.max_series_interned") },
    ]);
  }
});

test("any request round-trips, whether its series are known or new", () => {
  const name = fc.string({ minLength: 1, maxLength: 4, unit: "grapheme" });
  const labels = fc
    .uniqueArray(fc.tuple(name, fc.string({ minLength: 1, maxLength: 6, unit: "grapheme" })), {
      maxLength: 4,
      selector: ([key]) => key,
    })
    .map((pairs): LabelInput[] => [["__name__", "m"], ...pairs.filter(([key]) => key !== "__name__")]);
  const sample = fc.record({
    value: fc.double(),
    timestamp: fc.oneof(fc.nat(), fc.integer({ min: NOW - 1000, max: NOW }), fc.integer({ min: 0, max: 8.64e15 })),
  });
  const series = fc.record({ labels, samples: fc.array(sample, { maxLength: 4 }) });
  const decoder = newDecoder(1_000_000);
  fc.assert(
    fc.property(fc.array(series, { maxLength: 6 }), (timeseries) => {
      const { batch, rejected } = decoder.decode(encodeV1({ timeseries }));
      expect(rejected).toEqual([]);
      const want = timeseries.flatMap(({ labels: sent, samples }) =>
        samples.map(({ value, timestamp }) => [Object.fromEntries(sent), timestamp, Object.is(value, -0) ? 0 : value]),
      );
      const got = rowsOf(batch).map(([sent, time, value]) => [sent, time, Object.is(value, -0) ? 0 : value]);
      expect(got).toEqual(want);
    }),
  );
});
