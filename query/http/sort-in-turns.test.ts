import fc from "fast-check";
import { expect, test } from "vitest";
import { sortInTurns } from "./sort-in-turns.ts";
import { Turn } from "./turn.ts";

type Item = { readonly key: number; readonly place: number };
const byKey = (a: Item, b: Item) => a.key - b.key;
const itemsOf = (keys: readonly number[]): Item[] => keys.map((key, place) => ({ key, place }));

test("items come in the order of a stable sort, whatever their number and order", async () => {
  const key = fc.nat(500);
  const ordered = fc.array(key, { maxLength: 3_000 }).map((keys) => keys.sort((a, b) => a - b));
  const keys = fc
    .array(fc.oneof(ordered, fc.array(key, { maxLength: 2_500 })), { maxLength: 4 })
    .map((all) => all.flat());
  await fc.assert(
    fc.asyncProperty(keys, async (keys) => {
      const items = itemsOf(keys);
      expect(await sortInTurns(items, byKey, new Turn())).toEqual(items.toSorted(byKey));
    }),
    { numRuns: 60 },
  );
});

test("others get their turn in between", async () => {
  const items = itemsOf(Array.from({ length: 60_000 }, (_, i) => (i * 7_919) % 60_013));
  let turns = 0;
  const interval = setInterval(() => turns++, 1);
  const slowly = (a: Item, b: Item) => {
    const until = performance.now() + 0.000_5;
    while (performance.now() < until);
    return byKey(a, b);
  };
  await sortInTurns(items, slowly, new Turn());
  clearInterval(interval);
  expect(turns).toBeGreaterThan(5);
});
