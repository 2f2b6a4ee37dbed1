import { UnavailableError } from "@sightline/model/errors.ts";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { pollTail } from "./poll-tail.ts";

const BEGAN_MS = 1_000_000;
let abort: AbortController;
let looks: { fromS: number; toS: number }[];
let isFed: boolean;
let failure: Error | undefined;

/** Seconds after the beginning. */
const seconds = (timeNs: bigint) => (Number(timeNs / 1_000_000n) - BEGAN_MS) / 1_000;

function start(floorNs = 0n): Promise<unknown> {
  const look = async ({ startNs, endNs }: TimeRangeNs) => {
    if (failure) throw failure;
    looks.push({ fromS: seconds(startNs), toS: seconds(endNs) });
  };
  const { signal } = abort;
  return pollTail({ isFed: () => isFed, sinceMs: BEGAN_MS, floorNs, look, nowMs: Date.now, signal }).catch(
    (error) => error,
  );
}

beforeEach(() => {
  vi.useFakeTimers({ now: BEGAN_MS, toFake: ["Date", "setTimeout", "clearTimeout"] });
  [abort, looks, isFed, failure] = [new AbortController(), [], false, undefined];
});
afterEach(() => {
  abort.abort();
  vi.useRealTimers();
});

test("looks each second, for lines that came up to 20 seconds late, too", async () => {
  void start();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(looks).toEqual([
    { fromS: -20, toS: 61 },
    { fromS: -19, toS: 62 },
  ]);
});

test("looks for nothing from before the floor", async () => {
  void start(BigInt(BEGAN_MS - 5_000) * 1_000_000n);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(looks).toEqual([{ fromS: -5, toS: 61 }]);
});

test("asks for nothing while all is handed over, and then from when it last was", async () => {
  isFed = true;
  void start();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(looks).toEqual([]);
  isFed = false;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(looks).toEqual([{ fromS: 40, toS: 121 }]);
});

test("makes up for what could not be asked while the store was away", async () => {
  failure = new UnavailableError("away", { retryAfterMs: 1_000 });
  void start();
  await vi.advanceTimersByTimeAsync(60_000);
  failure = undefined;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(looks).toEqual([{ fromS: -20, toS: 121 }]);
});

test("ends with what is no outage", async () => {
  failure = new Error("a mistake");
  const ended = start();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await ended).toBe(failure);
});
