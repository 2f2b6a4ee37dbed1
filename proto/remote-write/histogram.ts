import {
  type BucketSpan,
  type CounterResetHint,
  EMPTY_BUCKETS,
  type NativeHistogram,
  STALE_HISTOGRAM,
} from "@sightline/model/histogram.ts";
import { isStaleBits } from "@sightline/model/stale.ts";
import { reduceResolution } from "../metrics/bucket-layout.ts";
import { histogramFault, MAX_SCHEMA } from "../metrics/histogram-fault.ts";
import type { Fault } from "../metrics/rejection-log.ts";
import { BYTES, FIXED64, VARINT, type WireReader } from "../wire/reader.ts";

/** Schemas up to here are reserved for exponential buckets and can be brought down to one we keep. */
const MAX_RESERVED_SCHEMA = 52;

/** The `Histogram` message as it is on the wire. */
type WireHistogram = {
  timeMs: number;
  startMs: number;
  isFloat: boolean;
  isStale: boolean;
  count: number;
  sum: number;
  schema: number;
  zeroThreshold: number;
  zeroCountInt: number;
  zeroCountFloat: number;
  resetHint: number;
  readonly positiveSpans: BucketSpan[];
  readonly negativeSpans: BucketSpan[];
  readonly positiveDeltas: number[];
  readonly negativeDeltas: number[];
  readonly positiveCounts: number[];
  readonly negativeCounts: number[];
  readonly customValues: number[];
};

export type TimedHistogram = {
  readonly timeMs: number;
  /** 0 when unknown. */
  readonly startMs: number;
  readonly histogram: NativeHistogram;
};

/**
 * Reads the `Histogram` message that the reader has entered. Both versions of remote write number its fields alike
 * (prompb/types.proto, io/prometheus/write/v2/types.proto). Integer counts become absolute floats; resolutions that
 * Prometheus reserves for the future are brought down to schema 8.
 */
export function readHistogram(reader: WireReader): TimedHistogram | Fault {
  const wire = readWire(reader);
  const { timeMs, startMs } = wire;
  if (wire.isStale) return { timeMs, startMs, histogram: STALE_HISTOGRAM };
  const excess = wire.schema > MAX_SCHEMA && wire.schema <= MAX_RESERVED_SCHEMA ? wire.schema - MAX_SCHEMA : 0;
  const histogram = nativeHistogram(wire, wire.schema - excess);
  const fault = histogramFault(histogram, !wire.isFloat);
  if (fault) return fault;
  return { timeMs, startMs, histogram: excess > 0 ? atLowerResolution(histogram, excess) : histogram };
}

function nativeHistogram(wire: WireHistogram, schema: number): NativeHistogram {
  const { isFloat } = wire;
  return {
    schema,
    zeroThreshold: wire.zeroThreshold,
    zeroCount: isFloat ? wire.zeroCountFloat : wire.zeroCountInt,
    count: wire.count,
    sum: wire.sum,
    positiveSpans: wire.positiveSpans,
    positiveBuckets: isFloat ? toBuckets(wire.positiveCounts) : fromDeltas(wire.positiveDeltas),
    negativeSpans: wire.negativeSpans,
    negativeBuckets: isFloat ? toBuckets(wire.negativeCounts) : fromDeltas(wire.negativeDeltas),
    customValues: toBuckets(wire.customValues),
    counterResetHint: (wire.resetHint >= 0 && wire.resetHint <= 3 ? wire.resetHint : 0) as CounterResetHint,
  };
}

function atLowerResolution(histogram: NativeHistogram, by: number): NativeHistogram {
  const { positiveSpans, positiveBuckets, negativeSpans, negativeBuckets } = histogram;
  const positive = reduceResolution({ spans: positiveSpans, buckets: positiveBuckets }, by);
  const negative = reduceResolution({ spans: negativeSpans, buckets: negativeBuckets }, by);
  return {
    ...histogram,
    positiveSpans: positive.spans,
    positiveBuckets: positive.buckets,
    negativeSpans: negative.spans,
    negativeBuckets: negative.buckets,
  };
}

function toBuckets(counts: readonly number[]): Float64Array {
  return counts.length === 0 ? EMPTY_BUCKETS : Float64Array.from(counts);
}

