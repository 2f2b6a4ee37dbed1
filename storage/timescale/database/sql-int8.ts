const MIN_INT8 = -(2n ** 63n);
const MAX_INT8 = 2n ** 63n - 1n;

/** A time as SQL; what is beyond every time that can be kept becomes the end of its type. */
export function int8(timeMs: number): string {
  if (Math.abs(timeMs) < 2 ** 62) return `(${BigInt(Math.trunc(timeMs))})::int8`;
  return timeMs < 0 ? `('${MIN_INT8}')::int8` : `('${MAX_INT8}')::int8`;
}
