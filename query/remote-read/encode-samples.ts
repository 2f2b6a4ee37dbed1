import type { BucketSpan, NativeHistogram } from "@sightline/model/histogram.ts";
import { isStaleHistogram } from "@sightline/model/histogram.ts";
import type { Labels } from "@sightline/model/labels.ts";
import type { SeriesSlice } from "@sightline/model/metric-store.ts";
import { wordsOf, writeStale } from "@sightline/model/stale.ts";
import type { ProtobufWriter } from "../protobuf/protobuf-writer.ts";

/** Writes prometheus.TimeSeries as `field` of the message being written. */
export function writeTimeSeries(
  writer: ProtobufWriter,
  field: number,
  { labels, timesMs, values, histograms }: Omit<SeriesSlice, "info">,
): void {
  writer.message(field, () => {
    writeLabels(writer, labels);
    const words = wordsOf(values);
    let at = 0;
    const writeSample = () => {
      writer.doubleWords(1, words[2 * at] as number, words[2 * at + 1] as number);
      writer.safeInt64(2, timesMs[at] as number);
    };
    for (; at < timesMs.length; at++) writer.message(2, writeSample);
    for (let i = 0; i < (histograms?.values.length ?? 0); i++) {
      const histogram = histograms?.values[i] as NativeHistogram;
      writer.message(4, () => writeHistogram(writer, histogram, histograms?.timesMs[i] as number));
    }
  });
}

/** prometheus.Label as field 1: where both kinds of answer have it. */
export function writeLabels(writer: ProtobufWriter, labels: Labels): void {
  for (const [name, value] of labels) {
    writer.message(1, () => {
      writer.string(1, name);
      writer.string(2, value);
    });
  }
}

function writeHistogram(writer: ProtobufWriter, histogram: NativeHistogram, timeMs: number): void {
  const sum = wordsOf(Float64Array.of(histogram.sum));
  if (isStaleHistogram(histogram)) writeStale(sum, 0);
  writer.double(2, histogram.count);
  writer.doubleWords(3, sum[0] as number, sum[1] as number);
  writer.sint32(4, histogram.schema);
  writer.double(5, histogram.zeroThreshold);
  writer.double(7, histogram.zeroCount);
  writeSpans(writer, 8, histogram.negativeSpans);
  writer.packedDoubles(10, histogram.negativeBuckets);
  writeSpans(writer, 11, histogram.positiveSpans);
  writer.packedDoubles(13, histogram.positiveBuckets);
  writer.uint32(14, histogram.counterResetHint);
  writer.safeInt64(15, timeMs);
  writer.packedDoubles(16, histogram.customValues);
}

function writeSpans(writer: ProtobufWriter, field: number, spans: readonly BucketSpan[]): void {
  for (const { offset, length } of spans) {
    writer.message(field, () => {
      writer.sint32(1, offset);
      writer.uint32(2, length);
    });
  }
}
