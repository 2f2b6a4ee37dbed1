/** Encoder of OTLP metrics for tests and benchmarks, by protobufjs. */
import protobuf from "protobufjs";

const SCHEMA = `syntax = "proto3";
  message ExportMetricsServiceRequest { repeated ResourceMetrics resource_metrics = 1; }
  message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; string schema_url = 3; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeMetrics { Scope scope = 1; repeated Metric metrics = 2; string schema_url = 3; }
  message Scope { string name = 1; string version = 2; repeated KeyValue attributes = 3; }
  message Metric {
    string name = 1; string description = 2; string unit = 3;
    oneof data { Gauge gauge = 5; Sum sum = 7; Histogram histogram = 9; Exponential exponential_histogram = 10; Summary summary = 11; }
  }
  message Gauge { repeated NumberPoint data_points = 1; }
  message Sum { repeated NumberPoint data_points = 1; int32 aggregation_temporality = 2; bool is_monotonic = 3; }
  message Histogram { repeated HistogramPoint data_points = 1; int32 aggregation_temporality = 2; }
  message Exponential { repeated ExponentialPoint data_points = 1; int32 aggregation_temporality = 2; }
  message Summary { repeated SummaryPoint data_points = 1; }
  message NumberPoint {
    repeated KeyValue attributes = 7; fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3;
    oneof value { double as_double = 4; sfixed64 as_int = 6; } repeated Exemplar exemplars = 5; uint32 flags = 8;
  }
  message HistogramPoint {
    repeated KeyValue attributes = 9; fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; fixed64 count = 4;
    optional double sum = 5; repeated fixed64 bucket_counts = 6; repeated double explicit_bounds = 7;
    repeated Exemplar exemplars = 8; uint32 flags = 10;
  }
  message Buckets { sint32 offset = 1; repeated uint64 bucket_counts = 2; }
  message ExponentialPoint {
    repeated KeyValue attributes = 1; fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; fixed64 count = 4;
    optional double sum = 5; sint32 scale = 6; fixed64 zero_count = 7; Buckets positive = 8; Buckets negative = 9;
    uint32 flags = 10; repeated Exemplar exemplars = 11; double zero_threshold = 14;
  }
  message Quantile { double quantile = 1; double value = 2; }
  message SummaryPoint {
    repeated KeyValue attributes = 7; fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; fixed64 count = 4;
    double sum = 5; repeated Quantile quantile_values = 6; uint32 flags = 8;
  }
  message Exemplar {
    repeated KeyValue filtered_attributes = 7; fixed64 time_unix_nano = 2;
    oneof value { double as_double = 3; sfixed64 as_int = 6; } bytes span_id = 4; bytes trace_id = 5;
  }
  message KeyValue { bytes key = 1; AnyValue value = 2; }
  message AnyValue {
    oneof value {
      bytes string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
      ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7;
    }
  }
  message ArrayValue { repeated AnyValue values = 1; }
  message KeyValueList { repeated KeyValue values = 1; }`;

const Request = protobuf.parse(SCHEMA).root.lookupType("ExportMetricsServiceRequest");

export type AnyInput = string | boolean | number | Uint8Array | { double: number } | AnyInput[] | Map<string, AnyInput>;
/** Keys and string values may be bytes that are not UTF-8: use pairs for them. */
export type AttributesInput =
  | Readonly<Record<string, AnyInput>>
  | readonly (readonly [Uint8Array | string, AnyInput])[];
type PointInput = {
  attributes?: AttributesInput;
  startMs?: number;
  timeMs?: number;
  flags?: number;
  exemplars?: ExemplarInput[];
};
export type ExemplarInput = {
  attributes?: AttributesInput;
  timeMs?: number;
  asDouble?: number;
  asInt?: number;
  traceId?: string;
  spanId?: string;
};
export type NumberPointInput = PointInput & { asDouble?: number; asInt?: number };
export type HistogramPointInput = PointInput & {
  count?: number;
  sum?: number;
  bucketCounts?: number[];
  explicitBounds?: number[];
};
type BucketsInput = { offset?: number; bucketCounts: number[] };
export type ExponentialPointInput = PointInput & {
  count?: number;
  sum?: number;
  scale?: number;
  zeroCount?: number;
  zeroThreshold?: number;
  positive?: BucketsInput;
  negative?: BucketsInput;
};
export type SummaryPointInput = PointInput & {
  count?: number;
  sum?: number;
  quantileValues?: { quantile: number; value: number }[];
};
type Data<Point> = { dataPoints: Point[]; aggregationTemporality?: number; isMonotonic?: boolean };
export type MetricInput = {
  name: string;
  description?: string;
  unit?: string;
  gauge?: Data<NumberPointInput>;
  sum?: Data<NumberPointInput>;
  histogram?: Data<HistogramPointInput>;
  exponentialHistogram?: Data<ExponentialPointInput>;
  summary?: Data<SummaryPointInput>;
};
export type ScopeInput = {
  name?: string;
  version?: string;
  schemaUrl?: string;
  attributes?: AttributesInput;
  metrics: MetricInput[];
};
export type ResourceInput = { attributes?: AttributesInput; scopes: ScopeInput[] };

export function encodeMetrics(resources: readonly ResourceInput[]): Uint8Array {
  const resourceMetrics = resources.map(({ attributes, scopes }) => ({
    resource: { attributes: keyValues(attributes) },
    scopeMetrics: scopes.map((scope) => ({
      scope: { name: scope.name, version: scope.version, attributes: keyValues(scope.attributes) },
      schemaUrl: scope.schemaUrl,
      metrics: scope.metrics.map(({ name, description, unit, ...data }) => ({
        name,
        description,
        unit,
        ...Object.fromEntries(
          Object.entries(data).map(([kind, { dataPoints, ...rest }]) => [
            kind,
            { ...rest, dataPoints: dataPoints.map(point) },
          ]),
        ),
      })),
    })),
  }));
  return Request.encode(Request.fromObject({ resourceMetrics })).finish();
}

function point({ attributes, startMs, timeMs, exemplars, ...rest }: PointInput) {
  return {
    ...rest,
    attributes: keyValues(attributes),
    startTimeUnixNano: nanos(startMs),
    timeUnixNano: nanos(timeMs),
    exemplars: exemplars?.map(({ attributes: filtered, timeMs: at, traceId, spanId, ...value }) => ({
      ...value,
      filteredAttributes: keyValues(filtered),
      timeUnixNano: nanos(at),
      traceId: traceId === undefined ? undefined : Buffer.from(traceId, "hex"),
      spanId: spanId === undefined ? undefined : Buffer.from(spanId, "hex"),
    })),
  };
}

/** 64-bit integers as protobufjs takes them without a library for them. */
function nanos(timeMs: number | undefined) {
  const value = BigInt(Math.round((timeMs ?? 0) * 1000)) * 1000n;
  return { low: Number(value & 0xffff_ffffn) | 0, high: Number(value >> 32n) | 0, unsigned: true };
}

function keyValues(attributes: AttributesInput = {}) {
  const pairs = Array.isArray(attributes) ? attributes : Object.entries(attributes as Record<string, AnyInput>);
  return pairs.map(([key, value]) => ({ key: utf8(key), value: anyValue(value as AnyInput) }));
}

function utf8(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? Buffer.from(text) : text;
}

function anyValue(value: AnyInput): object {
  if (typeof value === "string") return { stringValue: utf8(value) };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") return { intValue: value };
  if (value instanceof Uint8Array) return { bytesValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  if (value instanceof Map) return { kvlistValue: { values: keyValues([...value]) } };
  return { doubleValue: value.double };
}
