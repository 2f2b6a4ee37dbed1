import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { MemoryGuard } from "./memory-guard.ts";

const MIB = 2 ** 20;

/** A guard of 1000 MiB whose process takes what the test says. */
function guarded() {
  const state = { rssMib: 100, heapMib: 50, nowMs: 0, collections: 0, isHurried: false };
  const registry = new Registry();
  const guard = new MemoryGuard({
    limitBytes: 1_000 * MIB,
    registry,
    logger: SILENT_LOGGER,
    rssBytes: () => state.rssMib * MIB,
    heapUse: () => 0,
    heapBytes: () => state.heapMib * MIB,
    collectGarbage: () => {
      state.collections++;
    },
    isHurried: () => state.isHurried,
    nowMs: () => state.nowMs,
  });
  const part = (name: string, mib: number) => {
    const made = {
      name,
      flushes: 0,
      shrinks: 0,
      done: () => {},
      memoryBytes: () => mib * MIB,
      shrink: () => {},
      flush,
    };
    made.shrink = () => {
      made.shrinks++;
    };
    async function flush(): Promise<void> {
      made.flushes++;
      await new Promise<void>((resolve) => {
        made.done = resolve;
      });
    }
    guard.add(made);
    return made;
  };
  return { guard, state, part, registry };
}

test("far from the limit nothing is done", () => {
  const { guard, part } = guarded();
  const head = part("head", 90);
  guard.sample();
  expect(guard.pressure).toBe("none");
  expect(head.flushes + head.shrinks).toBe(0);
  guard.writes.admit(MIB);
  guard.queries.admit(0);
});

test("first the largest part is flushed, one at a time", async () => {
  const { guard, part, state } = guarded();
  const small = part("small", 50);
  const large = part("large", 300);
  state.rssMib = 550;
  guard.sample();
  guard.sample();
  expect([small.flushes, large.flushes]).toEqual([0, 1]);
  large.done();
  await new Promise(setImmediate);
  guard.sample();
  expect([small.flushes, large.flushes]).toEqual([1, 1]);
  expect(large.shrinks).toBe(0);
});

test("what holds next to nothing is not flushed", () => {
  const { guard, part, state } = guarded();
  const tiny = part("tiny", 1);
  state.rssMib = 990;
  guard.sample();
  expect(tiny.flushes).toBe(0);
});

test("then garbage is collected and caches let go, not at every look", () => {
  const { guard, part, state } = guarded();
  const cache = part("cache", 100);
  guard.sample();
  state.rssMib = 650;
  state.heapMib = 250;
  guard.sample();
  guard.sample();
  expect([cache.shrinks, state.collections]).toEqual([1, 1]);
  state.nowMs += 6_000;
  state.heapMib = 450;
  guard.sample();
  expect([cache.shrinks, state.collections]).toEqual([2, 2]);
});

test("no garbage is collected when there can't be much", () => {
  const { guard, state } = guarded();
  guard.sample();
  state.rssMib = 800;
  state.heapMib = 120;
  guard.sample();
  expect(state.collections).toBe(0);
  state.rssMib = 950;
  guard.sample();
  expect(state.collections).toBe(1);
});

test("collecting waits for a moment without queries, but not for ever", () => {
  const { guard, state } = guarded();
  state.rssMib = 650;
  const collectedAt = (nowMs: number, isHurried: boolean) => {
    state.heapMib += 250;
    state.nowMs = nowMs;
    state.isHurried = isHurried;
    guard.sample();
    return state.collections;
  };
  guard.sample();
  expect(collectedAt(0, false)).toBe(1);
  expect(collectedAt(6_000, true)).toBe(1);
  expect(collectedAt(7_000, false)).toBe(2);
  expect(collectedAt(16_000, true)).toBe(2);
  expect(collectedAt(17_000, true)).toBe(3);
});

test("then writes are refused in words that name the setting, and may come again", () => {
  const { guard, state } = guarded();
  state.rssMib = 870;
  guard.sample();
  expect(() => guard.writes.admit(1)).toThrow(/870 MiB of the 1000 MiB that memory_limit allows/);
  expect(() => guard.writes.admit(1)).toThrow(expect.objectContaining({ name: "TooManyRequestsError" }));
  guard.queries.admit(0);
  state.rssMib = 600;
  guard.sample();
  guard.writes.admit(1);
});

test("at last queries are refused, too", async () => {
  const { guard, state, registry } = guarded();
  state.rssMib = 960;
  guard.sample();
  expect(() => guard.queries.admit(0)).toThrow(expect.objectContaining({ name: "UnavailableError" }));
  expect(await registry.getSingleMetricAsString("sightline_memory_refused_requests_total")).toContain(
    'kind="query"} 1',
  );
});

test("what would go over the limit before the next look is refused", () => {
  const { guard, state } = guarded();
  state.rssMib = 650;
  guard.sample();
  guard.writes.admit(100 * MIB);
  expect(() => guard.writes.admit(100 * MIB)).toThrow(/memory_limit/);
  guard.sample();
  guard.writes.admit(100 * MIB);
});

test("when refusing does not help, a little is let in", () => {
  const { guard, state } = guarded();
  state.rssMib = 800;
  guard.sample();
  expect(() => guard.writes.admit(1)).toThrow(/memory_limit/);
  state.nowMs += 20_000;
  guard.sample();
  guard.writes.admit(10 * MIB);
  expect(() => guard.writes.admit(MIB)).toThrow(/memory_limit/);
  guard.sample();
  guard.writes.admit(MIB / 8);
  guard.writes.admit(MIB / 8);
  expect(() => guard.writes.admit(MIB / 8)).toThrow(/memory_limit/);
  state.rssMib = 870;
  guard.sample();
  expect(() => guard.writes.admit(1)).toThrow(/memory_limit/);
});
