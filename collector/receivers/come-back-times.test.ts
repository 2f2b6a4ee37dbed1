import { expect, test } from "vitest";
import { ComeBackTimes } from "./come-back-times.ts";

test("one that is refused alone waits as long as it was asked to", () => {
  let now = 1_000;
  const times = new ComeBackTimes(() => now);
  expect(times.next(2_000)).toBe(2_000);
  now += 5_000;
  expect(times.next(1_000)).toBe(1_000);
});

test("of many that are refused together a hundred come back a second", () => {
  const times = new ComeBackTimes(() => 0);
  const waits = Array.from({ length: 300 }, () => times.next(2_000));
  expect(waits.slice(0, 3)).toEqual([2_000, 2_010, 2_020]);
  expect(waits.at(-1)).toBe(4_990);
});

test("nobody waits for longer than half a minute", () => {
  const times = new ComeBackTimes(() => 0);
  for (let i = 0; i < 10_000; i++) expect(times.next(2_000)).toBeLessThanOrEqual(30_000);
});
