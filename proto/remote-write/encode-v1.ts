import type { NativeHistogram } from "@sightline/model/histogram.ts";
import type { HistogramSample, MetricBatch, SeriesKey } from "@sightline/model/metric-batch.ts";
import { WireWriter } from "../wire/writer.ts";

/**
 * A WriteRequest of remote write 1.0 with the samples and histograms of a batch, one series a row; nothing else of it.
 * Not compressed.
 */
export function encodeRemoteWriteV1(batch: MetricBatch): Uint8Array {
  const out = new WireWriter();
  for (let row = 0; row < batch.length; row++) {
    const key = batch.series[batch.refs[row] as number] as SeriesKey;
    out.message(1, () => {
      writeLabels(out, key);
      out.message(2, () => {
        out.doubleAt(1, batch.values, row);
        out.integer(2, batch.timesMs[row] as number);
      });
    });
  }
  for (const sample of batch.histograms) {
    out.message(1, () => {
      writeLabels(out, batch.series[sample.ref] as SeriesKey);
      out.message(4, () => writeHistogram(out, sample));
    });
  }
  return out.finish();
}

function writeLabels(out: WireWriter, { labels }: SeriesKey): void {
  for (const [name, value] of labels) {
    out.message(1, () => {
      out.text(1, name);
      out.text(2, value);
    });
  }
}

function writeHistogram(out: WireWriter, { histogram, timeMs }: HistogramSample): void {
  out.double(2, histogram.count);
  out.double(3, histogram.sum);
  out.zigzag(4, histogram.schema);
  out.double(5, histogram.zeroThreshold);
  out.double(7, histogram.zeroCount);
  writeSpans(out, 8, histogram.negativeSpans);
  out.doubles(10, histogram.negativeBuckets);
  writeSpans(out, 11, histogram.positiveSpans);
  out.doubles(13, histogram.positiveBuckets);
  out.integer(14, histogram.counterResetHint);
  out.integer(15, timeMs);
  out.doubles(16, histogram.customValues);
}

function writeSpans(out: WireWriter, field: number, spans: NativeHistogram["positiveSpans"]): void {
  for (const { offset, length } of spans) {
    out.message(field, () => {
      out.zigzag(1, offset);
      out.integer(2, length);
    });
  }
}
