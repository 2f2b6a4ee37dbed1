import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { TimeSlice } from "./time-slice.ts";

function holdLoop(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

test("is due when it has held the event loop for some milliseconds, and not after a turn that others had", async () => {
  const slice = new TimeSlice();
  holdLoop(15);
  expect(slice.due).toBe(true);
  await nextTurn();
  await nextTurn();
  expect(slice.due).toBe(false);
  holdLoop(15);
  expect(slice.due).toBe(true);
  await slice.pause();
  expect(slice.due).toBe(false);
});
