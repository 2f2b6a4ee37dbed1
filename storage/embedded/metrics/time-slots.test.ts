import fc from "fast-check";
import { expect, test } from "vitest";
import { TimeSlots } from "./time-slots.ts";

const SIZE = 8;

function timesIn(slots: TimeSlots, slot: number, count: number): number[] {
  const timesMs = new Float64Array(count);
  slots.copy(slot, count, timesMs, 0);
  return [...timesMs];
}

test("whoever shares a slot keeps its own times, however the others go on", () => {
  const steps = fc.array(fc.tuple(fc.nat(7), fc.integer({ min: 1, max: 3 })), { maxLength: 64 });
  fc.assert(
    fc.property(steps, (appends) => {
      const slots = new TimeSlots(SIZE);
      const series = Array.from({ length: 8 }, () => ({ slot: slots.begin(5), timesMs: [5] }));
      for (const [index, stepMs] of appends) {
        const one = series[index] as { slot: number; timesMs: number[] };
        if (one.timesMs.length === SIZE) continue;
        const timeMs = (one.timesMs.at(-1) as number) + stepMs;
        one.slot = slots.append(one.slot, one.timesMs.length, timeMs);
        one.timesMs.push(timeMs);
      }
      for (const { slot, timesMs } of series) expect(timesIn(slots, slot, timesMs.length)).toEqual(timesMs);
    }),
  );
});

test("a time 49 days after the first is refused, and changes nothing", () => {
  const slots = new TimeSlots(SIZE);
  const slot = slots.begin(1_000);
  expect(slots.append(slot, 1, 1_001 + 0xffffffff)).toBe(-1);
  expect(slots.append(slot, 1, 1_000 + 0xffffffff)).toBe(slot);
  expect(timesIn(slots, slot, 2)).toEqual([1_000, 1_000 + 0xffffffff]);
});

test("those who go on in one of three ways share three slots", () => {
  const slots = new TimeSlots(SIZE);
  const [first, ...others] = [11, 12, 13, 11, 12, 13].map((timeMs) => slots.append(slots.begin(10), 1, timeMs));
  expect([first, ...others]).toEqual([first, others[0], others[1], first, others[0], others[1]]);
  expect(new Set([first, ...others]).size).toBe(3);
});
