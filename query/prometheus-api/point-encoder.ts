import { floatText } from "./float-text.ts";
import { MAX_TIME_BYTES, MAX_VALUE_BYTES, writeShortValue, writeText, writeTime } from "./value-bytes.ts";

/** Points that one call encodes at most: about a tenth of a millisecond of work. */
const MAX_POINTS = 1_000;
const MAX_POINT_BYTES = MAX_TIME_BYTES + MAX_VALUE_BYTES + 6;
const QUOTE = 34;
const COMMA = 44;
const OPEN = 91;
const CLOSE = 93;
/** JSON writes smaller numbers, and those that are not finite, in another way than Prometheus. */
const MIN_PLAIN = 1e-6;

/** Both are shared by all: nobody else has a turn between writing a piece and using it. */
let piece = Buffer.alloc(0);
let digits = Buffer.alloc(0);

/** The points of range results, `[1700000000,"1.5"]`, comma-separated. A piece is valid until the next one is asked for. */
export function* encodePoints(timesMs: Float64Array, values: Float64Array): Generator<Uint8Array> {
  for (let from = 0; from < timesMs.length; from += MAX_POINTS) {
    const to = Math.min(from + MAX_POINTS, timesMs.length);
    const bytes = writePiece(timesMs, values, from, to);
    yield piece.subarray(0, bytes);
  }
}

function writePiece(timesMs: Float64Array, values: Float64Array, from: number, to: number): number {
  const maxBytes = (to - from) * MAX_POINT_BYTES;
  if (piece.length < maxBytes) piece = Buffer.allocUnsafeSlow(maxBytes);
  const target = piece;
  let at = 0;
  /** Where the digits of the next value begin, once there are some. */
  let next = 0;
  for (let i = from; i < to; i++) {
    if (i > 0) target[at++] = COMMA;
    target[at++] = OPEN;
    at = writeTime(target, at, timesMs[i] as number);
    target[at++] = COMMA;
    target[at++] = QUOTE;
    const value = values[i] as number;
    const start = at;
    if (next === 0) at = writeShortValue(target, at, value);
    if (at === start) {
      if (next === 0) next = writeDigits(values, i, to);
      for (let byte = digits[next++] as number; byte !== COMMA && byte !== CLOSE; byte = digits[next++] as number) {
        target[at++] = byte;
      }
      const size = Math.abs(value);
      if (!(size >= MIN_PLAIN && size < Number.POSITIVE_INFINITY)) at = writeText(target, start, floatText(value));
    }
    target[at++] = QUOTE;
    target[at++] = CLOSE;
  }
  return at;
}

/** JavaScript writes many doubles at once in half the time that it takes one by one. Returns where the first one begins. */
function writeDigits(values: Float64Array, from: number, to: number): number {
  const numbers: number[] = [];
  for (let i = from; i < to; i++) numbers.push(values[i] as number);
  const json = JSON.stringify(numbers);
  if (digits.length < json.length) digits = Buffer.allocUnsafeSlow(MAX_POINTS * (MAX_VALUE_BYTES + 1) + 1);
  digits.write(json, "latin1");
  return 1;
}
