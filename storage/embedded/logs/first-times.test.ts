import fc from "fast-check";
import { expect, test } from "vitest";
import { FirstTimes } from "./first-times.ts";

test.each([
  ["newest", true],
  ["oldest", false],
])("knows the last of the %s rows once there are enough", (_, newestFirst) => {
  const times = fc.array(fc.bigInt({ min: -50n, max: 50n }), { maxLength: 20 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), fc.array(times, { maxLength: 6 }), (limit, batches) => {
      const first = new FirstTimes(limit, newestFirst);
      const compare = (a: bigint, b: bigint) => Number(newestFirst ? b - a : a - b);
      for (const batch of batches) first.add(BigInt64Array.from(batch.toSorted(compare)));
      expect(first.lastNs).toBe(batches.flat().sort(compare)[limit - 1]);
    }),
  );
});

test("remembers nothing of queries without a limit", () => {
  const first = new FirstTimes(Number.MAX_SAFE_INTEGER, true);
  first.add(BigInt64Array.of(1n));
  expect(first.lastNs).toBeUndefined();
});
