import { expect, test } from "vitest";
import { nextTurn } from "./next-turn.ts";

test("of many that wait one goes on at a time, in turns, and other work comes in between", async () => {
  const order: string[] = [];
  const query = async (name: string) => {
    for (let slice = 0; slice < 2; slice++) {
      order.push(name);
      await nextTurn();
    }
  };
  let others = 0;
  const timer = setInterval(() => others++, 0);
  const queries = ["a", "b", "c"].map(query);
  const until = performance.now() + 20;
  while (performance.now() < until);
  await Promise.all(queries);
  clearInterval(timer);
  expect(order.join("")).toBe("abcabc");
  expect(others).toBeGreaterThan(0);
});
