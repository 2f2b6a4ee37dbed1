import type { MetricBatch, SeriesKey } from "@sightline/model/metric-batch.ts";
import { ProtobufWriter } from "@sightline/query/protobuf/protobuf-writer.ts";
import { writeTimeSeries } from "@sightline/query/remote-read/encode-samples.ts";

const NONE = new Float64Array(0);

/**
 * A WriteRequest of remote write 1.0 with the samples and histograms of a batch, one series a row; nothing else of it.
 * Not compressed.
 */
export function encodeRemoteWrite({ length, refs, series, timesMs, values, histograms }: MetricBatch): Uint8Array {
  const out = new ProtobufWriter();
  const labelsOf = (ref: number) => (series[ref] as SeriesKey).labels;
  for (let row = 0; row < length; row++) {
    const sample = { timesMs: timesMs.subarray(row, row + 1), values: values.subarray(row, row + 1) };
    writeTimeSeries(out, 1, { labels: labelsOf(refs[row] as number), ...sample });
  }
  for (const { ref, timeMs, histogram } of histograms) {
    const sample = { timesMs: Float64Array.of(timeMs), values: [histogram] };
    writeTimeSeries(out, 1, { labels: labelsOf(ref), timesMs: NONE, values: NONE, histograms: sample });
  }
  return out.finish();
}
