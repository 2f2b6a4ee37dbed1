import { MAX_TIME_BYTES, MAX_VALUE_BYTES, writeTime, writeValue } from "./value-bytes.ts";

/** Points that one call encodes at most: about a twentieth of a millisecond of work. */
const MAX_POINTS = 1_000;
const MAX_POINT_BYTES = MAX_TIME_BYTES + MAX_VALUE_BYTES + 6;
const COMMA_OPEN = 0x2c5b;
const COMMA_QUOTE = 0x2c22;
const QUOTE_CLOSE = 0x225d;

/** Shared by all: nobody else has a turn between writing a piece and using it. */
const piece = Buffer.allocUnsafeSlow(MAX_POINTS * MAX_POINT_BYTES);
const target = new DataView(piece.buffer);

/** The points of range results, `[1700000000,"1.5"]`, comma-separated. A piece is valid until the next one is asked for. */
export function* encodePoints(timesMs: Float64Array, values: Float64Array): Generator<Uint8Array> {
  for (let from = 0; from < timesMs.length; from += MAX_POINTS) {
    const end = writePoints(timesMs, values, from, Math.min(from + MAX_POINTS, timesMs.length));
    // Without the comma before the first point.
    yield piece.subarray(from === 0 ? 1 : 0, end);
  }
}

/** Each behind a comma, from the beginning of the piece. Returns where they end. */
function writePoints(timesMs: Float64Array, values: Float64Array, from: number, to: number): number {
  let at = 0;
  for (let i = from; i < to; i++) {
    target.setInt16(at, COMMA_OPEN);
    at = writeTime(target, at + 2, timesMs[i] as number);
    target.setInt16(at, COMMA_QUOTE);
    at = writeValue(target, at + 2, values[i] as number);
    target.setInt16(at, QUOTE_CLOSE);
    at += 2;
  }
  return at;
}
