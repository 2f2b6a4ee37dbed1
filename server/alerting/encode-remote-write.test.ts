import { EMPTY_BUCKETS, isStaleHistogram, STALE_HISTOGRAM } from "@sightline/model/histogram.ts";
import { type MetricBatch, SeriesKey } from "@sightline/model/metric-batch.ts";
import { isStaleAt, wordsOf, writeStale } from "@sightline/model/stale.ts";
import { SeriesInterner } from "@sightline/proto/metrics/series-interner.ts";
import { RemoteWrite1Decoder } from "@sightline/proto/remote-write/v1.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeRemoteWrite } from "./encode-remote-write.ts";

const TIME = 1_790_000_000_123;

function decode(bytes: Uint8Array) {
  return new RemoteWrite1Decoder(new SeriesInterner(1_000)).decode(bytes);
}

test("what is encoded is decoded as it was, staleness markers too", () => {
  const values = Float64Array.of(1.5, 0, Number.NEGATIVE_INFINITY);
  writeStale(wordsOf(values), 1);
  const series = ["a", "b", "ü".repeat(200)].map(
    (value) =>
      new SeriesKey([
        ["__name__", "m"],
        ["l", value],
      ]),
  );
  const bytes = encodeRemoteWrite({
    length: 3,
    series,
    refs: Uint32Array.of(0, 1, 2),
    timesMs: Float64Array.of(TIME, TIME, 5),
    values,
    histograms: [],
    exemplars: [],
    metadata: [],
  });
  const { batch } = decode(bytes);
  expect(Array.from(batch.refs.subarray(0, 3), (ref) => batch.series[ref]?.labels)).toEqual(
    series.map(({ labels }) => labels),
  );
  expect([...batch.timesMs.subarray(0, 3)]).toEqual([TIME, TIME, 5]);
  expect([batch.values[0], isStaleAt(wordsOf(batch.values), 1), batch.values[2]]).toEqual([1.5, true, -Infinity]);
});

const NOTHING: MetricBatch = {
  length: 0,
  series: [new SeriesKey([["__name__", "h"]])],
  refs: new Uint32Array(0),
  timesMs: new Float64Array(0),
  values: new Float64Array(0),
  histograms: [],
  exemplars: [],
  metadata: [],
};

test("a histogram that says that its series ended still says so", () => {
  const histograms = [{ ref: 0, timeMs: TIME, startMs: 0, histogram: STALE_HISTOGRAM }];
  const [sample] = decode(encodeRemoteWrite({ ...NOTHING, histograms })).batch.histograms;
  expect(sample && isStaleHistogram(sample.histogram)).toBe(true);
});

test("histograms come back as they were", () => {
  const whole = fc.integer({ min: 1, max: 1_000 }).map((count) => ({
    schema: 3 - (count % 8),
    zeroThreshold: 1e-128,
    zeroCount: 2,
    count: count + 7,
    sum: -3.5,
    positiveSpans: [
      { offset: -4, length: 2 },
      { offset: 5, length: 1 },
    ],
    positiveBuckets: Float64Array.of(1, 3, count),
    negativeSpans: [{ offset: 1, length: 1 }],
    negativeBuckets: Float64Array.of(1),
    customValues: EMPTY_BUCKETS,
    counterResetHint: 3 as const,
  }));
  fc.assert(
    fc.property(whole, (histogram) => {
      const batch = decode(
        encodeRemoteWrite({ ...NOTHING, histograms: [{ ref: 0, timeMs: TIME, startMs: 0, histogram }] }),
      ).batch;
      expect(batch.histograms[0]).toMatchObject({ timeMs: TIME, histogram });
    }),
  );
});
