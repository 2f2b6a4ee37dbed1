import { expect, test } from "vitest";
import { minutesOf } from "./minute-ranges.ts";

const MINUTE = 60_000;

test.each([
  [[], []],
  [[5 * MINUTE], [[5, 5]]],
  [[5 * MINUTE + 1, 6 * MINUTE - 1, 4 * MINUTE, 8 * MINUTE], [[4, 5], [8, 8]]], // biome-ignore format: a table
  [[-1, 0], [[-1, 0]]], // biome-ignore format: a table
])("times %j are of the minutes %j", (times, want) => {
  const ranges = minutesOf(Float64Array.from(times), times.length, []);
  expect(ranges.map(({ first, last }) => [first, last])).toEqual(want);
});

test("times that are all over are one range", () => {
  const times = Float64Array.from({ length: 5_000 }, (_, i) => i * 10 * MINUTE);
  expect(minutesOf(times, times.length, [{ timeMs: -30 * MINUTE }])).toEqual([{ first: -30, last: 49_990 }]);
});
