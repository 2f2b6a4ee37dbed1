import { expect, test } from "vitest";
import { TimeParts } from "./time-parts.ts";

const EXTENT = { minNs: 0n, maxNs: 319n };
const RANGE = { startNs: -1_000n, endNs: 1_000n };

type Looked = readonly [found: number, wanted: number];

function partsOf(newestFirst: boolean, expected: number, looked: readonly Looked[]) {
  const parts = new TimeParts(RANGE, EXTENT, newestFirst, expected);
  const ranges = looked.map(([found, wanted]) => parts.next(found, wanted));
  return ranges.map((range) => range && [Number(range.startNs), Number(range.endNs)]);
}

test("parts are as large as seems to be needed, first by what is expected, then by what was found", () => {
  const looked: Looked[] = [
    [0, 100],
    [50, 50],
    [90, 10],
  ];
  expect(partsOf(true, 3_200, looked)).toEqual([
    [300, 1_000],
    [270, 300],
    [260, 270],
  ]);
});

test("where little is expected or was found all the rest is next", () => {
  const nothing: Looked[] = [
    [0, 100],
    [0, 100],
    [0, 100],
  ];
  expect(partsOf(true, 3_200, nothing)).toEqual([[300, 1_000], [-1_000, 300], undefined]);
  expect(partsOf(false, 3_200, nothing)).toEqual([[-1_000, 20], [20, 1_000], undefined]);
  expect(partsOf(true, 0, nothing)).toEqual([[-1_000, 1_000], undefined, undefined]);
});

test("parts of a range within the rows cover that range", () => {
  const parts = new TimeParts({ startNs: 100n, endNs: 132n }, EXTENT, false, 3_200);
  expect(parts.next(0, 80)).toEqual({ startNs: 100n, endNs: 101n });
  expect(parts.next(0, 80)).toEqual({ startNs: 101n, endNs: 132n });
});
