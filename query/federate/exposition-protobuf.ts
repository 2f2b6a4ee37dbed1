import { CUSTOM_BUCKETS_SCHEMA, type NativeHistogram } from "@sightline/model/histogram.ts";
import { writeLabels, writeSpans } from "../protobuf/prometheus-parts.ts";
import { ProtobufWriter } from "../protobuf/protobuf-writer.ts";
import { classicBuckets } from "./classic-buckets.ts";
import type { FamilyMetric, FamilyType, MetricFamily } from "./metric-families.ts";

/** io.prometheus.client.MetricType */
const TYPES: Readonly<Record<FamilyType, number>> = { untyped: 3, histogram: 4, gaugehistogram: 5 };

/** Families as io.prometheus.client.MetricFamily, each with its length before it. */
export function* expositionProtobuf(families: Iterable<MetricFamily>): Generator<Uint8Array> {
  for (const family of families) {
    const writer = new ProtobufWriter();
    writer.string(1, family.name);
    writer.uint32(3, TYPES[family.type]);
    for (const metric of family.metrics) writer.message(4, () => writeMetric(writer, metric));
    const message = writer.finish();
    yield lengthOf(message);
    yield message;
  }
}

function writeMetric(writer: ProtobufWriter, { labels, timeMs, value, histogram }: FamilyMetric): void {
  writeLabels(writer, labels);
  if (!histogram) writer.message(5, () => writer.double(1, value));
  writer.safeInt64(6, timeMs);
  if (!histogram) return;
  const write = histogram.schema === CUSTOM_BUCKETS_SCHEMA ? writeClassic : writeNative;
  writer.message(7, () => write(writer, histogram));
}

function writeClassic(writer: ProtobufWriter, histogram: NativeHistogram): void {
  writer.double(2, histogram.sum);
  for (const { upperBound, cumulativeCount } of classicBuckets(histogram)) {
    writer.message(3, () => {
      writer.double(2, upperBound);
      writer.double(4, cumulativeCount);
    });
  }
  writer.double(4, histogram.count);
}

function writeNative(writer: ProtobufWriter, histogram: NativeHistogram): void {
  writer.double(2, histogram.sum);
  writer.double(4, histogram.count);
  writer.sint32(5, histogram.schema);
  writer.double(6, histogram.zeroThreshold);
  writer.double(8, histogram.zeroCount);
  writeSpans(writer, 9, histogram.negativeSpans);
  for (const count of histogram.negativeBuckets) writer.double(11, count);
  writeSpans(writer, 12, histogram.positiveSpans);
  for (const count of histogram.positiveBuckets) writer.double(14, count);
}

function lengthOf(message: Uint8Array): Uint8Array {
  const bytes: number[] = [];
  let rest = message.length;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  return Uint8Array.from([...bytes, rest]);
}
