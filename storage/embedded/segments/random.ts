/** Repeatable random numbers for benchmarks (mulberry32, public domain): from 0 (included) to `below` (excluded). */
export function randomInts(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return Math.floor((((word ^ (word >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

export function randomHex(random: (below: number) => number, digits: number): string {
  let hex = "";
  while (hex.length < digits)
    hex += random(2 ** 32)
      .toString(16)
      .padStart(8, "0");
  return hex.slice(0, digits);
}
