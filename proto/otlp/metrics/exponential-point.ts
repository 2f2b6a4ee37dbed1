import { EMPTY_BUCKETS, type NativeHistogram, STALE_HISTOGRAM } from "@sightline/model/histogram.ts";
import { BucketLayout, type BucketSide, NO_BUCKETS } from "../../metrics/bucket-layout.ts";
import { histogramFault, MAX_SCHEMA, MIN_SCHEMA } from "../../metrics/histogram-fault.ts";
import { Fault, invalid } from "../../metrics/rejection-log.ts";
import { BYTES, FIXED64, VARINT, type WireReader } from "../../wire/reader.ts";
import type { MetricsSession } from "./metrics-session.ts";
import { millisOfNanos } from "./nano-time.ts";
import { NO_TIME } from "./point-faults.ts";

/** Fields of `ExponentialHistogramDataPoint`. */
const ATTRIBUTES = (1 << 3) | BYTES;
const START_TIME = (2 << 3) | FIXED64;
const TIME = (3 << 3) | FIXED64;
const COUNT = (4 << 3) | FIXED64;
const SUM = (5 << 3) | FIXED64;
const SCALE = (6 << 3) | VARINT;
const ZERO_COUNT = (7 << 3) | FIXED64;
const POSITIVE = (8 << 3) | BYTES;
const NEGATIVE = (9 << 3) | BYTES;
const FLAGS = (10 << 3) | VARINT;
const EXEMPLARS = (11 << 3) | BYTES;
const ZERO_THRESHOLD = (14 << 3) | FIXED64;
/** Fields of its `Buckets`. */
const OFFSET = (1 << 3) | VARINT;
const COUNTS_PACKED = (2 << 3) | BYTES;
const COUNTS = (2 << 3) | VARINT;

/** What Prometheus takes where the sender says nothing. */
const DEFAULT_ZERO_THRESHOLD = 1e-128;
/** Scaling down further changes nothing: only the sign of an index is left. */
const MAX_SCALE_DOWN = 60;
/** Delta histograms must not be taken for counters that were reset (proposal 48 of Prometheus). */
const GAUGE_HINT = 3;

type WireBuckets = { offset: number; readonly counts: number[] };

/** Reads the exponential histogram point that the reader has entered: one native histogram. */
export function readExponentialPoint(session: MetricsSession): Fault | undefined {
  const { reader } = session;
  const pointStart = reader.pos;
  session.startPoint();
  const point = new ExponentialPoint();
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    switch (tag) {
      case ATTRIBUTES:
        session.readAttributes(ATTRIBUTES);
        break;
      case START_TIME:
        reader.readFixed64();
        session.startMs = millisOfNanos(reader.low, reader.high);
        break;
      case TIME:
        session.readTime();
        break;
      case FLAGS:
        session.stale = (reader.uint32() & 1) !== 0;
        break;
      case EXEMPLARS:
        session.hasExemplars = true;
        reader.skipBytes();
        break;
      default:
        if (!point.readField(reader, tag)) reader.skip(tag);
    }
  }
  if (session.timeMs === 0) return NO_TIME;
  const isDelta = session.metric.info.temporality === "delta";
  const histogram = session.stale ? STALE_HISTOGRAM : point.toNative(isDelta);
  if (histogram instanceof Fault) return histogram;
  const ref = session.seriesOfPoint();
  if (ref instanceof Fault) return ref;
  session.noteTime(ref);
  session.builder.histograms.push({ ref, timeMs: session.timeMs, startMs: session.startMs, histogram });
  if (session.hasExemplars) session.readExemplars(pointStart, EXEMPLARS >>> 3, () => ref);
  return undefined;
}

class ExponentialPoint {
  #count = 0;
  #sum = 0;
  #scale = 0;
  #zeroCount = 0;
  #zeroThreshold = 0;
  readonly #positive: WireBuckets = { offset: 0, counts: [] };
  readonly #negative: WireBuckets = { offset: 0, counts: [] };

  readField(reader: WireReader, tag: number): boolean {
    switch (tag) {
      case COUNT:
        this.#count = reader.fixed64AsNumber();
        return true;
      case SUM:
        this.#sum = reader.double();
        return true;
      case SCALE:
        this.#scale = reader.sint32();
        return true;
      case ZERO_COUNT:
        this.#zeroCount = reader.fixed64AsNumber();
        return true;
      case ZERO_THRESHOLD:
        this.#zeroThreshold = reader.double();
        return true;
      case POSITIVE:
        readBuckets(reader, "positive", this.#positive);
        return true;
      case NEGATIVE:
        readBuckets(reader, "negative", this.#negative);
        return true;
      default:
        return false;
    }
  }

  toNative(isDelta: boolean): NativeHistogram | Fault {
    if (this.#scale < MIN_SCHEMA) {
      return invalid(
        "scale",
        `an exponential histogram of scale ${this.#scale}: scales below ${MIN_SCHEMA} can't be kept`,
      );
    }
    const by = Math.min(Math.max(this.#scale - MAX_SCHEMA, 0), MAX_SCALE_DOWN);
    const positive = sideOf(this.#positive, by);
    const negative = sideOf(this.#negative, by);
    const histogram: NativeHistogram = {
      schema: Math.min(this.#scale, MAX_SCHEMA),
      zeroThreshold: this.#zeroThreshold || DEFAULT_ZERO_THRESHOLD,
      zeroCount: this.#zeroCount,
      count: this.#count,
      sum: this.#sum,
      positiveSpans: positive.spans,
      positiveBuckets: positive.buckets,
      negativeSpans: negative.spans,
      negativeBuckets: negative.buckets,
      customValues: EMPTY_BUCKETS,
      counterResetHint: isDelta ? GAUGE_HINT : 0,
    };
    return histogramFault(histogram, true) ?? histogram;
  }
}

function readBuckets(reader: WireReader, field: string, into: WireBuckets): void {
  const outer = reader.enter(field);
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === OFFSET) into.offset = reader.sint32();
    else if (tag === COUNTS) into.counts.push(reader.uint64AsNumber());
    else if (tag === COUNTS_PACKED) {
      const packed = reader.enter("bucket_counts");
      while (reader.pos < reader.end) into.counts.push(reader.uint64AsNumber());
      reader.leave(packed);
    } else reader.skip(tag);
  }
  reader.leave(outer);
}

/** OpenTelemetry's bucket i ends at base^(i+1), Prometheus' at base^i. */
function sideOf({ offset, counts }: WireBuckets, by: number): BucketSide {
  if (counts.length === 0) return NO_BUCKETS;
  const layout = new BucketLayout();
  const scale = 2 ** by;
  for (let i = 0; i < counts.length; i++) layout.add(Math.floor((offset + i) / scale) + 1, counts[i] as number);
  return layout.finish();
}
