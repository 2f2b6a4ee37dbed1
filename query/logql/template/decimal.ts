import { formatFloat } from "../../promql/format/format-float.ts";

/** An exact decimal number: `digits` times 10 to the power of -`scale`. */
type Decimal = { readonly digits: bigint; readonly scale: number };
/** Places behind the point of a quotient (shopspring/decimal's DivisionPrecision). */
const QUOTIENT_PLACES = 16;

function decimalOf(value: number): Decimal {
  const [mantissa = "0", exponent = "0"] = value.toExponential().split("e");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  const scale = fraction.length - Number(exponent);
  const digits = BigInt(whole + fraction);
  return scale < 0 ? { digits: digits * 10n ** BigInt(-scale), scale: 0 } : { digits, scale };
}

function toNumber({ digits, scale }: Decimal): number {
  return Number(`${digits}e-${scale}`);
}

function aligned(a: Decimal, b: Decimal): [bigint, bigint, number] {
  const scale = Math.max(a.scale, b.scale);
  return [a.digits * 10n ** BigInt(scale - a.scale), b.digits * 10n ** BigInt(scale - b.scale), scale];
}

const OPERATIONS = {
  add(a: Decimal, b: Decimal): Decimal {
    const [x, y, scale] = aligned(a, b);
    return { digits: x + y, scale };
  },
  sub(a: Decimal, b: Decimal): Decimal {
    const [x, y, scale] = aligned(a, b);
    return { digits: x - y, scale };
  },
  mul(a: Decimal, b: Decimal): Decimal {
    return { digits: a.digits * b.digits, scale: a.scale + b.scale };
  },
  div(a: Decimal, b: Decimal): Decimal {
    const [x, y] = aligned(a, b);
    const more = x * 10n ** BigInt(QUOTIENT_PLACES);
    const [quotient, rest] = [more / y, more % y];
    const isHalf = 2n * (rest < 0n ? -rest : rest) >= (y < 0n ? -y : y);
    const away = x < 0n === y < 0n ? 1n : -1n;
    return { digits: isHalf ? quotient + away : quotient, scale: QUOTIENT_PLACES };
  },
};

/**
 * `addf`, `subf`, `mulf` and `divf` of sprig: computed in decimal, so that 0.1 + 0.2 is 0.3. Throws what Go's panic says
 * for a division by zero, and for numbers that are not finite.
 */
export function decimalArithmetic(operation: keyof typeof OPERATIONS, values: readonly number[]): number {
  const decimals = values.map((value) => {
    if (!Number.isFinite(value)) throw new Error(`Cannot create a Decimal from ${formatFloat(value)}`);
    return decimalOf(value);
  });
  const result = decimals.reduce((a, b) => {
    if (operation === "div" && b.digits === 0n) throw new Error("decimal division by 0");
    return OPERATIONS[operation](a, b);
  });
  return toNumber(result);
}
