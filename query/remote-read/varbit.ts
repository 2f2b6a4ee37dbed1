import type { BitWriter } from "./bit-writer.ts";

/** Bits of the value by bits of the prefix, of which the longest says 64 (tsdb/chunkenc/varbit.go). */
const SIZES = [3, 6, 9, 12, 18, 25, 56] as const;

/** `value` is an integer that a number counts exactly. */
export function writeVarbitInt(bits: BitWriter, value: number): void {
  if (value === 0) bits.write(0, 1);
  else writeWith(bits, value, (size) => fitsSigned(value, size));
}

export function writeVarbitUint(bits: BitWriter, value: number): void {
  if (value === 0) bits.write(0, 1);
  else writeWith(bits, value, (size) => value < 2 ** size);
}

/** Of a size whose range reaches one further up than down: there is no use for a negative zero. */
export function fitsSigned(value: number, size: number): boolean {
  const half = 2 ** (size - 1);
  return value > -half && value <= half;
}

function writeWith(bits: BitWriter, value: number, fits: (size: number) => boolean): void {
  for (const [index, size] of SIZES.entries()) {
    if (!fits(size)) continue;
    // Ones, as many as the size has place in the list, and a zero.
    bits.write(2 ** (index + 2) - 2, index + 2);
    bits.writeInteger(value, size);
    return;
  }
  bits.write(0xff, 8);
  bits.writeInteger(value, 64);
}