function fromDeltas(deltas: readonly number[]): Float64Array {
  if (deltas.length === 0) return EMPTY_BUCKETS;
  const buckets = new Float64Array(deltas.length);
  let count = 0;
  for (let i = 0; i < deltas.length; i++) {
    count += deltas[i] as number;
    buckets[i] = count;
  }
  return buckets;
}

function readWire(reader: WireReader): WireHistogram {
  const wire: WireHistogram = {
    timeMs: 0,
    startMs: 0,
    isFloat: false,
    isStale: false,
    count: 0,
    sum: 0,
    schema: 0,
    zeroThreshold: 0,
    zeroCountInt: 0,
    zeroCountFloat: 0,
    resetHint: 0,
    positiveSpans: [],
    negativeSpans: [],
    positiveDeltas: [],
    negativeDeltas: [],
    positiveCounts: [],
    negativeCounts: [],
    customValues: [],
  };
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    const type = tag & 7;
    const field = tag >>> 3;
    if (type === VARINT && readInteger(reader, field, wire)) continue;
    if (type === FIXED64 && readDouble(reader, field, wire)) continue;
    if (type === BYTES && readPackedOrSpan(reader, field, wire)) continue;
    reader.skip(tag);
  }
  return wire;
}

function readInteger(reader: WireReader, field: number, wire: WireHistogram): boolean {
  switch (field) {
    case 1:
      wire.isFloat = false;
      wire.count = reader.uint64AsNumber();
      return true;
    case 4:
      wire.schema = reader.sint32();
      return true;
    case 6:
      wire.zeroCountInt = reader.uint64AsNumber();
      return true;
    case 9:
      wire.negativeDeltas.push(reader.sint64AsNumber());
      return true;
    case 12:
      wire.positiveDeltas.push(reader.sint64AsNumber());
      return true;
    case 14:
      wire.resetHint = reader.int32();
      return true;
    case 15:
      wire.timeMs = reader.int64AsNumber();
      return true;
    case 17:
      wire.startMs = reader.int64AsNumber();
      return true;
    default:
      return false;
  }
}

function readDouble(reader: WireReader, field: number, wire: WireHistogram): boolean {
  switch (field) {
    case 2:
      wire.isFloat = true;
      wire.count = reader.double();
      return true;
    case 3:
      reader.readFixed64();
      wire.isStale = isStaleBits(reader.low, reader.high);
      wire.sum = reader.view.getFloat64(reader.pos - 8, true);
      return true;
    case 5:
      wire.zeroThreshold = reader.double();
      return true;
    case 7:
      wire.zeroCountFloat = reader.double();
      return true;
    case 10:
      wire.negativeCounts.push(reader.double());
      return true;
    case 13:
      wire.positiveCounts.push(reader.double());
      return true;
    case 16:
      wire.customValues.push(reader.double());
      return true;
    default:
      return false;
  }
}

function readPackedOrSpan(reader: WireReader, field: number, wire: WireHistogram): boolean {
  switch (field) {
    case 8:
      wire.negativeSpans.push(readSpan(reader));
      return true;
    case 9:
      readPackedDeltas(reader, wire.negativeDeltas);
      return true;
    case 10:
      readPackedDoubles(reader, wire.negativeCounts);
      return true;
    case 11:
      wire.positiveSpans.push(readSpan(reader));
      return true;
    case 12:
      readPackedDeltas(reader, wire.positiveDeltas);
      return true;
    case 13:
      readPackedDoubles(reader, wire.positiveCounts);
      return true;
    case 16:
      readPackedDoubles(reader, wire.customValues);
      return true;
    default:
      return false;
  }
}

function readSpan(reader: WireReader): BucketSpan {
  const outer = reader.enter("span");
  let offset = 0;
  let length = 0;
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === ((1 << 3) | VARINT)) offset = reader.sint32();
    else if (tag === ((2 << 3) | VARINT)) length = reader.uint32();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { offset, length };
}

function readPackedDeltas(reader: WireReader, into: number[]): void {
  const outer = reader.enter("deltas");
  while (reader.pos < reader.end) into.push(reader.sint64AsNumber());
  reader.leave(outer);
}

function readPackedDoubles(reader: WireReader, into: number[]): void {
  const outer = reader.enter("doubles");
  while (reader.pos < reader.end) into.push(reader.double());
  reader.leave(outer);
}
