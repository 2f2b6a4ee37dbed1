/** 2^32 = 4294 · 10^6 + 967296. */
const MILLIS_PER_HIGH = 4294;
const REST_PER_HIGH = 967_296;

/** Whole milliseconds of a 64-bit count of nanoseconds, given in its unsigned halves: exact, without bigint. */
export function millisOfNanos(low: number, high: number): number {
  return high * MILLIS_PER_HIGH + Math.floor((high * REST_PER_HIGH + low) / 1_000_000);
}

/** The nanoseconds that {@link millisOfNanos} leaves out: below 10^6, so the low halves say it all. */
export function nanosBeyond(millis: number, low: number): number {
  return (low - Math.imul(millis % 2 ** 32, 1_000_000)) >>> 0;
}
