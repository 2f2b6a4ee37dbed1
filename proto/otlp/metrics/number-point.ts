import { isStaleBits } from "@sightline/model/stale.ts";
import { Fault } from "../../metrics/rejection-log.ts";
import { BYTES, FIXED64, VARINT } from "../../wire/reader.ts";
import type { MetricsSession } from "./metrics-session.ts";
import { millisOfNanos } from "./nano-time.ts";
import { NO_TIME, NO_VALUE } from "./point-faults.ts";

/** Fields of `NumberDataPoint`. */
const START_TIME = (2 << 3) | FIXED64;
const TIME = (3 << 3) | FIXED64;
const AS_DOUBLE = (4 << 3) | FIXED64;
const EXEMPLARS = (5 << 3) | BYTES;
const AS_INT = (6 << 3) | FIXED64;
const ATTRIBUTES = (7 << 3) | BYTES;
const FLAGS = (8 << 3) | VARINT;

/** Reads the point of a gauge or sum that the reader has entered: one sample. */
export function readNumberPoint(session: MetricsSession): Fault | undefined {
  const { reader } = session;
  const pointStart = reader.pos;
  session.startPoint();
  let hasValue = false;
  let value = 0;
  let staleValue = false;
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
      case AS_DOUBLE:
        reader.readFixed64();
        value = reader.view.getFloat64(reader.pos - 8, true);
        staleValue = isStaleBits(reader.low, reader.high);
        hasValue = true;
        break;
      case AS_INT:
        value = reader.sfixed64AsNumber();
        hasValue = true;
        break;
      case FLAGS:
        session.stale = (reader.uint32() & 1) !== 0;
        break;
      case EXEMPLARS:
        session.hasExemplars = true;
        reader.skipBytes();
        break;
      default:
        reader.skip(tag);
    }
  }
  const { startMs, builder, stale } = session;
  if (session.timeMs === 0) return NO_TIME;
  if (!hasValue && !stale) return NO_VALUE;
  const ref = session.seriesOfPoint();
  if (ref instanceof Fault) return ref;
  session.noteTime(ref);
  const { timeMs } = session;
  if (stale || Number.isNaN(value)) builder.pushNan(ref, timeMs, startMs, stale || staleValue);
  else builder.push(ref, timeMs, startMs, value);
  if (session.hasExemplars) session.readExemplars(pointStart, EXEMPLARS >>> 3, () => ref);
  return undefined;
}
