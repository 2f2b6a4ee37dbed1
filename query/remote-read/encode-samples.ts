import type { NativeHistogram } from "@sightline/model/histogram.ts";
import { isStaleHistogram } from "@sightline/model/histogram.ts";
import type { SeriesSlice } from "@sightline/model/metric-store.ts";
import { wordsOf, writeStale } from "@sightline/model/stale.ts";
import { writeLabels, writeSpans } from "../protobuf/prometheus-parts.ts";
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
