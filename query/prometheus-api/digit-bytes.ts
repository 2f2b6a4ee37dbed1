/** Numbers of four digits as their text, with leading zeros, in 32 bits: V8 writes these as fast as a single byte. */
const QUADS = Int32Array.from({ length: 10_000 }, (_, i) => Buffer.from(String(i).padStart(4, "0")).readInt32BE());

/** Writes an integer from 0 to 2 ** 31 - 1 at `at`, and returns where it ends; up to three bytes behind it are overwritten. */
export function writeInteger(target: DataView, at: number, value: number): number {
  if (value < 1e4) return writeLeading(target, at, value);
  if (value < 1e8) {
    const high = (value / 1e4) | 0;
    const end = writeLeading(target, at, high);
    target.setInt32(end, QUADS[value - high * 1e4] as number);
    return end + 4;
  }
  const high = (value / 1e8) | 0;
  const end = writeLeading(target, at, high);
  writeEight(target, end, value - high * 1e8);
  return end + 8;
}

/** Writes an integer from 0 to 99,999,999 at `at`, with leading zeros. */
export function writeEight(target: DataView, at: number, value: number): void {
  const high = (value / 1e4) | 0;
  target.setInt32(at, QUADS[high] as number);
  target.setInt32(at + 4, QUADS[value - high * 1e4] as number);
}

/** Of an integer below 10,000, without leading zeros. */
function writeLeading(target: DataView, at: number, value: number): number {
  const digits = value < 10 ? 1 : value < 100 ? 2 : value < 1_000 ? 3 : 4;
  target.setInt32(at, (QUADS[value] as number) << (32 - 8 * digits));
  return at + digits;
}
