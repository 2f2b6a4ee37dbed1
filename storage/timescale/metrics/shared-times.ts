/** Alike ones of the same first time and length that are compared with; more are no longer. */
const MAX_ALIKE = 8;

/**
 * Series that are scraped together have the same times. When they have the same array, too, the query engine works out once
 * for all of them which samples are in which window.
 */
export class SharedTimes {
  readonly #known = new Map<number, Float64Array[]>();

  /** An array with these times: that of an earlier call, or a copy. */
  of(timesMs: Float64Array): Float64Array {
    if (timesMs.length === 0) return timesMs;
    const key = (timesMs[0] as number) + timesMs.length;
    const alike = this.#known.get(key);
    const bytes = bytesOf(timesMs);
    const same = alike?.find((known) => known.length === timesMs.length && bytesOf(known).equals(bytes));
    if (same) return same;
    const copy = timesMs.slice();
    if (!alike) this.#known.set(key, [copy]);
    else if (alike.length < MAX_ALIKE) alike.push(copy);
    return copy;
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float64Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
