import { expect, test } from "vitest";
import { ConcurrencyGate } from "./concurrency-gate.ts";

test("never more than allowed run, in the order in which they came, failures included", async () => {
  const gate = new ConcurrencyGate(2);
  const started: number[] = [];
  let running = 0;
  let most = 0;
  const work = (i: number) => async () => {
    started.push(i);
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, i % 3));
    running--;
    if (i % 4 === 0) throw new Error(`${i}`);
    return i;
  };
  const results = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => gate.run(work(i))));
  expect(started).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(most).toBe(2);
  expect(results.map(({ status }) => status)).toEqual(
    Array.from({ length: 20 }, (_, i) => (i % 4 === 0 ? "rejected" : "fulfilled")),
  );
  expect(await gate.run(async () => "free again")).toBe("free again");
});
