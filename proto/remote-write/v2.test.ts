import { InvalidInputError } from "@sightline/model/errors.ts";
import { isStaleHistogram } from "@sightline/model/histogram.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import { isStaleAt, wordsOf } from "@sightline/model/stale.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SeriesInterner } from "../metrics/series-interner.ts";
import { encodeV1, encodeV2, type LabelInput, replaceDouble, type SeriesInput2 } from "./test-messages.ts";
import { RemoteWrite1Decoder } from "./v1.ts";
import { RemoteWrite2Decoder } from "./v2.ts";

const NOW = 1_790_000_000_000;
const UP: LabelInput[] = [
  ["__name__", "up"],
  ["job", "node"],
];

const newDecoder = () => new RemoteWrite2Decoder(new SeriesInterner(1_000_000));
const decode = (...timeseries: SeriesInput2[]) => newDecoder().decode(encodeV2(timeseries));

function rowsOf(batch: MetricBatch) {
  return Array.from({ length: batch.length }, (_, i) => [
    batch.series[batch.refs[i] as number]!.labels,
    batch.timesMs[i],
    batch.values[i],
    batch.startsMs?.[i] ?? 0,
  ]);
}

test("samples come out as they were sent, however a request numbers its symbols", () => {
  const decoder = newDecoder();
  const series: SeriesInput2[] = [
    { labels: UP, samples: [{ value: 1, timestamp: NOW }, { timestamp: NOW + 1 }] },
    {
      labels: [
        ["__name__", "job"],
        ["up", "node"],
      ],
      samples: [{ value: 2, timestamp: 5 }],
    },
  ];
  for (const leading of [[""], [""], ["", "node", "x", "up"], ["", "y"]]) {
    const { batch, rejected } = decoder.decode(encodeV2(series, leading));
    expect(rejected).toEqual([]);
    expect(batch.series).toHaveLength(2);
    expect(rowsOf(batch)).toEqual([
      [UP, NOW, 1, 0],
      [UP, NOW + 1, 0, 0],
      [
        [
          ["__name__", "job"],
          ["up", "node"],
        ],
        5,
        2,
        0,
      ],
    ]);
  }
});

test("a series without metadata is the same object as over remote write 1.0", () => {
  const interner = new SeriesInterner(100);
  const one = new RemoteWrite1Decoder(interner);
  const two = new RemoteWrite2Decoder(interner);
  one.decode(encodeV1({ timeseries: [{ labels: UP, samples: [{ timestamp: NOW }] }] }));
  expect(two.decode(encodeV2([{ labels: UP, samples: [{ timestamp: NOW }] }])).batch.series).toHaveLength(1);
});

test("start times come from the sample, else from the series' created timestamp", () => {
  const samples = [
    { value: 1, timestamp: NOW, startTimestamp: NOW - 5 },
    { value: 1, timestamp: NOW + 1 },
  ];
  const starts = (series: SeriesInput2) => rowsOf(decode(series).batch).map((row) => row[3]);
  expect(starts({ labels: UP, samples })).toEqual([NOW - 5, 0]);
  expect(starts({ labels: UP, samples: [...samples].reverse() })).toEqual([0, NOW - 5]);
  expect(starts({ labels: UP, samples, createdTimestamp: NOW - 9 })).toEqual([NOW - 5, NOW - 9]);
});

test("type and unit are the series' info, and metadata is said once per family and batch", () => {
  const metadata = { type: 3, help: "How long.", unit: "seconds" };
  const series: SeriesInput2[] = ["_bucket", "_sum", "_count"].map((suffix) => ({
    labels: [["__name__", `duration_seconds${suffix}`]],
    samples: [{ timestamp: NOW }],
    metadata,
  }));
  series.push({ labels: [["__name__", "hits_total"]], samples: [{ timestamp: NOW }], metadata: { type: 1 } });
  const decoder = newDecoder();
  for (let round = 0; round < 2; round++) {
    const { batch } = decoder.decode(encodeV2(series));
    expect(batch.metadata).toEqual([
      { metric: "duration_seconds", type: "histogram", unit: "seconds", help: "How long." },
      { metric: "hits_total", type: "counter", unit: "", help: "" },
    ]);
    expect(batch.series.map(({ info }) => [info.type, info.unit])).toEqual([
      ...Array(3).fill(["histogram", "seconds"]),
      ["counter", ""],
    ]);
  }
});

test("exemplars are kept, also of a series that has nothing else", () => {
  const { batch, rejected } = decode({
    labels: UP,
    exemplars: [{ labels: [["trace_id", "ab"]], value: 7, timestamp: NOW - 1 }],
  });
  expect(rejected).toEqual([]);
  expect(batch.exemplars).toEqual([{ ref: 0, timeMs: NOW - 1, value: 7, labels: [["trace_id", "ab"]] }]);
});

test("histograms are kept with their start times", () => {
  const { batch } = decode({
    labels: UP,
    histograms: [
      { countInt: 0, timestamp: NOW, startTimestamp: 3 },
      { countFloat: 0, timestamp: NOW + 1 },
    ],
    createdTimestamp: 2,
  });
  expect(batch.histograms.map(({ timeMs, startMs }) => [timeMs, startMs])).toEqual([
    [NOW, 3],
    [NOW + 1, 2],
  ]);
});

test("stale markers are kept for samples and histograms", () => {
  const patch = (series: SeriesInput2) => replaceDouble(encodeV2([series]), 123.25, 0x7ff00000, 2);
  const sample = newDecoder().decode(patch({ labels: UP, samples: [{ value: 123.25, timestamp: NOW }] })).batch;
  expect(isStaleAt(wordsOf(sample.values), 0)).toBe(true);
  const { batch } = newDecoder().decode(patch({ labels: UP, histograms: [{ sum: 123.25, timestamp: NOW }] }));
  expect(isStaleHistogram(batch.histograms[0]!.histogram)).toBe(true);
});

