import { log } from "./go-math.ts";

/**
 * The exponential and hyperbolic functions with the arithmetic of Go's math package on amd64, so that answers equal
 * Prometheus' to the last bit, as labels that `count_values` makes of them need it.
 */
const LN2_UPPER = 0.693147180559663;
const LN2_LOWER = 2.8235290563031577e-13;
/** Of the powers of a series: 1/8!, 1/7! … 1/0! */
const INVERSE_FACTORIALS = [1 / 40_320, 1 / 5_040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 1 / 2, 1];
const EXP_OVERFLOW = 7.09782712893384e2;
const EXPONENT_BIAS = 1023;
const SMALLEST_NORMAL = 2 ** -1022;
const SUBNORMAL_BITS = 52;

/** math.Exp: a series for a sixteenth of what is left beside whole powers of two, squared four times. */
export function exp(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > EXP_OVERFLOW) return Number.POSITIVE_INFINITY;
  const exponent = roundToEven(x * Math.LOG2E);
  if (exponent + EXPONENT_BIAS < -SUBNORMAL_BITS) return 0;
  if (exponent > EXPONENT_BIAS) return Number.POSITIVE_INFINITY;
  const rest = fusedMultiplyAdd(-LN2_LOWER, exponent, fusedMultiplyAdd(-LN2_UPPER, exponent, x)) / 16;
  let series = INVERSE_FACTORIALS[0] as number;
  for (let n = 1; n < INVERSE_FACTORIALS.length; n++) {
    series = fusedMultiplyAdd(rest, series, INVERSE_FACTORIALS[n] as number);
  }
  // Of exp - 1, which keeps its digits: (1 + y)² - 1 = y · (y + 2).
  let y = rest * series;
  y *= y + 2;
  y *= y + 2;
  y *= y + 2;
  const fraction = fusedMultiplyAdd(y + 2, y, 1);
  if (exponent + EXPONENT_BIAS > 0) return fraction * 2 ** exponent;
  return fraction * 2 ** (exponent + EXPONENT_BIAS - 1) * SMALLEST_NORMAL;
}

/** math.Sinh */
export function sinh(x: number): number {
  if (x < 0) return -sinh(-x);
  if (x > 21) return exp(x) * 0.5;
  if (x > 0.5) {
    const power = exp(x);
    return (power - 1 / power) * 0.5;
  }
  // Hart & Cheney's approximation 2029.
  const square = x * x;
  const above =
    (((-26.30563213397497 * square - 2894.211355989564) * square - 89912.72022039509) * square - 630767.3640497717) * x;
  return above / (((square - 173.6789535582337) * square + 15215.17378790019) * square - 630767.3640497717);
}

/** math.Cosh */
export function cosh(x: number): number {
  const power = exp(Math.abs(x));
  return Math.abs(x) > 21 ? power * 0.5 : (power + 1 / power) * 0.5;
}

/** From here on 1 - tanh is below half a unit in the last place. */
const TANH_IS_ONE = 0.5 * 88.02969193111305;

/** math.Tanh, near zero by the approximation of Cephes. */
export function tanh(x: number): number {
  if (x < 0) return -tanh(-x);
  if (x > TANH_IS_ONE) return 1;
  if (x >= 0.625) return 1 - 2 / (exp(2 * x) + 1);
  if (x === 0) return x;
  const square = x * x;
  const above = x * square * ((-0.9643991794250523 * square - 99.28772310019185) * square - 1614.6876844170845);
  return x + above / (((square + 112.81167849163293) * square + 2235.4883906010045) * square + 4844.063053251255);
}

const NEAR_ZERO = 2 ** -28;
const LARGE = 2 ** 28;

/** math.Asinh */
export function asinh(x: number): number {
  if (!Number.isFinite(x)) return x;
  if (x < 0) return -asinh(-x);
  if (x > LARGE) return log(x) + Math.LN2;
  if (x > 2) return log(2 * x + 1 / (Math.sqrt(x * x + 1) + x));
  return x < NEAR_ZERO ? x : Math.log1p(x + (x * x) / (1 + Math.sqrt(1 + x * x)));
}

/** math.Acosh */
export function acosh(x: number): number {
  if (!(x >= 1)) return Number.NaN;
  if (x >= LARGE) return log(x) + Math.LN2;
  if (x > 2) return log(2 * x - 1 / (x + Math.sqrt(x * x - 1)));
  const above = x - 1;
  return Math.log1p(above + Math.sqrt(2 * above + above * above));
}

/** math.Atanh */
export function atanh(x: number): number {
  if (!(Math.abs(x) <= 1)) return Number.NaN;
  if (x < 0) return -atanh(-x);
  if (x < NEAR_ZERO) return x;
  const twice = x + x;
  return 0.5 * (x < 0.5 ? Math.log1p(twice + (twice * x) / (1 - x)) : Math.log1p(twice / (1 - x)));
}

function roundToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
}

/** Cuts the 53 bits of a double in two halves whose products are exact. */
const SPLITTER = 2 ** 27 + 1;

/** a · b + c, rounded once (by the error-free product and sum of Dekker and Knuth), far from overflow. */
function fusedMultiplyAdd(a: number, b: number, c: number): number {
  const product = a * b;
  const aUpper = a * SPLITTER - (a * SPLITTER - a);
  const bUpper = b * SPLITTER - (b * SPLITTER - b);
  const aLower = a - aUpper;
  const bLower = b - bUpper;
  const productError = aLower * bLower - (product - aUpper * bUpper - aLower * bUpper - aUpper * bLower);
  const sum = product + c;
  const added = sum - product;
  const sumError = product - (sum - added) + (c - added);
  return sum + (sumError + productError);
}
