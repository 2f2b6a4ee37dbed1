/**
 * Trace and span ids are hex digits outside and 64-bit words inside: half the bytes, and compared at once. Zero stands
 * for "no id", which is also what OpenTelemetry says of ids of zeros.
 */
const ZERO = 0x30;
const NINE = 0x39;
const A = 0x61;
const F = 0x66;

/** One word and its halves, low first: BigInt made of text takes five times as long. */
const halves = new Uint32Array(2);
const whole = new BigUint64Array(halves.buffer);

/** Lower-case hex of `words` × 16 digits that is not all zeros. Anything else can't be kept as words. */
export function isHexId(id: string, words: 1 | 2): boolean {
  if (id.length !== 16 * words) return false;
  let isZero = true;
  for (let i = 0; i < id.length; i++) {
    const code = id.charCodeAt(i);
    if (!((code >= ZERO && code <= NINE) || (code >= A && code <= F))) return false;
    if (code !== ZERO) isZero = false;
  }
  return !isZero;
}

/** The `word`-th 16 digits of an id for which {@link isHexId} holds. */
export function wordOfHex(id: string, word: 0 | 1): bigint {
  halves[1] = halfOfHex(id, 16 * word);
  halves[0] = halfOfHex(id, 16 * word + 8);
  return whole[0] as bigint;
}

function halfOfHex(id: string, from: number): number {
  let value = 0;
  for (let i = from; i < from + 8; i++) {
    const code = id.charCodeAt(i);
    value = (value << 4) | (code <= NINE ? code - ZERO : code - A + 10);
  }
  return value;
}

export function hexOfWord(word: bigint): string {
  return word === 0n ? "" : word.toString(16).padStart(16, "0");
}

export function hexOfWords(high: bigint, low: bigint): string {
  return high === 0n && low === 0n ? "" : high.toString(16).padStart(16, "0") + low.toString(16).padStart(16, "0");
}
