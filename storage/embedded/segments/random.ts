import { seededRandom } from "@sightline/model/seeded-random.ts";

/** Repeatable random numbers for benchmarks: from 0 (included) to `below` (excluded). */
export function randomInts(seed: number): (below: number) => number {
  const random = seededRandom(seed);
  return (below) => Math.floor(random() * below);
}

export function randomHex(random: (below: number) => number, digits: number): string {
  let hex = "";
  while (hex.length < digits)
    hex += random(2 ** 32)
      .toString(16)
      .padStart(8, "0");
  return hex.slice(0, digits);
}
