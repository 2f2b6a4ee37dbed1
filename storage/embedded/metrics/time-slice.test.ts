import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { TimeSlice } from "./time-slice.ts";

afterEach(() => {
  vi.useRealTimers();
});

test("is due when it has held the event loop for some milliseconds, and not after a turn that others had", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const holdLoop = (ms: number) => vi.advanceTimersByTime(ms);
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
