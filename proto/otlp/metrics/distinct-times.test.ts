import fc from "fast-check";
import { expect, test } from "vitest";
import { DistinctTimes } from "./distinct-times.ts";
import { millisOfNanos, nanosBeyond } from "./nano-time.ts";

/** The times given to points of one series of one request, from [ms, ns beyond it]. */
function given(...points: (readonly [number, number])[]): number[] {
  const times = new DistinctTimes();
  times.startRequest();
  return points.map(([ms, ns]) => times.distinct(7, ms, ns));
}

test("points of different milliseconds keep their times", () => {
  expect(given([10, 0], [20, 0], [30, 0])).toEqual([10, 20, 30]);
});
test("points within a millisecond get one each, in their order", () => {
  expect(given([10, 1], [10, 2], [10, 3])).toEqual([10, 11, 12]);
});
test("a point that follows such a run closely moves on too, a later one does not", () => {
  expect(given([10, 1], [10, 2], [10, 3], [11, 0], [20, 0])).toEqual([10, 11, 12, 13, 20]);
});
test("equal nanoseconds are a duplicate", () => expect(given([10, 5], [10, 5])).toEqual([10, 10]));
test("an older point keeps its time", () => expect(given([10, 5], [9, 0], [10, 6])).toEqual([10, 9, 11]));

test("another series and another request know nothing of it", () => {
  const times = new DistinctTimes();
  times.startRequest();
  expect([times.distinct(1, 10, 1), times.distinct(5_000, 10, 2)]).toEqual([10, 10]);
  times.startRequest();
  expect(times.distinct(1, 10, 2)).toBe(10);
});

test("milliseconds and the rest make up the nanoseconds", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }), (nanos) => {
      const [low, high] = [Number(nanos & 0xffff_ffffn), Number(nanos >> 32n)];
      const millis = millisOfNanos(low, high);
      expect(BigInt(millis) * 1_000_000n + BigInt(nanosBeyond(millis, low))).toBe(nanos);
    }),
  );
});
