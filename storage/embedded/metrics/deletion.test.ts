import type { TimeRange } from "@sightline/model/time-range.ts";
import { expect, test } from "vitest";
import { addRange, rangeWithout } from "./deletion.ts";

type Pair = readonly [number, number];
const ranges = (pairs: readonly Pair[]): TimeRange[] => pairs.map(([startMs, endMs]) => ({ startMs, endMs }));

test.each<[Pair[], Pair, Pair[]]>([
  [[], [1, 2], [[1, 2]]],
  [
    [[5, 6]],
    [1, 2],
    [
      [1, 2],
      [5, 6],
    ],
  ],
  [[[1, 2]], [3, 4], [[1, 4]]],
  [
    [
      [1, 2],
      [5, 6],
      [9, 9],
    ],
    [2, 5],
    [
      [1, 6],
      [9, 9],
    ],
  ],
  [[[2, 3]], [0, 9], [[0, 9]]],
])("%j and %j make %j", (known, [startMs, endMs], want) =>
  expect(addRange(ranges(known), { startMs, endMs })).toEqual(ranges(want)),
);

test.each<[Pair, Pair[], Pair[]]>([
  [[0, 9], [], [[0, 9]]],
  [
    [0, 9],
    [
      [2, 3],
      [6, 9],
    ],
    [
      [0, 1],
      [4, 5],
    ],
  ],
  [
    [0, 9],
    [
      [-5, 0],
      [9, 12],
    ],
    [[1, 8]],
  ],
  [[0, 9], [[-1, 20]], []],
  [
    [4, 5],
    [
      [0, 1],
      [8, 9],
    ],
    [[4, 5]],
  ],
])("%j without %j is %j", ([startMs, endMs], taken, want) =>
  expect(rangeWithout({ startMs, endMs }, ranges(taken))).toEqual(ranges(want)),
);
