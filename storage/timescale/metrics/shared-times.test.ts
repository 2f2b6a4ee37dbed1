import { expect, test } from "vitest";
import { SharedTimes } from "./shared-times.ts";

test("series with the same times get the same array, others one of their own", () => {
  const times = new SharedTimes();
  const first = times.of(Float64Array.of(1, 2, 3));
  const other = times.of(Float64Array.of(1, 2, 4));
  expect([...first]).toEqual([1, 2, 3]);
  expect([...other]).toEqual([1, 2, 4]);
  expect(times.of(Float64Array.of(1, 2, 3))).toBe(first);
  expect(times.of(Float64Array.of(0, 1, 2, 4).subarray(1))).toBe(other);
  // Their first time and length add up to what those of the first ones do.
  expect([...times.of(Float64Array.of(2, 3))]).toEqual([2, 3]);
});
