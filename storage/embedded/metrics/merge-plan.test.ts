import { expect, test } from "vitest";
import { nextMerge } from "./merge-plan.ts";

/** Day 1 is over, day 2 is still written to. */
const CLOSED_BEFORE = 2;
const block = (partition: number, bytes: number) => ({ partition, bytes, maxTimeMs: 0 });

test.each([
  ["nothing", [], []],
  ["a single block", [block(1, 10)], []],
  ["three blocks of today", [block(2, 10), block(2, 10), block(2, 10)], []],
  ["four blocks of today", [block(2, 10), block(2, 11), block(2, 12), block(2, 13)], [10, 11, 12, 13]],
  ["two blocks of yesterday", [block(1, 10), block(1, 11)], [10, 11]],
  ["a big block of yesterday and a bit of late data", [block(1, 1000), block(1, 1)], []],
  ["much late data beside a big block", [block(1, 1000), block(1, 100), block(1, 200)], [1000, 100, 200]],
  ["small ones after a big one", [block(2, 9999), block(2, 1), block(2, 2), block(2, 3), block(2, 4)], [1, 2, 3, 4]],
  ["blocks of other days between", [block(1, 1), block(0, 5), block(1, 2)], [1, 2]],
])("of %s it merges the right ones", (_, blocks, bytes) => {
  expect(nextMerge(blocks, CLOSED_BEFORE).map((one) => one.bytes)).toEqual(bytes);
});

test("every byte is rewritten few times when a day is filled bit by bit", () => {
  let blocks: ReturnType<typeof block>[] = [];
  let rewritten = 0;
  for (let i = 0; i < 1000; i++) {
    blocks.push(block(2, 1));
    for (let run = nextMerge(blocks, CLOSED_BEFORE); run.length > 0; run = nextMerge(blocks, CLOSED_BEFORE)) {
      const bytes = run.reduce((sum, one) => sum + one.bytes, 0);
      rewritten += bytes;
      blocks = [...blocks.filter((one) => !run.includes(one)), block(2, bytes)];
    }
  }
  expect(blocks.length).toBeLessThan(20);
  expect(rewritten / 1000).toBeLessThan(25);
});
