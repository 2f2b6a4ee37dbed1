import { writeStale } from "@sightline/model/stale.ts";
import { Fault, invalid } from "../../metrics/rejection-log.ts";
import { BYTES, FIXED64, VARINT } from "../../wire/reader.ts";
import type { ByteRange } from "./byte-range.ts";
import { floatText } from "./float-text.ts";
import type { MetricsSession } from "./metrics-session.ts";
import { millisOfNanos } from "./nano-time.ts";
import { NO_TIME } from "./point-faults.ts";
import type { SeriesGroups } from "./series-groups.ts";

/** Fields of `HistogramDataPoint`. */
const START_TIME = (2 << 3) | FIXED64;
const TIME = (3 << 3) | FIXED64;
const COUNT = (4 << 3) | FIXED64;
const SUM = (5 << 3) | FIXED64;
const BUCKET_COUNTS_PACKED = (6 << 3) | BYTES;
const BUCKET_COUNTS = (6 << 3) | FIXED64;
const BOUNDS_PACKED = (7 << 3) | BYTES;
const BOUNDS = (7 << 3) | FIXED64;
const EXEMPLARS = (8 << 3) | BYTES;
const ATTRIBUTES = (9 << 3) | BYTES;
const FLAGS = (10 << 3) | VARINT;

const TWO_TO_32 = 4_294_967_296;
/**
 * Each bound becomes a series: a point of a few kilobytes must not become thousands of them. Far above what histograms
 * for people have; exponential histograms are for finer ones.
 */
const MAX_BOUNDS = 2_000;

/** The buckets of a metric's points: most metrics have one layout for all. */
type Layout = {
  /** Under which the points that have this layout are kept. */
  readonly id: number;
  readonly fault: Fault | undefined;
  /** Upper bounds, ascending, without +Inf. */
  readonly bounds: Float64Array;
};

/**
 * Reads points of histograms with explicit bounds into classic histograms: `_bucket` series with cumulative counts,
 * `_count`, and `_sum` unless the point has none.
 */
export class HistogramPointReader {
  readonly #session: MetricsSession;
  readonly #groups: SeriesGroups;
  readonly #layouts: Layout[] = [];
  readonly #counts: ByteRange;
  readonly #bounds: ByteRange;
  #count = 0;
  #sum = 0;
  #hasSum = false;

  constructor(session: MetricsSession, groups: SeriesGroups) {
    this.#session = session;
    this.#groups = groups;
    this.#counts = session.newRange();
    this.#bounds = session.newRange();
  }

