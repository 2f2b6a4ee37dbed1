import { expect, test } from "vitest";
import { FailureThrottle } from "./failure-throttle.ts";

test("lets a minute's failures pass at once and refills with time", () => {
  const throttle = new FailureThrottle(60);
  for (let i = 0; i < 60; i++) expect(throttle.failed("a", 0)).toBe(0);
  expect(throttle.failed("a", 0)).toBe(1_000);
  expect(throttle.failed("a", 999)).toBeGreaterThan(0);
  expect(throttle.failed("a", 1_100)).toBe(0);
  expect(throttle.failed("a", 1_100)).toBeGreaterThan(0);
  expect(throttle.failed("b", 1_100)).toBe(0);
});

test("a clock that goes back neither refills nor blocks for ever", () => {
  const throttle = new FailureThrottle(1);
  expect(throttle.failed("a", 1e12)).toBe(0);
  expect(throttle.failed("a", 0)).toBe(60_000);
  expect(throttle.failed("a", 60_000)).toBe(0);
});

test("forgets the oldest address when there are too many", () => {
  const throttle = new FailureThrottle(1);
  for (let i = 0; i < 25_000; i++) throttle.failed(`peer ${i}`, 0);
  expect(throttle.size).toBe(10_000);
  expect(throttle.failed("peer 24999", 0)).toBeGreaterThan(0);
  expect(throttle.failed("peer 0", 0)).toBe(0);
});
