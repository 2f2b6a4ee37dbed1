import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { MemoryResultsCache } from "./memory-results-cache.ts";

const result = { version: 1, extents: [] };

test("what was not used for longest goes first, and is counted", async () => {
  const registry = new Registry();
  const cache = new MemoryResultsCache({ maxBytes: 1_000, registry });
  for (const key of ["a", "b", "c", "d"]) await cache.put(key, result, 220);
  expect(await cache.get("a")).toBe(result);
  await cache.put("e", result, 220);
  expect(await Promise.all(["a", "b", "c", "d", "e"].map(async (key) => (await cache.get(key)) !== undefined))).toEqual(
    [true, false, true, true, true],
  );
  const metrics = await registry.metrics();
  expect(metrics).toContain("sightline_results_cache_evicted_total 1");
  expect(metrics).toContain("sightline_results_cache_bytes 888");
  expect(metrics).toContain("sightline_results_cache_entries 4");
});

test("a result that replaces another takes its place and no more", async () => {
  const cache = new MemoryResultsCache({ maxBytes: 1_000 });
  for (let i = 0; i < 10; i++) await cache.put("a", result, 200);
  expect(cache.bytes).toBe(202);
});

test("a result that would push out most others is not kept, and what was under its key is gone", async () => {
  const cache = new MemoryResultsCache({ maxBytes: 1_000 });
  await cache.put("a", result, 10);
  await cache.put("a", result, 251);
  expect(await cache.get("a")).toBeUndefined();
  expect(cache.bytes).toBe(0);
});

test("when memory is short the half that was used longest ago goes", async () => {
  const cache = new MemoryResultsCache({ maxBytes: 1_000 });
  for (const key of ["a", "b", "c", "d"]) await cache.put(key, result, 98);
  await cache.get("a");
  expect(cache.memoryPart.memoryBytes()).toBe(400);
  cache.memoryPart.shrink?.();
  expect(cache.memoryPart.memoryBytes()).toBe(200);
  expect(await cache.get("a")).toBeDefined();
  expect(await cache.get("c")).toBeUndefined();
});
