/**
 * Trace and span ids are hex digits outside and 64-bit words inside: half the bytes, and compared at once. Zero stands
 * for "no id", which is also what OpenTelemetry says of ids of zeros.
 */
const HEX = /^[0-9a-f]*$/;

/** Lower-case hex of `words` × 16 digits that is not all zeros. Anything else can't be kept as words. */
export function isHexId(id: string, words: 1 | 2): boolean {
  return id.length === 16 * words && HEX.test(id) && !/^0*$/.test(id);
}

/** The `word`-th 16 digits of an id for which {@link isHexId} holds. */
export function wordOfHex(id: string, word: 0 | 1): bigint {
  return BigInt(`0x${id.slice(16 * word, 16 * word + 16)}`);
}

export function hexOfWord(word: bigint): string {
  return word === 0n ? "" : word.toString(16).padStart(16, "0");
}

export function hexOfWords(high: bigint, low: bigint): string {
  return high === 0n && low === 0n ? "" : high.toString(16).padStart(16, "0") + low.toString(16).padStart(16, "0");
}
