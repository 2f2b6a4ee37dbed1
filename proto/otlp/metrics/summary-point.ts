import { Fault } from "../../metrics/rejection-log.ts";
import { BYTES, FIXED64, VARINT, type WireReader } from "../../wire/reader.ts";
import { floatText } from "./float-text.ts";
import type { MetricsSession } from "./metrics-session.ts";
import { millisOfNanos } from "./nano-time.ts";
import { NO_TIME } from "./point-faults.ts";
import type { SeriesGroups } from "./series-groups.ts";

/** Fields of `SummaryDataPoint`. */
const START_TIME = (2 << 3) | FIXED64;
const TIME = (3 << 3) | FIXED64;
const COUNT = (4 << 3) | FIXED64;
const SUM = (5 << 3) | FIXED64;
const QUANTILES = (6 << 3) | BYTES;
const ATTRIBUTES = (7 << 3) | BYTES;
const FLAGS = (8 << 3) | VARINT;

/** Reads points of summaries: a series per quantile, `_sum` and `_count`. */
export class SummaryPointReader {
  readonly #session: MetricsSession;
  readonly #groups: SeriesGroups;
  readonly #quantileKey = new DataView(new ArrayBuffer(8));

  constructor(session: MetricsSession, groups: SeriesGroups) {
    this.#session = session;
    this.#groups = groups;
  }

  /** Reads the point that the reader has entered. */
  read(): Fault | undefined {
    const session = this.#session;
    const { reader } = session;
    const pointStart = reader.pos;
    session.startPoint();
    let count = 0;
    let sum = 0;
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
          count = reader.fixed64AsNumber();
          break;
        case SUM:
          sum = reader.double();
          break;
        case FLAGS:
          session.stale = (reader.uint32() & 1) !== 0;
          break;
        default:
          reader.skip(tag);
      }
    }
    if (session.timeMs === 0) return NO_TIME;
    const group = this.#groupOf();
    if (group instanceof Fault) return group;
    const { refs } = this.#groups;
    session.noteTime(refs[group] as number);
    this.#push(refs[group] as number, sum);
    this.#push(refs[group + 1] as number, count);
    return this.#readQuantiles(pointStart, refs[group + 2] as number);
  }

  /** Where the references of sum and count are, and behind them the number under which the quantiles are kept. */
  #groupOf(): number | Fault {
    const session = this.#session;
    const known = session.findPoint(session.metric.id);
    if (known >= 0) return known;
    const base = session.baseLabels();
    if (base instanceof Fault) return base;
    const sum = session.intern(base, "_sum");
    if (sum instanceof Fault) return sum;
    const count = session.intern(base, "_count");
    if (count instanceof Fault) return count;
    const group = this.#groups.add([sum, count, session.newId()]);
    session.addPoint(session.metric.id, group);
    return group;
  }

  #readQuantiles(pointStart: number, id: number): Fault | undefined {
    const session = this.#session;
    const { reader } = session;
    reader.pos = pointStart;
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag !== QUANTILES) {
        reader.skip(tag);
        continue;
      }
      const outer = reader.enter("quantile_values");
      const value = this.#readQuantile(reader);
      reader.leave(outer);
      const ref = this.#quantileSeries(id);
      if (ref instanceof Fault) return ref;
      this.#push(ref, value);
    }
    return undefined;
  }

  /** Returns the value and leaves the quantile in the key. */
  #readQuantile(reader: WireReader): number {
    let value = 0;
    this.#quantileKey.setFloat64(0, 0, true);
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === ((1 << 3) | FIXED64)) this.#quantileKey.setFloat64(0, reader.double(), true);
      else if (tag === ((2 << 3) | FIXED64)) value = reader.double();
      else reader.skip(tag);
    }
    return value;
  }

  #quantileSeries(id: number): number | Fault {
    const session = this.#session;
    const key = this.#quantileKey;
    const known = session.points.find(key, 0, 8, id);
    if (known >= 0) return known;
    const base = session.baseLabels();
    if (base instanceof Fault) return base;
    const ref = session.intern(base, "", ["quantile", floatText(key.getFloat64(0, true))]);
    if (!(ref instanceof Fault)) session.points.add(key, 0, 8, id, ref);
    return ref;
  }

  #push(ref: number, value: number): void {
    const { builder, timeMs, startMs, stale } = this.#session;
    if (stale || Number.isNaN(value)) builder.pushNan(ref, timeMs, startMs, stale);
    else builder.push(ref, timeMs, startMs, value);
  }
}
