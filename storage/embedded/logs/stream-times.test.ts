import fc from "fast-check";
import { expect, test } from "vitest";
import { StreamTimes } from "./stream-times.ts";

const BASE = 1_700_000_000_000_000_000n;

const rowsOfStreams = fc.array(fc.array(fc.tuple(fc.nat(200), fc.nat(50)), { maxLength: 40 }), {
  minLength: 1,
  maxLength: 4,
});
const rangeNs = fc.tuple(fc.integer({ min: -20, max: 220 }), fc.integer({ min: -20, max: 220 }));

function madeOf(streams: readonly (readonly (readonly [time: number, size: number])[])[]) {
  const sorted = streams.map((rows) => [...rows].sort(([a], [b]) => a - b));
  const all = sorted.flat();
  const ends = new Uint32Array(sorted.length);
  let end = 0;
  for (const [stream, rows] of sorted.entries()) {
    end += rows.length;
    ends[stream] = end;
  }
  let sum = 0;
  const sizes = Float64Array.from(all, ([, size]) => {
    sum += size;
    return sum;
  });
  const times = Float64Array.from(all, ([time]) => time);
  return { sorted, known: new StreamTimes(BASE, ends, { times, sizes }) };
}

const rangeOf = ([from, to]: readonly [number, number]) => ({ startNs: BASE + BigInt(from), endNs: BASE + BigInt(to) });

test("buckets have the counts and sizes of the rows that are in them", () => {
  fc.assert(
    fc.property(rowsOfStreams, rangeNs, fc.integer({ min: 1, max: 300 }), (streams, range, bucket) => {
      const { sorted, known } = madeOf(streams);
      for (const [stream, rows] of sorted.entries()) {
        const expected = new Map<number, [count: number, bytes: number]>();
        for (const [time, size] of rows) {
          if (time < range[0] || time >= range[1]) continue;
          const number = Math.floor((time - range[0]) / bucket);
          const [count, bytes] = expected.get(number) ?? [0, 0];
          expected.set(number, [count + 1, bytes + size]);
        }
        const found = new Map<number, [count: number, bytes: number]>();
        known.eachBucket(stream, { range: rangeOf(range), bucketNs: BigInt(bucket) }, (number, count, bytes) => {
          found.set(number, [count, bytes]);
          return true;
        });
        expect(found).toEqual(expected);
        expect(known.hasRows(stream, rangeOf(range))).toBe(expected.size > 0);
      }
    }),
  );
});

test("a narrowed range has the first rows, and no later one than the last of them", () => {
  fc.assert(
    fc.property(
      rowsOfStreams,
      rangeNs,
      fc.integer({ min: 1, max: 30 }),
      fc.boolean(),
      (streams, range, rows, newest) => {
        const { sorted, known } = madeOf(streams);
        const inRange = ([from, to]: readonly [number, number]) =>
          sorted.flat().filter(([time]) => time >= from && time < to);
        const times = inRange(range)
          .map(([time]) => time)
          .sort((a, b) => (newest ? b - a : a - b));
        const all = sorted.map((_, stream) => stream);
        const { startNs, endNs } = known.narrowed(all, rangeOf(range), rows, newest);
        const last = times[rows - 1];
        if (last === undefined || times.length === rows) expect({ startNs, endNs }).toEqual(rangeOf(range));
        else if (newest) expect({ startNs, endNs }).toEqual({ ...rangeOf(range), startNs: BASE + BigInt(last) });
        else expect({ startNs, endNs }).toEqual({ ...rangeOf(range), endNs: BASE + BigInt(last) + 1n });
      },
    ),
  );
});

test("a visitor ends the walk, and spans beyond all rows are no problem", () => {
  const { known } = madeOf([
    [
      [1, 1],
      [2, 1],
      [3, 1],
    ],
  ]);
  const seen: number[] = [];
  const range = { startNs: -(2n ** 63n), endNs: 2n ** 63n };
  const isDone = known.eachBucket(0, { range: rangeOf([0, 10]), bucketNs: 1n }, (bucket) => seen.push(bucket) < 2);
  expect([isDone, seen]).toEqual([false, [1, 2]]);
  const counts: number[] = [];
  known.eachBucket(0, { range, bucketNs: 2n ** 64n }, (_, count) => counts.push(count) > 0);
  expect(counts).toEqual([3]);
});
