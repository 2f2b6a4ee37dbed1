import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { Gate } from "./gate.ts";

test("runs at most so many calls at a time, in the order they came, also when some fail", async () => {
  const gate = new Gate(2);
  const started: number[] = [];
  let running = 0;
  let most = 0;
  const calls = Array.from({ length: 10 }, (_, i) =>
    gate.run(async () => {
      started.push(i);
      most = Math.max(most, ++running);
      await setTimeout(1);
      running--;
      if (i % 3 === 0) throw new Error("no");
      return i;
    }),
  );
  const settled = await Promise.allSettled(calls);
  expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(6);
  expect(most).toBe(2);
  expect(started).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("does not make a call whose signal aborted while it waited, and lets the next one through", async () => {
  const gate = new Gate(1);
  const controller = new AbortController();
  const first = gate.run(() => setTimeout(5));
  const second = gate.run(async () => expect.unreachable(), controller.signal);
  const third = gate.run(async () => "third");
  controller.abort(new Error("gone"));
  await first;
  await expect(second).rejects.toThrow("gone");
  expect(await third).toBe("third");
});
