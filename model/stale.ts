/**
 * Prometheus' staleness marker (model/value/value.go): a NaN of its own bit pattern that says "this series ended here".
 * A plain JavaScript number can lose the pattern (arrays of doubles make all NaNs alike), so it lives only in
 * Float64Array elements and is recognised there. Copying between Float64Arrays, by element or by `set`, keeps it.
 */
const STALE_HIGH = 0x7ff00000;
const STALE_LOW = 2;
const NORMAL_NAN_HIGH = 0x7ff80000;
const NORMAL_NAN_LOW = 1;

/** A view of the same memory for {@link isStaleAt}; make it once per array, not per element. */
export function wordsOf(values: Float64Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
}

/** True when element `index` of the array behind `words` is the marker. Test `value !== value` first: it is cheaper. */
export function isStaleAt(words: Uint32Array, index: number): boolean {
  return words[2 * index] === STALE_LOW && words[2 * index + 1] === STALE_HIGH;
}

/** True for the low and high word of the marker as they are on the wire. */
export function isStaleBits(low: number, high: number): boolean {
  return low === STALE_LOW && high === STALE_HIGH;
}

export function writeStale(words: Uint32Array, index: number): void {
  words[2 * index] = STALE_LOW;
  words[2 * index + 1] = STALE_HIGH;
}

/** Writes any other NaN in the one form that Prometheus calls normal. */
export function writeNormalNan(words: Uint32Array, index: number): void {
  words[2 * index] = NORMAL_NAN_LOW;
  words[2 * index + 1] = NORMAL_NAN_HIGH;
}
