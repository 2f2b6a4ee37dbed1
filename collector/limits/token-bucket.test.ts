import fc from "fast-check";
import { expect, test } from "vitest";
import { TokenBucket } from "./token-bucket.ts";

test("who waits as told comes in, and over time the rate is kept", () => {
  const amounts = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 50 });
  const rate = fc.integer({ min: 1, max: 1_000 });
  fc.assert(
    fc.property(amounts, rate, fc.integer({ min: 1, max: 2_000 }), (amounts, rate, burst) => {
      const bucket = new TokenBucket();
      let nowMs = 1_000;
      let taken = 0;
      for (const amount of amounts) {
        const waitMs = bucket.waitMs(nowMs, rate, burst);
        nowMs += waitMs;
        expect(bucket.waitMs(nowMs, rate, burst)).toBeLessThanOrEqual(1);
        // The one that is under way now may make a debt; those before it are paid off.
        expect(taken).toBeLessThanOrEqual(burst + ((nowMs - 1_000) / 1_000) * rate + 1);
        bucket.take(amount, nowMs, rate, burst);
        taken += amount;
      }
    }),
  );
});

test("a burst comes in at once, and the next one waits for one item", () => {
  const bucket = new TokenBucket();
  expect(bucket.waitMs(0, 10, 100)).toBe(0);
  bucket.take(100, 0, 10, 100);
  expect(bucket.waitMs(0, 10, 100)).toBe(100);
  expect(bucket.waitMs(100, 10, 100)).toBe(0);
});

test("a clock that is set back takes nothing away", () => {
  const bucket = new TokenBucket();
  bucket.take(5, 10_000, 10, 10);
  expect(bucket.waitMs(0, 10, 10)).toBe(0);
});
