import { CorruptionError } from "@sightline/model/errors.ts";
import { expect, test } from "vitest";
import { PageReader } from "./page-bytes.ts";
import { SharedTimes } from "./shared-times.ts";

const ALL = { startMs: 0, endMs: 1_000_000 };

test("series with the same times get the same array, others one of their own", () => {
  const times = new SharedTimes(ALL);
  const first = times.of(Float64Array.of(1, 2, 3));
  const other = times.of(Float64Array.of(1, 2, 4));
  expect([...first]).toEqual([1, 2, 3]);
  expect([...other]).toEqual([1, 2, 4]);
  expect(times.of(Float64Array.of(1, 2, 3))).toBe(first);
  expect(times.of(Float64Array.of(0, 1, 2, 4).subarray(1))).toBe(other);
  // Their first time and length add up to what those of the first ones do.
  expect([...times.of(Float64Array.of(2, 3))]).toEqual([2, 3]);
});

/** Times 1000, 1010, 1020, … as a page has them, then what follows there. */
function encoded(count: number, ...rest: readonly number[]): PageReader {
  const steps = [20 & 127, ...new Array<number>(count - 2).fill(0)];
  // 1000 and then 10 - 1000: differences of differences, zigzagged.
  return new PageReader(Buffer.from([0xd0, 0x0f, 0xbb, 0x0f, ...steps.slice(1), ...rest]));
}

test("times that a page has for several series are decoded once", () => {
  const times = new SharedTimes(ALL);
  const first = times.read(encoded(4, 7, 7), 4);
  expect([...first]).toEqual([1000, 1010, 1020, 1030]);
  const reader = encoded(4, 9);
  expect(times.read(reader, 4)).toBe(first);
  expect(reader.bytes[reader.at]).toBe(9);
  // They begin alike, but are fewer, or go on otherwise.
  expect([...times.read(encoded(3, 0), 3)]).toEqual([1000, 1010, 1020]);
  expect([...times.read(encoded(3, 2), 4)]).toEqual([1000, 1010, 1020, 1031]);
  expect(() => times.read(encoded(3), 4)).toThrow(CorruptionError);
});

test("the same pieces give the same array, of what is in the range", () => {
  const times = new SharedTimes({ startMs: 2, endMs: 5 });
  const [one, two, three] = [
    [1, 2, 3],
    [4, 5],
    [4, 6],
  ].map((of) => times.of(Float64Array.from(of))) as [Float64Array, Float64Array, Float64Array];
  const joined = times.join([one, two]);
  expect([joined.from, joined.to, ...joined.timesMs]).toEqual([1, 5, 2, 3, 4, 5]);
  expect(times.join([one, two])).toBe(joined);
  expect([...times.join([one, three]).timesMs]).toEqual([2, 3, 4]);
  expect([...times.join([one]).timesMs]).toEqual([2, 3]);
  expect([...times.join([]).timesMs]).toEqual([]);
});
