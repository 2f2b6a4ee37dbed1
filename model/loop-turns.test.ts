import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { backgroundTurn, beginQuery, lull, queriesHurry, shareBesideQueries } from "./loop-turns.ts";

afterEach(() => {
  vi.useRealTimers();
});

test("a query is in a hurry until it is answered, and not for ever", () => {
  vi.useFakeTimers();
  expect(queriesHurry()).toBe(false);
  const [endFirst, endSecond] = [beginQuery(), beginQuery()];
  endFirst();
  expect(queriesHurry()).toBe(true);
  endSecond();
  expect(queriesHurry()).toBe(false);
  const end = beginQuery();
  vi.advanceTimersByTime(10_000);
  expect(queriesHurry()).toBe(false);
  end();
});

test("background jobs go on one after the other while a query runs, and in the order they came", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const end = beginQuery();
  const order: string[] = [];
  const jobs = ["first", "second", "third"].map(async (name) => {
    await backgroundTurn();
    order.push(name);
  });
  await nextTurn();
  expect(order).toEqual([]);
  await vi.advanceTimersByTimeAsync(40);
  expect(order).toEqual(["first"]);
  end();
  await vi.advanceTimersByTimeAsync(40);
  await Promise.all(jobs);
  expect(order).toEqual(["first", "second", "third"]);
});

test("without queries background jobs go on in the next turn", async () => {
  let isDone = false;
  void backgroundTurn().then(() => {
    isDone = true;
  });
  await nextTurn();
  await nextTurn();
  expect(isDone).toBe(true);
});

test("what can wait goes on a moment after the last answer, but does not wait for ever", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const waited: string[] = [];
  const end = beginQuery();
  void lull(10_000).then(() => waited.push("patient"));
  void lull(500).then(() => waited.push("impatient"));
  await vi.advanceTimersByTimeAsync(400);
  expect(waited).toEqual([]);
  await vi.advanceTimersByTimeAsync(200);
  expect(waited).toEqual(["impatient"]);
  end();
  await vi.advanceTimersByTimeAsync(50);
  expect(waited).toEqual(["impatient"]);
  await vi.advanceTimersByTimeAsync(100);
  expect(waited).toEqual(["impatient", "patient"]);
});

test("what is taken in has to leave more time while the turns of queries come late", async () => {
  // Whatever tests before it have left in this thread.
  await vi.waitFor(() => expect(shareBesideQueries()).toBe(1), 60_000);
  // On a clock of its own: a query that takes seconds is in no hurry any more.
  vi.useFakeTimers({ toFake: ["performance"] });
  const end = beginQuery();
  const atFirst = shareBesideQueries();
  expect(atFirst).toBe(0.4);
  for (let turn = 0; turn < 20; turn++) {
    vi.advanceTimersByTime(50);
    // Whoever looks every 10 ms has looked then.
    await sleep(15);
  }
  expect(shareBesideQueries()).toBeLessThan(atFirst);
  expect(shareBesideQueries()).toBeGreaterThan(0.1);
  end();
});
