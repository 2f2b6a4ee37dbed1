import { timeText } from "../http/time-text.ts";
import { floatText } from "./float-text.ts";

/** No value is longer: sign, 17 digits, point and exponent, or 21 digits. */
export const MAX_VALUE_BYTES = 25;

export const MAX_TIME_BYTES = 24;

const INT32_LIMIT = 2 ** 31;
/** Thousandths of such values are 32-bit integers. */
const THOUSANDTHS_LIMIT = 2_000_000;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;

/**
 * Writes {@link floatText} of a value at `at`, and returns where it ends. Most values are integers or have few decimals;
 * their digits are written several times faster than JavaScript makes a text of a double.
 */
export function writeValue(target: Uint8Array, at: number, value: number): number {
  const end = writeShortValue(target, at, value);
  return end > at ? end : writeText(target, at, floatText(value));
}

/** {@link writeValue} of an integer or of few decimals; writes nothing and returns `at` when the value is neither. */
export function writeShortValue(target: Uint8Array, at: number, value: number): number {
  if (value === 0 && Object.is(value, -0)) return writeText(target, at, "-0");
  if (value > -THOUSANDTHS_LIMIT && value < THOUSANDTHS_LIMIT) {
    const thousandths = Math.round(value * 1_000);
    // At most ten digits, so no shorter decimal reads back as this value.
    if (thousandths / 1_000 === value) return writeThousandths(target, at, thousandths);
  } else if (value > -INT32_LIMIT && value < INT32_LIMIT && Math.trunc(value) === value) {
    if (value >= 0) return writeInteger(target, at, value);
    target[at] = MINUS;
    return writeInteger(target, at + 1, -value);
  }
  return at;
}

function writeThousandths(target: Uint8Array, start: number, thousandths: number): number {
  let at = start;
  let rest = thousandths;
  if (rest < 0) {
    target[at++] = MINUS;
    rest = -rest;
  }
  const whole = (rest / 1_000) | 0;
  at = writeInteger(target, at, whole);
  rest -= whole * 1_000;
  if (rest === 0) return at;
  target[at++] = POINT;
  for (let unit = 100; rest !== 0; unit /= 10) {
    const digit = (rest / unit) | 0;
    target[at++] = ZERO + digit;
    rest -= digit * unit;
  }
  return at;
}

/** Writes {@link timeText} of a time at `at`, and returns where it ends. At most {@link MAX_TIME_BYTES}. */
export function writeTime(target: Uint8Array, start: number, timeMs: number): number {
  if (!(timeMs >= 0 && timeMs < INT32_LIMIT * 1_000)) return writeText(target, start, timeText(timeMs));
  const seconds = Math.floor(timeMs / 1_000);
  const fraction = timeMs - seconds * 1_000;
  let at = writeInteger(target, start, seconds);
  if (fraction === 0) return at;
  target[at++] = POINT;
  for (let unit = 100, rest = fraction; unit >= 1; unit /= 10) {
    const digit = (rest / unit) | 0;
    target[at++] = ZERO + digit;
    rest -= digit * unit;
  }
  return at;
}

/** `value` is a 32-bit integer, not negative. */
function writeInteger(target: Uint8Array, at: number, value: number): number {
  let digits = 1;
  for (let limit = 10; digits < 10 && value >= limit; limit *= 10) digits++;
  const end = at + digits;
  let rest = value | 0;
  for (let i = end - 1; i >= at; i--) {
    const tenth = (rest / 10) | 0;
    target[i] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  return end;
}

/** Of characters of one byte. Returns where it ends. */
export function writeText(target: Uint8Array, start: number, text: string): number {
  for (let i = 0; i < text.length; i++) target[start + i] = text.charCodeAt(i);
  return start + text.length;
}
