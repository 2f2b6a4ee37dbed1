import { timeText } from "../http/time-text.ts";
import { DECIMAL_LIMIT, MIN_DECIMAL, writeDecimal } from "./decimal-bytes.ts";
import { writeInteger } from "./digit-bytes.ts";
import { floatText } from "./float-text.ts";

/** No value is longer: sign, 17 digits, point and exponent, or 21 digits; and nothing behind it is overwritten. */
export const MAX_VALUE_BYTES = 25;

export const MAX_TIME_BYTES = 24;

const INT32_LIMIT = 2 ** 31;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;

/**
 * Writes {@link floatText} of a value at `start`, and returns where it ends. Most values are written in two thirds of the
 * time that it takes to make a text of them first.
 */
export function writeValue(target: DataView, start: number, value: number): number {
  const size = Math.abs(value);
  if (size < DECIMAL_LIMIT && !Object.is(value, -0)) {
    let at = start;
    if (value < 0) target.setInt8(at++, MINUS);
    if ((size | 0) === size) return writeInteger(target, at, size | 0);
    if (size >= MIN_DECIMAL) {
      const end = writeDecimal(target, at, size);
      if (end > at) return end;
    }
  }
  return writeText(target, start, floatText(value));
}

/** Writes {@link timeText} of a time at `start`, and returns where it ends. At most {@link MAX_TIME_BYTES}. */
export function writeTime(target: DataView, start: number, timeMs: number): number {
  if (!(timeMs >= 0 && timeMs < INT32_LIMIT * 1_000)) return writeText(target, start, timeText(timeMs));
  const seconds = Math.floor(timeMs / 1_000);
  const fraction = timeMs - seconds * 1_000;
  let at = writeInteger(target, start, seconds | 0);
  if (fraction === 0) return at;
  target.setInt8(at++, POINT);
  for (let unit = 100, rest = fraction; unit >= 1; unit /= 10) {
    const digit = (rest / unit) | 0;
    target.setInt8(at++, ZERO + digit);
    rest -= digit * unit;
  }
  return at;
}

/** Of characters of one byte. Returns where it ends. */
function writeText(target: DataView, start: number, text: string): number {
  for (let i = 0; i < text.length; i++) target.setInt8(start + i, text.charCodeAt(i));
  return start + text.length;
}
