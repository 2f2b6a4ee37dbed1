/** `0x1.8p+01`: the mantissa's bits, all that are needed or as many hexadecimal digits as asked for, and a power of two. */
export function hexadecimalFloat(value: number, precision: number | undefined): string {
  if (value === 0) return `0x0${precision ? `.${"0".repeat(precision)}` : ""}p+00`;
  let exponent = Math.min(1023, Math.floor(Math.log2(value)));
  // The logarithm may be off by one, and powers below the least normal one do not fit a division.
  let mantissa = value / 2 ** Math.max(exponent, -1022) / 2 ** Math.min(0, exponent + 1022);
  if (mantissa >= 2) [mantissa, exponent] = [mantissa / 2, exponent + 1];
  else if (mantissa < 1) [mantissa, exponent] = [mantissa * 2, exponent - 1];
  let bits = BigInt(mantissa * 2 ** 52);
  let digits = 13;
  if (precision !== undefined && precision < digits) {
    [bits, digits] = [roundedToEven(bits, BigInt(4 * (digits - precision))), precision];
    if (bits >> BigInt(4 * digits + 1) > 0n) [bits, exponent] = [bits >> 1n, exponent + 1];
  }
  const whole = bits >> BigInt(4 * digits);
  const fraction = (bits - (whole << BigInt(4 * digits))).toString(16).padStart(digits, "0").slice(0, digits);
  const shown = precision === undefined ? fraction.replace(/0+$/, "") : fraction.padEnd(precision, "0");
  const power = `${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  return `0x${whole}${shown === "" ? "" : `.${shown}`}p${power}`;
}

function roundedToEven(value: bigint, shift: bigint): bigint {
  const kept = value >> shift;
  const rest = value - (kept << shift);
  const half = 1n << (shift - 1n);
  return rest > half || (rest === half && (kept & 1n) === 1n) ? kept + 1n : kept;
}
