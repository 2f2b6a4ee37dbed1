import fc from "fast-check";
import { expect, test } from "vitest";
import { BloomFilter } from "./bloom-filter.ts";

const word = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

test("has every id that was added", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(word, word), { maxLength: 200 }), (ids) => {
      const filter = BloomFilter.forKeys(ids.length);
      for (const [high, low] of ids) filter.add(high, low);
      const copy = new BloomFilter(Uint8Array.from(filter.bits));
      for (const [high, low] of ids) expect(copy.mayHave(high, low)).toBe(true);
    }),
  );
});

// Counters in one half and zeros in the other are what careless senders make.
test.each([
  ["random", (i: number) => [BigInt(i) * 0x9e3779b97f4a7c15n, BigInt(i) * 0xc2b2ae3d27d4eb4fn]],
  ["counting up in the low word", (i: number) => [0n, BigInt(i)]],
  ["counting up in the high word", (i: number) => [BigInt(i) << 32n, 0n]],
])("takes few of the other ids for known when ids are %s", (_, idOf) => {
  const filter = BloomFilter.forKeys(10_000);
  const id = (i: number) => idOf(i).map((part) => BigInt.asUintN(64, part)) as [bigint, bigint];
  for (let i = 1; i <= 10_000; i++) filter.add(...id(i));
  let wrong = 0;
  for (let i = 10_001; i <= 30_000; i++) if (filter.mayHave(...id(i))) wrong++;
  expect(wrong / 20_000).toBeLessThan(0.02);
});
