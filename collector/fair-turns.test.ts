import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { FairTurns } from "./fair-turns.ts";

function holdLoop(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

/** What happens in which order; `|` where the rest of the process has its turn. */
async function record(turns: FairTurns, works: readonly ("apply" | "decode")[], ms: number): Promise<string[]> {
  const done: string[] = [];
  let left = works.length;
  const all = Promise.all(
    works.map(async (work, i) => {
      const turn = turns.next(work);
      if (turn) await turn;
      holdLoop(ms);
      done.push(`${work} ${i}`);
      left--;
    }),
  );
  const others = (async () => {
    while (left > 0) {
      await nextTurn();
      done.push("|");
    }
  })();
  await all;
  const result = [...done];
  await others;
  return result;
}

test("short work is done at once", () => {
  expect(new FairTurns().next("decode")).toBeUndefined();
});

test("work that takes long lets the rest of the process have turns in between, and keeps its order", async () => {
  const done = await record(new FairTurns(), Array(8).fill("decode"), 40);
  expect(done.filter((entry) => entry !== "|")).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((i) => `decode ${i}`));
  expect(done.filter((entry) => entry === "|").length).toBeGreaterThanOrEqual(2);
});

test("what is to be applied goes before what is to be decoded", async () => {
  const done = await record(new FairTurns(), ["decode", "decode", "decode", "apply"], 40);
  const order = done.filter((entry) => entry !== "|");
  expect(order.indexOf("apply 3")).toBeLessThan(order.indexOf("decode 2"));
});

test("says how long the next one has been waiting", async () => {
  const turns = new FairTurns();
  expect(turns.next("decode")).toBeUndefined();
  holdLoop(20);
  const waiting = turns.next("decode");
  holdLoop(10);
  expect(turns.waitedMs).toBeGreaterThanOrEqual(9);
  await waiting;
  expect(turns.waitedMs).toBe(0);
});
