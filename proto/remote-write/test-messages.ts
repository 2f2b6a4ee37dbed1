/** Encoders for tests and benchmarks: the messages of both versions of remote write, by protobufjs. */
import protobuf from "protobufjs";

const HISTOGRAM = `
  message BucketSpan { sint32 offset = 1; uint32 length = 2; }
  message Histogram {
    oneof count { uint64 count_int = 1; double count_float = 2; }
    double sum = 3; sint32 schema = 4; double zero_threshold = 5;
    oneof zero_count { uint64 zero_count_int = 6; double zero_count_float = 7; }
    repeated BucketSpan negative_spans = 8; repeated sint64 negative_deltas = 9; repeated double negative_counts = 10;
    repeated BucketSpan positive_spans = 11; repeated sint64 positive_deltas = 12; repeated double positive_counts = 13;
    int32 reset_hint = 14; int64 timestamp = 15; repeated double custom_values = 16; int64 start_timestamp = 17;
  }`;

const V1 = `syntax = "proto3";
  message WriteRequest { repeated TimeSeries timeseries = 1; repeated MetricMetadata metadata = 3; }
  message MetricMetadata { int32 type = 1; string metric_family_name = 2; string help = 4; string unit = 5; }
  message TimeSeries {
    repeated Label labels = 1; repeated Sample samples = 2; repeated Exemplar exemplars = 3; repeated Histogram histograms = 4;
  }
  message Label { bytes name = 1; bytes value = 2; }
  message Sample { double value = 1; int64 timestamp = 2; }
  message Exemplar { repeated Label labels = 1; double value = 2; int64 timestamp = 3; }
  ${HISTOGRAM}`;

const V2 = `syntax = "proto3";
  message Request { repeated bytes symbols = 4; repeated TimeSeries timeseries = 5; }
  message TimeSeries {
    repeated uint32 labels_refs = 1; repeated Sample samples = 2; repeated Histogram histograms = 3;
    repeated Exemplar exemplars = 4; Metadata metadata = 5; int64 created_timestamp = 6;
  }
  message Sample { double value = 1; int64 timestamp = 2; int64 start_timestamp = 3; }
  message Exemplar { repeated uint32 labels_refs = 1; double value = 2; int64 timestamp = 3; }
  message Metadata { int32 type = 1; uint32 help_ref = 3; uint32 unit_ref = 4; }
  ${HISTOGRAM}`;

const v1 = protobuf.parse(V1).root.lookupType("WriteRequest");
const v2 = protobuf.parse(V2).root.lookupType("Request");

export type LabelInput = readonly [name: string | Uint8Array, value: string | Uint8Array];
export type SampleInput = { value?: number; timestamp?: number; startTimestamp?: number };
export type SpanInput = { offset?: number; length: number };
export type HistogramInput = {
  countInt?: number;
  countFloat?: number;
  sum?: number;
  schema?: number;
  zeroThreshold?: number;
  zeroCountInt?: number;
  zeroCountFloat?: number;
  negativeSpans?: SpanInput[];
  negativeDeltas?: number[];
  negativeCounts?: number[];
  positiveSpans?: SpanInput[];
  positiveDeltas?: number[];
  positiveCounts?: number[];
  resetHint?: number;
  timestamp?: number;
  customValues?: number[];
  startTimestamp?: number;
};
export type ExemplarInput = { labels: readonly LabelInput[]; value?: number; timestamp?: number };
export type SeriesInput = {
  labels: readonly LabelInput[];
  samples?: SampleInput[];
  histograms?: HistogramInput[];
  exemplars?: ExemplarInput[];
};
export type MetadataInput = { type: number; metricFamilyName: string; help?: string; unit?: string };

const utf8 = (text: string | Uint8Array) => (typeof text === "string" ? Buffer.from(text) : text);
const label = ([name, value]: LabelInput) => ({ name: utf8(name), value: utf8(value) });

export function encodeV1(request: { timeseries?: SeriesInput[]; metadata?: MetadataInput[] }): Uint8Array {
  const timeseries = request.timeseries?.map((series) => ({
    ...series,
    labels: series.labels.map(label),
    exemplars: series.exemplars?.map((exemplar) => ({ ...exemplar, labels: exemplar.labels.map(label) })),
  }));
  return v1.encode({ ...request, timeseries }).finish();
}

export type SeriesInput2 = SeriesInput & {
  metadata?: { type?: number; help?: string; unit?: string };
  createdTimestamp?: number;
  /** Instead of those of `labels`. */
  labelsRefs?: number[];
};

/** Symbols get their numbers in the order of their first use, `leading` ones first. */
export function encodeV2(timeseries: readonly SeriesInput2[], leading: readonly string[] = [""]): Uint8Array {
  const numbers = new Map<string, number>();
  const symbols: Uint8Array[] = [];
  const refOf = (text: string | Uint8Array) => {
    const bytes = utf8(text);
    const key = Buffer.from(bytes).toString("latin1");
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, symbols.length);
    return symbols.push(bytes) - 1;
  };
  for (const symbol of leading) refOf(symbol);
  const refsOf = (labels: readonly LabelInput[]) => labels.flatMap(([name, value]) => [refOf(name), refOf(value)]);
  const encoded = timeseries.map(({ labels, labelsRefs, exemplars, metadata, ...rest }) => ({
    ...rest,
    labelsRefs: labelsRefs ?? refsOf(labels),
    exemplars: exemplars?.map((exemplar) => ({ ...exemplar, labelsRefs: refsOf(exemplar.labels) })),
    metadata: metadata && {
      type: metadata.type ?? 0,
      helpRef: refOf(metadata.help ?? ""),
      unitRef: refOf(metadata.unit ?? ""),
    },
  }));
  return v2.encode({ symbols, timeseries: encoded }).finish();
}

/** A double with exactly these bits can't pass through every engine's numbers: patched into the encoded bytes. */
export function replaceDouble(bytes: Uint8Array, marker: number, high: number, low: number): Uint8Array {
  const patched = Uint8Array.from(bytes);
  const view = new DataView(patched.buffer);
  for (let i = 0; i + 8 <= patched.length; i++) {
    if (view.getFloat64(i, true) !== marker) continue;
    view.setUint32(i, low, true);
    view.setUint32(i + 4, high, true);
  }
  return patched;
}

/** Series with a bit of everything that a request can have, for who changes bytes of it. */
export function oddSeries(nowMs: number): SeriesInput2[] {
  return [
    {
      labels: [
        ["__name__", "up"],
        ["job", "größe"],
      ],
      samples: [
        { value: 1.5, timestamp: nowMs },
        { timestamp: nowMs + 1, startTimestamp: nowMs },
      ],
      exemplars: [{ labels: [["trace_id", "ab"]], value: 1, timestamp: nowMs }],
      metadata: { type: 1, help: "h", unit: "u" },
    },
    {
      labels: [
        ["__name__", "h"],
        ["le", "x".repeat(150)],
      ],
      histograms: [
        {
          countInt: 6,
          schema: 3,
          sum: 1,
          positiveSpans: [{ offset: -3, length: 2 }],
          positiveDeltas: [2, 2],
          timestamp: nowMs,
        },
        {
          countFloat: 2.5,
          positiveSpans: [{ length: 1 }],
          positiveCounts: [2.5],
          negativeSpans: [{ length: 1 }],
          negativeCounts: [0],
          timestamp: nowMs,
        },
        {
          countInt: 3,
          schema: -53,
          customValues: [1, 2],
          positiveSpans: [{ length: 1 }],
          positiveDeltas: [3],
          timestamp: nowMs,
        },
      ],
    },
  ];
}