const manyLabels = (count: number) => Array.from({ length: count }, (_, i): LabelInput => [`label_${i}`, "x"]);
const invalidUtf8 = Uint8Array.of(0xc3, 0x28);
const samples = [{ timestamp: NOW }, { timestamp: NOW }];
describe("one bad series is refused and the rest is kept", () => {
  test.each<[string, SeriesInput2, RegExp]>([
    ["without a metric name", { labels: [["a", "b"]], samples }, /without a metric name/],
    ["with a label twice", { labels: [...UP, ["job", "x"]], samples }, /the label "job" twice/],
    ["with an empty label name", { labels: [...UP, ["", "x"]], samples }, /empty label name/],
    [
      "with a symbol out of range",
      { labels: [], labelsRefs: [1, 999], samples },
      /points at symbol 999, but the request has \d/,
    ],
    ["with a label name but no value", { labels: [], labelsRefs: [1, 2, 3], samples }, /odd number of elements/],
    [
      "with more labels than any series has",
      { labels: [...UP, ...manyLabels(2_000)], samples },
      /more than 2000 labels/,
    ],
    ["with far more labels", { labels: [], labelsRefs: new Array<number>(100_000).fill(1), samples }, /more than 2000/],
    ["with invalid UTF-8", { labels: [...UP, ["x", invalidUtf8]], samples }, /not valid UTF-8/],
    [
      "with samples and histograms",
      { labels: UP, samples: [{ timestamp: NOW }], histograms: [{ timestamp: NOW }] },
      /both samples and histograms/,
    ],
  ])("%s", (_name, bad, message) => {
    const good: SeriesInput2 = { labels: UP, samples: [{ value: 4, timestamp: NOW }] };
    const decoder = newDecoder();
    for (let round = 0; round < 2; round++) {
      const { batch, rejected } = decoder.decode(encodeV2([good, bad, good]));
      expect(batch.length).toBe(2);
      expect(rejected).toEqual([{ reason: "invalid", count: 2, message: expect.stringMatching(message) }]);
    }
  });

  test("with help out of range", () => {
    const request = encodeV2([{ labels: UP, samples, metadata: { type: 1, help: "only here" } }]);
    // Cut the last symbol off by giving it a field number that nobody knows.
    const at = Buffer.from(request).indexOf("only here") - 2;
    request[at] = (15 << 3) | 2;
    const { rejected } = newDecoder().decode(request);
    expect(rejected).toEqual([{ reason: "invalid", count: 2, message: expect.stringMatching(/^help_ref points at/) }]);
  });
});

test("unpacked label references are understood", () => {
  const packed = encodeV2([{ labels: UP, samples: [{ timestamp: NOW }] }]);
  const at = Buffer.from(packed).indexOf(Buffer.from([0x0a, 0x04, 1, 2, 3, 4]));
  expect(at).toBeGreaterThan(0);
  const unpacked = [...packed.subarray(0, at), 0x08, 1, 0x08, 2, 0x08, 3, 0x08, 4, ...packed.subarray(at + 6)];
  unpacked[at - 1] = (unpacked[at - 1] as number) + 2;
  expect(rowsOf(newDecoder().decode(Uint8Array.from(unpacked)).batch)).toEqual([[UP, NOW, 0, 0]]);
});

test("a remote write 1.0 body is refused, naming its content type, and so is what is cut off", () => {
  const one = encodeV1({ timeseries: [{ labels: UP, samples: [{ timestamp: NOW }] }] });
  expect(() => newDecoder().decode(one)).toThrow(/remote write 1\.0 request.*application\/x-protobuf/);
  const two = encodeV2([{ labels: UP, samples: [{ timestamp: NOW }] }]);
  expect(() => newDecoder().decode(two.subarray(0, two.length - 2))).toThrow(InvalidInputError);
});

test.each([
  ["symbols", 4],
  ["timeseries", 5],
])("%s are taken up to a number that no sender reaches", (what, field) => {
  const many = Buffer.alloc(2 * 1_000_001, Uint8Array.of((field << 3) | 2, 0));
  expect(() => newDecoder().decode(many)).toThrow(`more than 1000000 ${what}`);
});

test("any request round-trips, whether its series are known or new", () => {
  const name = fc.string({ minLength: 1, maxLength: 3, unit: "grapheme" });
  const labels = fc
    .uniqueArray(fc.tuple(name, name), { maxLength: 4, selector: ([key]) => key })
    .map((pairs): LabelInput[] => [["__name__", "m"], ...pairs.filter(([key]) => key !== "__name__")]);
  const sample = fc.record({
    value: fc.double(),
    timestamp: fc.oneof(fc.nat(), fc.integer({ min: NOW - 1000, max: NOW })),
    startTimestamp: fc.oneof(fc.constant(0), fc.integer({ min: NOW - 1000, max: NOW })),
  });
  const series = fc.record({ labels, samples: fc.array(sample, { maxLength: 4 }) });
  const decoder = newDecoder();
  fc.assert(
    fc.property(fc.array(series, { maxLength: 6 }), (timeseries) => {
      const { batch, rejected } = decoder.decode(encodeV2(timeseries));
      expect(rejected).toEqual([]);
      const got = rowsOf(batch).map(([sent, time, value, start]) => [new Map(sent as never), time, value || 0, start]);
      const want = timeseries.flatMap(({ labels: sent, samples: rows }) =>
        rows.map((row) => [new Map(sent as never), row.timestamp, row.value || 0, row.startTimestamp]),
      );
      expect(got).toEqual(want);
    }),
  );
});
