import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { mapSome } from "./map-some.ts";

test("what is at hand is mapped at once", () => {
  expect(mapSome(["a", "b"], (item, place) => item + place)).toEqual(["a0", "b1"]);
});

test.each([
  ["all", 8, (_: number) => true],
  ["none but the third", 8, (place: number) => place === 2],
  ["every other one", 8, (place: number) => place % 2 === 1],
  ["all", 1, (_: number) => true],
])("waits for %s, for at most %i at a time, and keeps the order", async (_, atATime, waits) => {
  const items = Array.from({ length: 30 }, (_, place) => place);
  let [waiting, most] = [0, 0];
  const later = async (item: number) => {
    most = Math.max(most, ++waiting);
    await nextTurn();
    waiting--;
    return 10 * item;
  };
  const found = await mapSome(items, (item) => (waits(item) ? later(item) : 10 * item), atATime);
  expect(found).toEqual(items.map((item) => 10 * item));
  expect(most).toBeLessThanOrEqual(atATime);
});
