import { writeEight } from "./digit-bytes.ts";

/** What {@link writeDecimal} writes, and the exponents to the base of two that such values have. */
export const MIN_DECIMAL = 1e-6;
export const DECIMAL_LIMIT = 1e16;
const MIN_EXPONENT = -20;
const EXPONENTS = Array.from({ length: 74 }, (_, i) => MIN_EXPONENT + i);

const DIGITS = 17;
/** By exponent: with how many decimals a value has {@link DIGITS} of them; with one less where that makes one more. */
const DECIMALS = Int32Array.from(EXPONENTS, (exponent) => DIGITS - 1 - Math.floor(exponent * Math.log10(2)));
/** By exponent: half of what lies between a value and the next larger double. */
const HALF_GAPS = Float64Array.from(EXPONENTS, (exponent) => 2 ** (exponent - 53));
/** Powers of ten which are doubles, whole and as two parts. */
const POWERS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
const POWER_HEADS = POWERS.map(head);
const POWER_TAILS = POWERS.map((power) => power - head(power));

const POINT = 46;
const ZERO = 48;
const ZERO_POINT_00 = 0x302e3030;
const ZEROS = 0x30303030;

const bits = new DataView(new ArrayBuffer(8));

/**
 * Writes the decimal of fewest digits that reads back as `value`, and of those the nearest, at `start`, and returns where
 * it ends. The value is at least {@link MIN_DECIMAL} and less than {@link DECIMAL_LIMIT}; up to 24 bytes are overwritten.
 * Few values need more thought, such as one just between two decimals: of these it writes nothing, and returns `start`.
 *
 * The value times a power of ten has 17 digits before its point, and is exactly `high * 1e8 + low + rest`. The first
 * multiple of 100, of 10 or of 1 that is less than half a gap away is the decimal. Its distance is exact as well: it and
 * the gap are multiples of the last bit of `rest`, and small ones.
 */
export function writeDecimal(target: DataView, start: number, value: number): number {
  bits.setFloat64(0, value);
  const range = (bits.getInt16(0) >> 4) - 1023 - MIN_EXPONENT;
  let decimals = DECIMALS[range] as number;
  if (decimals >= POWERS.length || value * (POWERS[decimals] as number) >= 1e17) decimals--;
  const power = POWERS[decimals] as number;

  const product = value * power;
  // What rounding took from the product (T. J. Dekker).
  const valueHead = head(value);
  const valueTail = value - valueHead;
  const powerHead = POWER_HEADS[decimals] as number;
  const powerTail = POWER_TAILS[decimals] as number;
  const rest = valueHead * powerHead - product + valueHead * powerTail + valueTail * powerHead + valueTail * powerTail;
  let high = Math.floor(product / 1e8);
  const low = product - high * 1e8;

  const halfGap = HALF_GAPS[range] as number;
  const reach = halfGap * power;
  let unit = 100;
  let digits = 0;
  let distance = 0;
  for (; ; unit /= 10) {
    digits = Math.round((low + rest) / unit) * unit;
    distance = Math.abs(digits - low - rest);
    if (distance < reach) break;
    if (distance === reach) return start;
  }
  // The next smaller double is nearer to a power of two than the next larger one.
  const isPowerOfTwo = value === halfGap * 2 ** 53;
  if (distance >= unit / 2 || (isPowerOfTwo && distance >= reach / 2)) return start;
  if (digits < 0) {
    digits += 1e8;
    high--;
  } else if (digits >= 1e8) {
    digits -= 1e8;
    high++;
  }
  if (high < 1e8 || high >= 1e9) return start;
  // As 32-bit integers, which -0 is not: V8 would compile for integers again and again.
  return writeDigits(target, start, high | 0, digits | 0, decimals);
}

/** Nine digits and eight, the last `decimals` of them behind the point, without zeros at the end. */
function writeDigits(target: DataView, start: number, high: number, low: number, decimals: number): number {
  const whole = DIGITS - decimals;
  let at = start + 1;
  if (whole <= 0) {
    target.setInt32(start, ZERO_POINT_00);
    target.setInt32(start + 4, ZEROS);
    at = start + 2 - whole;
  }
  const first = (high / 1e8) | 0;
  target.setInt8(at, ZERO + first);
  writeEight(target, at + 1, high - first * 1e8);
  writeEight(target, at + 9, low);
  if (whole > 0) {
    for (let i = start; i < start + whole; i++) target.setInt8(i, target.getInt8(i + 1));
    target.setInt8(start + whole, POINT);
  }
  let last = low === 0 && whole <= 8 ? at + 8 : at + DIGITS - 1;
  while (target.getInt8(last) === ZERO) last--;
  return target.getInt8(last) === POINT ? last : last + 1;
}

/** Half of a double's bits; the difference to the double has the others. */
function head(value: number): number {
  const shifted = value * (2 ** 27 + 1);
  return shifted - (shifted - value);
}
