/**
 * Trigonometric functions with the arithmetic of Go's math package, so that answers equal Prometheus' to the last bit. The
 * methods and their coefficients are those of the Cephes library (sin.c, tan.c, atan.c). The hyperbolic functions are V8's
 * own: Go's rest on an exponential function that depends on the processor.
 */
const PI_4 = [7.853981256484985e-1, 3.774894707930798e-8, 2.6951514290790595e-15] as const;
const SIN = [
  1.5896230157654656e-10, -2.5050747762857807e-8, 2.7557313621385722e-6, -1.984126982958954e-4, 8.333333333322118e-3,
  -1.666666666666663e-1,
];
const COS = [
  -1.1358536521387682e-11, 2.087570084197473e-9, -2.755731417929674e-7, 2.4801587288851704e-5, -1.3888888888873056e-3,
  4.1666666666666595e-2,
];
const TAN_P = [-1.3093693918138373e4, 1.1535166483858742e6, -1.7956525197648488e7];
const TAN_Q = [1, 1.3681296347069296e4, -1.3208923444021097e6, 2.500838018233579e7, -5.3869575592945464e7];
const ATAN_P = [
  -8.750608600031904e-1, -1.6157537187333652e1, -7.500855792314705e1, -1.2288666844901361e2, -6.485021904942025e1,
];
const ATAN_Q = [
  1, 2.4858464901423062e1, 1.6502700983169885e2, 4.3288106049129027e2, 4.853903996359137e2, 1.945506571482614e2,
];
/** The part of pi/2 that a double has no room for. */
const MORE_BITS = 6.123233995736766e-17;
const TAN_3_PI_8 = 2.414213562373095;
/** From here on pi/4 in three parts is not exact enough. */
const REDUCE_THRESHOLD = 2 ** 29;

/** math.Sin */
export function sin(x: number): number {
  if (x === 0 || !Number.isFinite(x)) return x * 0;
  const { octant, rest } = reduced(Math.abs(x));
  const value = octant % 4 === 1 || octant % 4 === 2 ? cosOf(rest) : sinOf(rest);
  return octant > 3 !== x < 0 ? -value : value;
}

/** math.Cos */
export function cos(x: number): number {
  if (!Number.isFinite(x)) return Number.NaN;
  const { octant, rest } = reduced(Math.abs(x));
  const quarter = octant % 4;
  const value = quarter === 1 || quarter === 2 ? sinOf(rest) : cosOf(rest);
  return octant > 3 !== quarter > 1 ? -value : value;
}

/** math.Tan */
export function tan(x: number): number {
  if (x === 0 || !Number.isFinite(x)) return x * 0;
  const { octant, rest } = reduced(Math.abs(x));
  const square = rest * rest;
  let value = rest;
  if (square > 1e-14) value = rest + rest * ((square * polynomial(TAN_P, square)) / polynomial(TAN_Q, square));
  if (octant % 4 >= 2) value = -1 / value;
  return x < 0 ? -value : value;
}

/** math.Asin */
export function asin(x: number): number {
  if (x === 0 || !(Math.abs(x) <= 1)) return Math.asin(x);
  const size = Math.abs(x);
  const other = Math.sqrt(1 - size * size);
  const value = size > 0.7 ? Math.PI / 2 - atanOfPositive(other / size) : atanOfPositive(size / other);
  return x < 0 ? -value : value;
}

/** math.Acos */
export function acos(x: number): number {
  return Math.PI / 2 - asin(x);
}

/** math.Atan */
export function atan(x: number): number {
  if (x === 0 || Number.isNaN(x)) return x;
  return x > 0 ? atanOfPositive(x) : -atanOfPositive(-x);
}

/** math.Atan2 */
export function atan2(y: number, x: number): number {
  if (x === 0 || y === 0 || !Number.isFinite(x) || !Number.isFinite(y)) return Math.atan2(y, x);
  const angle = atan(y / x);
  if (x > 0) return angle;
  return angle <= 0 ? angle + Math.PI : angle - Math.PI;
}

/** The angle to the nearest even octant, and that octant: 0, 2, 4 or 6, as it is used above. */
function reduced(x: number): { octant: number; rest: number } {
  if (x >= REDUCE_THRESHOLD) return reducedLarge(x);
  let count = Math.trunc(x * (4 / Math.PI));
  if (count % 2 === 1) count++;
  const [high, middle, low] = PI_4;
  return { octant: count % 8, rest: x - count * high - count * middle - count * low };
}

/** Enough for the largest double and 100 bits below the point. */
const FOUR_OVER_PI_BITS = 1_200;
const FRACTION_BITS = 160;
let fourOverPi: bigint | undefined;
const bits = new DataView(new ArrayBuffer(8));

/** math.trigReduce, the method of Payne and Hanek: multiplies by as many bits of 4/pi as the result needs. */
function reducedLarge(x: number): { octant: number; rest: number } {
  fourOverPi ??= (1n << BigInt(2 * FOUR_OVER_PI_BITS + 2)) / piTimes2To(FOUR_OVER_PI_BITS);
  bits.setFloat64(0, x);
  const exponent = ((bits.getUint16(0) >> 4) & 0x7ff) - 1075;
  const mantissa = (bits.getBigUint64(0) & 0xfffffffffffffn) | (1n << 52n);
  const kept = Math.max(0, exponent) + FRACTION_BITS;
  const product = mantissa * (fourOverPi >> BigInt(FOUR_OVER_PI_BITS - kept));
  const point = BigInt(kept - exponent);
  const octant = Number((product >> point) & 7n);
  const fraction = product & ((1n << point) - 1n);
  const surplus = Math.max(0, fraction.toString(2).length - 53);
  const rest = Number(fraction >> BigInt(surplus)) * 2 ** (surplus - Number(point));
  if (octant % 2 === 0) return { octant, rest: rest * (Math.PI / 4) };
  return { octant: (octant + 1) % 8, rest: (rest - 1) * (Math.PI / 4) };
}

/** By Machin's formula, with some bits to spare for what division cuts off. */
function piTimes2To(wanted: number): bigint {
  const one = 1n << BigInt(wanted + 32);
  const arctanOfInverse = (n: bigint): bigint => {
    let sum = 0n;
    let power = one / n;
    for (let k = 1n; power !== 0n; k += 2n, power /= n * n) sum += k % 4n === 1n ? power / k : -(power / k);
    return sum;
  };
  return (4n * (4n * arctanOfInverse(5n) - arctanOfInverse(239n))) >> 32n;
}

function sinOf(z: number): number {
  const square = z * z;
  return z + z * square * polynomial(SIN, square);
}

function cosOf(z: number): number {
  const square = z * z;
  return 1 - 0.5 * square + square * square * polynomial(COS, square);
}

function atanOfPositive(x: number): number {
  if (x <= 0.66) return atanOfSmall(x);
  if (x > TAN_3_PI_8) return Math.PI / 2 - atanOfSmall(1 / x) + MORE_BITS;
  return Math.PI / 4 + atanOfSmall((x - 1) / (x + 1)) + 0.5 * MORE_BITS;
}

function atanOfSmall(x: number): number {
  const square = x * x;
  return x * ((square * polynomial(ATAN_P, square)) / polynomial(ATAN_Q, square)) + x;
}

/** By Horner's rule, highest power first. */
function polynomial(coefficients: readonly number[], x: number): number {
  let value = coefficients[0] as number;
  for (let i = 1; i < coefficients.length; i++) value = value * x + (coefficients[i] as number);
  return value;
}
