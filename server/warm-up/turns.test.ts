import { expect, test, vi } from "vitest";
import { Turns } from "./turns.ts";

const STEP_MS = 8;

function work(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

/** The share of the time that steps take until there have been so many milliseconds of them. */
async function shareOf(turns: Turns, maxMs: number): Promise<number> {
  await turns.next();
  const [beganMs, before] = [performance.now(), turns.workedMs];
  while (turns.workedMs - before < maxMs) {
    work(STEP_MS);
    await turns.next();
  }
  return (turns.workedMs - before) / (performance.now() - beganMs);
}

/** Keeps the event loop busy for most of the time until it is called back. */
function othersWork(): () => void {
  const timer = setInterval(() => work(STEP_MS), STEP_MS + 1);
  return () => clearInterval(timer);
}

/** It takes a moment to find out; vitest may have work, too. */
const LONG = { timeout: 30_000 };

test("step comes after step while nobody else has work", async () => {
  const turns = new Turns(undefined, new AbortController().signal);
  await vi.waitFor(async () => expect(await shareOf(turns, 300)).toBeGreaterThan(0.6), LONG);
});

test("while others work it takes about a tenth of the time, and all of it again when they have done", async () => {
  const turns = new Turns(undefined, new AbortController().signal);
  const stop = othersWork();
  await vi.waitFor(async () => expect(await shareOf(turns, 100)).toBeLessThan(0.15), LONG);
  stop();
  await vi.waitFor(async () => expect(await shareOf(turns, 300)).toBeGreaterThan(0.6), LONG);
});

test("nobody waits for a turn any more once it is over", async () => {
  const controller = new AbortController();
  const turns = new Turns({ idleMs: 0 }, controller.signal);
  const waiting = turns.next();
  controller.abort(new Error("over"));
  await expect(waiting).rejects.toThrow();
  await expect(turns.next()).rejects.toThrow("over");
});
