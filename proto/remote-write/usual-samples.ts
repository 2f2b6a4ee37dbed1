import { isStaleBits, writeNormalNan, writeStale } from "@sightline/model/stale.ts";
import type { MetricBatchBuilder } from "../metrics/metric-batch-builder.ts";

/** Tag of `samples` in a `TimeSeries`, and of the fields of a sample, in both versions of remote write. */
export const SAMPLES = 0x12;
const VALUE = 0x09;
const TIMESTAMP = 0x10;
const START_TIMESTAMP = 0x18;
/** Bytes of a usual timestamp with its tag. */
const TIME_BYTES = 7;

/**
 * Appends the `samples` fields that fill `[start, end)` to the batch, if all of them are spelled as usual: a value (left
 * out when it is zero), a timestamp, perhaps a start timestamp, both between 1971 and 2109 (varints of six bytes).
 * Returns false, and changes nothing, where there is anything else: the caller then takes the general way.
 */
export function appendUsualSamples(
  builder: MetricBatchBuilder,
  ref: number,
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): boolean {
  // A sample takes at least nine bytes.
  builder.reserve((end - start) >>> 3);
  const { refs, timesMs, values, words, length } = builder;
  let row = length;
  let pos = start;
  while (pos < end) {
    if (bytes[pos] !== SAMPLES) return false;
    let at = pos + 2;
    const next = at + (bytes[pos + 1] as number);
    if (next > end) return false;
    let value = 0;
    if (bytes[at] === VALUE && next - at >= 9 + TIME_BYTES) {
      value = view.getFloat64(at + 1, true);
      at += 9;
    }
    const timeMs = usualTime(bytes, at, next, TIMESTAMP);
    if (timeMs < 0) return false;
    refs[row] = ref;
    timesMs[row] = timeMs;
    values[row] = value;
    if (Number.isNaN(value)) writeNan(words, row, view, at - 8);
    at += TIME_BYTES;
    const startMs = at === next ? 0 : usualTime(bytes, at, next, START_TIMESTAMP);
    if (startMs < 0 || at + (startMs > 0 ? TIME_BYTES : 0) !== next) return false;
    if (startMs > 0 || builder.startsMs) builder.setStart(row, startMs);
    row++;
    pos = next;
  }
  builder.length = row;
  return true;
}

/** The time in a field `tag` that starts at `start`, -1 when it is another field or its varint is not six bytes long. */
function usualTime(bytes: Uint8Array, start: number, end: number, tag: number): number {
  if (end - start < TIME_BYTES || bytes[start] !== tag) return -1;
  const at = start + 1;
  const a = bytes[at] as number;
  const b = bytes[at + 1] as number;
  const c = bytes[at + 2] as number;
  const d = bytes[at + 3] as number;
  const e = bytes[at + 4] as number;
  const f = bytes[at + 5] as number;
  if ((a & b & c & d & e) < 0x80 || f >= 0x80) return -1;
  const low = (a & 0x7f) | ((b & 0x7f) << 7) | ((c & 0x7f) << 14) | ((d & 0x7f) << 21);
  return low + ((e & 0x7f) | (f << 7)) * 0x1000_0000;
}

function writeNan(words: Uint32Array, row: number, view: DataView, at: number): void {
  if (isStaleBits(view.getUint32(at, true), view.getUint32(at + 4, true))) writeStale(words, row);
  else writeNormalNan(words, row);
}
