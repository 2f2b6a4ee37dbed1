/**
 * A sample value as Prometheus' JSON has it (util/jsonutil.MarshalFloat), without the quotes. JavaScript prints
 * doubles the same way (shortest form that reads back, exponents below 1e-6 and from 1e21) but for the names of the
 * infinities, the sign of -0 and exponents of one digit.
 */
export function floatText(value: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const text = String(value);
  if (value > -1e-6 && value < 1e-6) return text.replace(/e-(\d)$/, "e-0$1");
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : text;
}
