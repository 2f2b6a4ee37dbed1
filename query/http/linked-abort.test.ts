import { expect, test, vi } from "vitest";
import { LinkedAbort } from "./linked-abort.ts";

test("aborts with its parent and for the same reason", () => {
  const parent = new AbortController();
  const linked = new LinkedAbort(parent.signal);
  parent.abort("gone");
  expect(linked.signal.reason).toBe("gone");
  expect(new LinkedAbort(parent.signal).signal.reason).toBe("gone");
});

test("aborts on its own, and the parent does not", () => {
  const parent = new AbortController();
  const linked = new LinkedAbort(parent.signal);
  linked.abort("enough");
  expect(linked.signal.reason).toBe("enough");
  expect(parent.signal.aborted).toBe(false);
});

test("aborts when its time is up", () => {
  vi.useFakeTimers();
  try {
    const linked = new LinkedAbort(new AbortController().signal, 20);
    vi.advanceTimersByTime(19);
    expect([linked.signal.aborted, linked.timedOut]).toEqual([false, false]);
    vi.advanceTimersByTime(1);
    expect([linked.signal.aborted, linked.timedOut]).toEqual([true, true]);
  } finally {
    vi.useRealTimers();
  }
});

test("hears of nothing after it was released", () => {
  const parent = new AbortController();
  const linked = new LinkedAbort(parent.signal, 0);
  linked.release();
  parent.abort("gone");
  expect(linked.signal.aborted).toBe(false);
});
