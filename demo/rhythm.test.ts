import { expect, test } from "vitest";
import { Random } from "./random.ts";
import { busyness } from "./rhythm.ts";

const HOUR_MS = 3_600_000;
const MONDAY_MS = Date.UTC(2026, 10, 16);

test("evenings are busy, nights are not", () => {
  const [night, lunch, evening] = [4, 12.5, 18].map((hour) => busyness(MONDAY_MS + hour * HOUR_MS)) as [
    number,
    number,
    number,
  ];
  expect(night).toBeLessThan(0.4);
  expect(lunch).toBeGreaterThan(2 * night);
  expect(evening).toBeGreaterThan(1.4);
});

test("a working day is about as busy as the mean, a Sunday less", () => {
  const day = (startMs: number) => {
    let sum = 0;
    for (let minute = 0; minute < 1_440; minute++) sum += busyness(startMs + minute * 60_000);
    return sum / 1_440;
  };
  expect(day(MONDAY_MS)).toBeGreaterThan(0.85);
  expect(day(MONDAY_MS)).toBeLessThan(1.15);
  expect(day(MONDAY_MS + 6 * 24 * HOUR_MS)).toBeCloseTo(0.7 * day(MONDAY_MS));
});

test("there is no jump at midnight", () => {
  expect(busyness(MONDAY_MS - 1)).toBeCloseTo(0.7 * busyness(MONDAY_MS), 1);
  expect(busyness(MONDAY_MS + 24 * HOUR_MS)).toBeCloseTo(busyness(MONDAY_MS + 24 * HOUR_MS - 1));
});

test.each([[0], [0.3], [4], [200]])("Poisson counts have the mean %f", (mean) => {
  const random = new Random(7);
  let sum = 0;
  for (let i = 0; i < 20_000; i++) sum += random.poisson(mean);
  expect(Math.abs(sum / 20_000 - mean)).toBeLessThanOrEqual(0.03 * mean);
});

test("latencies have the median they should, ids the length", () => {
  const random = new Random(7);
  const sorted = Array.from({ length: 9_999 }, () => random.latencyMs(20)).sort((a, b) => a - b);
  expect(sorted[5_000]).toBeGreaterThan(19);
  expect(sorted[5_000]).toBeLessThan(21);
  expect(random.hex(32)).toMatch(/^[0-9a-f]{32}$/);
});
