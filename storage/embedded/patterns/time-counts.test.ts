import fc from "fast-check";
import { expect, test } from "vitest";
import { TimeCounts } from "./time-counts.ts";

function pairs(counts: TimeCounts): [number, number][] {
  const found: [number, number][] = [];
  counts.each((seconds, count) => found.push([seconds, count]));
  return found;
}

test("counts lines by intervals of ten seconds, whatever the order they come in", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 300 }), (times) => {
      const counts = new TimeCounts();
      const wanted = new Map<number, number>();
      for (const time of times) {
        counts.add(time, 1);
        const interval = time - (time % 10);
        wanted.set(interval, (wanted.get(interval) ?? 0) + 1);
      }
      expect(pairs(counts)).toEqual([...wanted].sort(([a], [b]) => a - b));
      expect(pairs(TimeCounts.decode(counts.encode()))).toEqual(pairs(counts));
    }),
  );
});

test("older counts are joined, the oldest forgotten, and no line is lost in between", () => {
  const nowSeconds = 1_000_000;
  const counts = new TimeCounts();
  for (let time = 0; time < nowSeconds; time += 600) counts.add(time, 1);
  counts.compact({ nowSeconds, oldestSeconds: nowSeconds - 259_200, pressure: 0 });
  const kept = pairs(counts);
  expect(kept.reduce((sum, [, count]) => sum + count, 0)).toBe(432);
  const widths = new Set(kept.slice(1).map(([time], i) => time - (kept[i]?.[0] as number)));
  expect([...widths].every((width) => width <= 3_600)).toBe(true);
  expect(kept.at(-1)).toEqual([999_600, 1]);
  expect(kept.length).toBeLessThan(72 + 144);
});

test("under pressure they are joined earlier", () => {
  const counts = new TimeCounts();
  for (let time = 0; time < 7_200; time += 10) counts.add(time, 1);
  counts.compact({ nowSeconds: 7_200, oldestSeconds: 0, pressure: 1 });
  expect(counts.length).toBeLessThan(180 + 24);
});

test("lines of ever new times take bounded memory", () => {
  const counts = new TimeCounts();
  for (let i = 0; i < 100_000; i++) counts.add((i * 7_919_993) % 4_000_000_000, 1);
  expect(counts.length).toBeLessThanOrEqual(2_048);
});
