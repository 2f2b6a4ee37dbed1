/**
 * Logarithms and powers of two with the arithmetic of Go's math package on amd64, so that answers equal Prometheus' to
 * the last bit: V8's own differ from it in 2 (log) to 24 (log10) of a hundred values. The method and its coefficients
 * are those of FreeBSD's msun (e_log.c, e_exp.c), as Go has them, too.
 */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
/** Of the odd and the even powers in the series of log(1 + f). */
const LOG_ODD = [0.6666666666666735, 0.2857142874366239, 0.1818357216161805, 0.14798198605116586];
const LOG_EVEN = [0.3999999999940942, 0.22222198432149784, 0.15313837699209373];
const EXP = [
  0.16666666666666666, -0.0027777777777015593, 6.613756321437934e-5, -1.6533902205465252e-6, 4.1381367970572385e-8,
];
const EXP2_OVERFLOW = 1023.9999999999999;
const EXP2_UNDERFLOW = -1.074e3;

const bits = new DataView(new ArrayBuffer(8));
const MANTISSA_BITS = 52;
const EXPONENT_BIAS = 1022;
const SMALLEST_NORMAL = 2 ** -1022;
const TWO_TO_52 = 2 ** MANTISSA_BITS;

/** math.Log, except for subnormal numbers, which it gets wrong. */
export function log(x: number): number {
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (!(x > 0) || x === Number.POSITIVE_INFINITY) return x > 0 ? x : Number.NaN;
  let exponent = exponentOf(x);
  let fraction = fractionOf(x);
  if (fraction < Math.SQRT1_2) {
    fraction *= 2;
    exponent--;
  }
  const f = fraction - 1;
  const s = f / (2 + f);
  const s2 = s * s;
  const s4 = s2 * s2;
  const [o0, o1, o2, o3] = LOG_ODD as [number, number, number, number];
  const [e0, e1, e2] = LOG_EVEN as [number, number, number];
  const rest = s2 * (o0 + s4 * (o1 + s4 * (o2 + s4 * o3))) + s4 * (e0 + s4 * (e1 + s4 * e2));
  const half = 0.5 * f * f;
  return exponent * LN2_HIGH - (half - (s * (half + rest) + exponent * LN2_LOW) - f);
}

/** math.Log2: exact for powers of two. */
export function log2(x: number): number {
  if (!(x > 0) || x === Number.POSITIVE_INFINITY) return log(x);
  const fraction = fractionOf(x);
  if (fraction === 0.5) return exponentOf(x) - 1;
  return log(fraction) * (1 / Math.LN2) + exponentOf(x);
}

/** math.Log10 */
export function log10(x: number): number {
  return log(x) * Math.LOG10E;
}

/** math.Exp2 */
export function exp2(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > EXP2_OVERFLOW) return Number.POSITIVE_INFINITY;
  if (x < EXP2_UNDERFLOW) return 0;
  const whole = Math.trunc(x < 0 ? x - 0.5 : x + 0.5);
  const t = x - whole;
  const high = t * LN2_HIGH;
  const low = -t * LN2_LOW;
  const r = high - low;
  const r2 = r * r;
  const [p0, p1, p2, p3, p4] = EXP as [number, number, number, number, number];
  const c = r - r2 * (p0 + r2 * (p1 + r2 * (p2 + r2 * (p3 + r2 * p4))));
  const y = 1 - (low - (r * c) / (2 - c) - high);
  // In two steps, as 2 ** 1024 is too large although the product may not be, and so at the lower end.
  const half = whole >> 1;
  return y * 2 ** half * 2 ** (whole - half);
}

/** math.Frexp's parts of a positive finite number: fraction in [0.5, 1) times a power of two. */
function fractionOf(x: number): number {
  bits.setFloat64(0, x < SMALLEST_NORMAL ? x * TWO_TO_52 : x);
  bits.setUint16(0, (bits.getUint16(0) & 0x000f) | (EXPONENT_BIAS << 4));
  return bits.getFloat64(0);
}

function exponentOf(x: number): number {
  const isSubnormal = x < SMALLEST_NORMAL;
  bits.setFloat64(0, isSubnormal ? x * TWO_TO_52 : x);
  return ((bits.getUint16(0) >> 4) & 0x7ff) - EXPONENT_BIAS - (isSubnormal ? MANTISSA_BITS : 0);
}