  /** Reads the point that the reader has entered. */
  read(): Fault | undefined {
    const session = this.#session;
    const pointStart = session.reader.pos;
    this.#readFields();
    if (session.timeMs === 0) return NO_TIME;
    const layout = this.#layoutOf();
    const fault = layout.fault ?? this.#countsFault(layout);
    if (fault) return fault;
    const group = this.#groupOf(layout);
    if (group instanceof Fault) return group;
    session.noteTime(this.#groups.refs[group] as number);
    this.#append(layout.bounds.length, group);
    if (session.hasExemplars) {
      session.readExemplars(pointStart, EXEMPLARS >>> 3, (value) => this.#bucketOf(layout, group, value));
    }
    return undefined;
  }

  #readFields(): void {
    const session = this.#session;
    const { reader } = session;
    session.startPoint();
    this.#counts.clear(reader);
    this.#bounds.clear(reader);
    this.#count = 0;
    this.#sum = 0;
    this.#hasSum = false;
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
        case COUNT:
          this.#count = reader.fixed64AsNumber();
          break;
        case SUM:
          this.#sum = reader.double();
          this.#hasSum = true;
          break;
        case EXEMPLARS:
          session.hasExemplars = true;
          reader.skipBytes();
          break;
        case FLAGS:
          session.stale = (reader.uint32() & 1) !== 0;
          break;
        default:
          this.#readArray(tag);
      }
    }
  }

  #readArray(tag: number): void {
    const { reader } = this.#session;
    if (tag === BUCKET_COUNTS_PACKED || tag === BOUNDS_PACKED) {
      const length = reader.skipBytes();
      if (length % 8 !== 0) throw reader.fail(`${length} bytes are no whole number of 64-bit values`);
      (tag === BOUNDS_PACKED ? this.#bounds : this.#counts).add(reader.pos - length, reader.pos);
    } else {
      reader.skip(tag);
      if (tag === BUCKET_COUNTS) this.#counts.add(reader.pos - 8, reader.pos);
      else if (tag === BOUNDS) this.#bounds.add(reader.pos - 8, reader.pos);
    }
  }

  #layoutOf(): Layout {
    const { points, metric } = this.#session;
    const { view, start, end } = this.#bounds;
    const known = points.find(view, start, end, metric.id);
    if (known >= 0) return this.#layouts[known] as Layout;
    let bounds = new Float64Array(this.#bounds.length / 8);
    for (let i = 0; i < bounds.length; i++) bounds[i] = view.getFloat64(start + 8 * i, true);
    const fault = boundsFault(bounds);
    // The bucket up to +Inf is there anyway.
    if (bounds.at(-1) === Number.POSITIVE_INFINITY) bounds = bounds.slice(0, -1);
    const layout: Layout = { id: this.#session.newId(), fault, bounds };
    points.add(view, start, end, metric.id, this.#layouts.length);
    this.#layouts.push(layout);
    return layout;
  }

  #countsFault(layout: Layout): Fault | undefined {
    const counts = this.#counts.length / 8;
    const bounds = this.#bounds.length / 8;
    if (counts === bounds + 1 || counts === 0) return undefined;
    // One explicit bound of +Inf leaves nothing for the bucket above it.
    if (counts === bounds && bounds > layout.bounds.length) return undefined;
    return invalid(
      "bucket-counts",
      `a histogram point with ${counts} bucket_counts and ${bounds} explicit_bounds: there must be one more count`,
    );
  }

  /** Where the references of the point's series are: sum, count, buckets, the last one up to +Inf. */
  #groupOf(layout: Layout): number | Fault {
    const session = this.#session;
    const known = session.findPoint(layout.id);
    if (known >= 0) return known;
    const base = session.baseLabels();
    if (base instanceof Fault) return base;
    const refs: number[] = [];
    const add = (suffix: string, le?: string) => {
      const ref = session.intern(base, suffix, le === undefined ? undefined : ["le", le]);
      if (ref instanceof Fault) return ref;
      refs.push(ref);
      return undefined;
    };
    let fault = add("_sum") ?? add("_count");
    for (const bound of layout.bounds) fault ??= add("_bucket", floatText(bound));
    fault ??= add("_bucket", "+Inf");
    if (fault) return fault;
    const group = this.#groups.add(refs);
    session.addPoint(layout.id, group);
    return group;
  }

  #append(buckets: number, group: number): void {
    const { builder, timeMs, startMs, stale } = this.#session;
    const { refs: groupRefs } = this.#groups;
    const { view, start } = this.#counts;
    const hasCounts = this.#counts.length > 0;
    // Without counts there is one bucket, which holds all; but all buckets end.
    const first = hasCounts || stale ? 0 : buckets;
    const count = this.#count;
    // A point that ends its series may well leave out the sum.
    if (this.#hasSum || stale) this.#push(groupRefs[group] as number, this.#sum);
    this.#push(groupRefs[group + 1] as number, count);
    builder.reserve(buckets + 1);
    let row = builder.length;
    const { refs, timesMs, values } = builder;
    let cumulative = 0;
    for (let i = first; i <= buckets; i++) {
      refs[row] = groupRefs[group + 2 + i] as number;
      timesMs[row] = timeMs;
      if (i < buckets && hasCounts) {
        const at = start + 8 * i;
        cumulative += view.getUint32(at + 4, true) * TWO_TO_32 + view.getUint32(at, true);
        values[row] = cumulative;
      } else values[row] = count;
      if (stale) writeStale(builder.words, row);
      row++;
    }
    if (startMs !== 0 || builder.startsMs) {
      for (let i = builder.length; i < row; i++) builder.setStart(i, startMs);
    }
    builder.length = row;
  }

  #push(ref: number, value: number): void {
    const { builder, timeMs, startMs, stale } = this.#session;
    if (stale || Number.isNaN(value)) builder.pushNan(ref, timeMs, startMs, stale);
    else builder.push(ref, timeMs, startMs, value);
  }

  #bucketOf(layout: Layout, group: number, value: number): number {
    const { bounds } = layout;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    return this.#groups.refs[group + 2 + bucket] as number;
  }
}

function boundsFault(bounds: Float64Array): Fault | undefined {
  if (bounds.length > MAX_BOUNDS) {
    return new Fault(
      "limit",
      "bounds-limit",
      `a histogram point with ${bounds.length} explicit_bounds: at most ${MAX_BOUNDS} are taken, use exponential histograms`,
    );
  }
  for (let i = 0; i < bounds.length; i++) {
    const ascends = i === 0 || (bounds[i] as number) > (bounds[i - 1] as number);
    if (Number.isNaN(bounds[i]) || !ascends) {
      return invalid("bounds", `explicit_bounds must ascend, but ${bounds[i]} is at position ${i}`);
    }
  }
  return undefined;
}
