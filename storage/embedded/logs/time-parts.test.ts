import { expect, test } from "vitest";
import { TimeParts } from "./time-parts.ts";

const EXTENT = { minNs: 0n, maxNs: 319n };
const RANGE = { startNs: -1_000n, endNs: 1_000n };

function partsOf(newestFirst: boolean, found: readonly (readonly [found: number, wanted: number])[]) {
  const parts = new TimeParts(RANGE, EXTENT, newestFirst);
  const ranges = found.map(([before, wanted]) => parts.next(before, wanted));
  return ranges.map((range) => range && [Number(range.startNs), Number(range.endNs)]);
}

test("the first part is small, the next as large as seems to be needed, the last all that is left", () => {
  expect(
    partsOf(true, [
      [0, 100],
      [50, 50],
      [90, 10],
      [90, 10],
    ]),
  ).toEqual(
    [
      [300, 1_000],
      [270, 300],
      [260, 270],
      [-1_000, 260],
    ]
      .slice(0, 3)
      .concat([[250, 260]]),
  );
});

test("where little was found all the rest is next", () => {
  expect(
    partsOf(true, [
      [0, 100],
      [1, 99],
      [1, 99],
    ]),
  ).toEqual([[300, 1_000], [-1_000, 300], undefined]);
  expect(
    partsOf(false, [
      [0, 100],
      [0, 100],
      [0, 100],
    ]),
  ).toEqual([[-1_000, 20], [20, 1_000], undefined]);
});

test("all of it can be one part", () => {
  const parts = new TimeParts(RANGE, EXTENT, true);
  parts.takeAll();
  expect(parts.next(0, 10)).toEqual(RANGE);
  expect(parts.next(0, 10)).toBeUndefined();
});

test("parts of a range within the rows cover that range", () => {
  const parts = new TimeParts({ startNs: 100n, endNs: 132n }, EXTENT, false);
  expect(parts.next(0, 10)).toEqual({ startNs: 100n, endNs: 102n });
  expect(parts.next(0, 10)).toEqual({ startNs: 102n, endNs: 132n });
});
