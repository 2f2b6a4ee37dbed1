import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SampleSlots } from "./sample-slots.ts";

describe.each(["usual", "sparse"] as const)("%s slots", (density) => {
  test("give back what was appended, from any time on", () => {
    const appends = fc.array(fc.tuple(fc.nat(4), fc.integer({ min: 1, max: 1_000 })), { maxLength: 400 });
    fc.assert(
      fc.property(appends, fc.nat(100_000), (rows, startMs) => {
        const slots = new SampleSlots(density);
        slots.ensureSeries(5);
        const expected: { timeMs: number; value: number }[][] = [[], [], [], [], []];
        for (const [series, stepMs] of rows) {
          const own = expected[series] as { timeMs: number; value: number }[];
          const sample = { timeMs: (own.at(-1)?.timeMs ?? 1_000) + stepMs, value: own.length };
          own.push(sample);
          expect(slots.append(series, sample.timeMs, Float64Array.of(sample.value), 0)).toBe(true);
        }
        for (const [series, own] of expected.entries()) {
          const places: number[] = [];
          const count = slots.slotsFrom(series, startMs, places);
          const timesMs = new Float64Array(count);
          const values = new Float64Array(count);
          slots.copy(series, places, timesMs, 0, values, 0);
          const wanted = own.slice(own.length - count);
          expect([...timesMs]).toEqual(wanted.map(({ timeMs }) => timeMs));
          expect([...values]).toEqual(wanted.map(({ value }) => value));
          expect(count).toBeGreaterThanOrEqual(own.filter(({ timeMs }) => timeMs >= startMs).length);
          expect(slots.countOf(series)).toBe(own.length);
        }
      }),
      { numRuns: 50 },
    );
  });
});

test("a series that has just begun takes a third in sparse slots", () => {
  const bytesOf = (density: "usual" | "sparse") => {
    const slots = new SampleSlots(density);
    slots.ensureSeries(50_000);
    for (let series = 0; series < 50_000; series++) slots.append(series, 1, Float64Array.of(1), 0);
    return slots.bytes;
  };
  expect(bytesOf("sparse")).toBeLessThan(bytesOf("usual") / 2.5);
});
