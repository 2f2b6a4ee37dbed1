import { exp } from "./go-exponential.ts";
import { log } from "./go-math.ts";

const TWO_TO_63 = 2 ** 63;
/** Exponents beyond this have left the range of doubles long ago. */
const MAX_EXPONENT = 4096;

/**
 * math.Pow of Go, step by step: it squares and multiplies the fraction and counts powers of two apart, which for large
 * exponents is off by more than V8's `**`, but is what Prometheus answers.
 */
export function power(base: number, exponent: number): number {
  const special = specialPower(base, exponent);
  if (special !== undefined) return special;
  const magnitude = Math.abs(exponent);
  let whole = Math.trunc(magnitude);
  let rest = magnitude - whole;
  if (rest !== 0 && base < 0) return Number.NaN;
  if (whole >= TWO_TO_63) return hugePower(base, exponent);
  let fraction = 1;
  if (rest !== 0) {
    if (rest > 0.5) {
      rest--;
      whole++;
    }
    fraction = exp(rest * log(base));
  }
  let exponent2 = 0;
  let [square, squareExponent] = splitExponent(base);
  for (let left = whole; left !== 0; left = Math.floor(left / 2)) {
    if (Math.abs(squareExponent) > MAX_EXPONENT) {
      exponent2 += squareExponent;
      break;
    }
    if (left % 2 === 1) {
      fraction *= square;
      exponent2 += squareExponent;
    }
    square *= square;
    squareExponent *= 2;
    if (square < 0.5) {
      square += square;
      squareExponent--;
    }
  }
  return exponent < 0 ? scaled(1 / fraction, -exponent2) : scaled(fraction, exponent2);
}

function specialPower(base: number, exponent: number): number | undefined {
  if (exponent === 0 || base === 1) return 1;
  if (exponent === 1) return base;
  if (base === -1 && Math.abs(exponent) === Number.POSITIVE_INFINITY) return 1;
  if (Number.isNaN(base) || Number.isNaN(exponent)) return Number.NaN;
  if (base === 0 || !Number.isFinite(base) || !Number.isFinite(exponent)) return base ** exponent;
  if (exponent === 0.5) return Math.sqrt(base);
  return exponent === -0.5 ? 1 / Math.sqrt(base) : undefined;
}

/** The exponent is even, as all numbers of its size are. */
function hugePower(base: number, exponent: number): number {
  if (base === -1) return 1;
  return Math.abs(base) < 1 === exponent > 0 ? 0 : Number.POSITIVE_INFINITY;
}

const bits = new DataView(new ArrayBuffer(8));

/** math.Frexp: a fraction whose size is in [0.5, 1), and the power of two it is to be multiplied by. */
function splitExponent(value: number): [fraction: number, exponent: number] {
  const isSubnormal = Math.abs(value) < 2 ** -1022;
  bits.setFloat64(0, isSubnormal ? value * 2 ** 52 : value);
  const head = bits.getUint16(0);
  const exponent = ((head >> 4) & 0x7ff) - 1022 - (isSubnormal ? 52 : 0);
  bits.setUint16(0, (head & 0x800f) | (1022 << 4));
  return [bits.getFloat64(0), exponent];
}

/** math.Ldexp, rounded once: the first factors are exact. */
function scaled(fraction: number, exponent: number): number {
  if (exponent > 2200) return fraction * Number.POSITIVE_INFINITY;
  if (exponent < -2200) return fraction * 0;
  let value = fraction;
  let left = exponent;
  for (; left > 1000; left -= 1000) value *= 2 ** 1000;
  for (; left < -1000; left += 1000) value *= 2 ** -1000;
  return value * 2 ** left;
}
