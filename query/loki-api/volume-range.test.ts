import { expect, test } from "vitest";
import { type VolumeBucket, volumeBuckets } from "./volume-range.ts";

const show = ({ startNs, endNs, stampNs }: VolumeBucket) => `${startNs}..${endNs} at ${stampNs}`;

test.each<[readonly [number, number, number], readonly string[], string]>([
  [[0, 100, 10], ["90..101 at 100"], "0..90"],
  [[5, 100, 10], ["5..10 at 9", "90..101 at 100"], "10..90"],
  [[5, 97, 10], ["5..10 at 9", "90..98 at 97"], "10..90"],
  [[5, 12, 10], ["5..10 at 9", "10..13 at 12"], "none"],
  [[2, 8, 10], ["2..9 at 8"], "none"],
  [[0, 8, 10], ["0..9 at 8"], "none"],
  [[0, 10, 10], ["0..11 at 10"], "none"],
  [[5, 20, 10], ["5..10 at 9", "10..21 at 20"], "none"],
  [[5, 5, 10], ["5..6 at 5"], "none"],
])("%j is split at multiples of the step", ([start, end, step], partial, whole) => {
  const buckets = volumeBuckets(BigInt(start), BigInt(end), BigInt(step));
  expect(buckets.partial.map(show)).toEqual(partial);
  expect(buckets.whole ? `${buckets.whole.startNs}..${buckets.whole.endNs}` : "none").toBe(whole);
});
