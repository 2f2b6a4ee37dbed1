import type { SharedCache } from "@sightline/model/shared-state.ts";
import { describe, expect, test } from "vitest";
import { MemoryResultsCache } from "./memory-results-cache.ts";
import type { CachedResult } from "./results-cache.ts";
import { SharedResultsCache } from "./shared-results-cache.ts";

class MapCache implements SharedCache {
  readonly maxBytes = 10_000;
  readonly kept = new Map<string, Uint8Array>();

  async get(key: string) {
    return this.kept.get(key);
  }

  async put(key: string, bytes: Uint8Array) {
    this.kept.set(key, bytes);
  }
}

const TIMES = Float64Array.of(1_000, 2_000);
const RESULT: CachedResult = {
  version: "server.00000001.731",
  extents: [
    {
      startMs: 1_000,
      endMs: 2_000,
      series: [
        { labels: [["a", "ä\ud800"]], timesMs: TIMES, values: Float64Array.of(-0, Number.NaN) },
        { labels: [], timesMs: TIMES, values: Float64Array.of(Number.POSITIVE_INFINITY, 5e-324) },
      ],
    },
  ],
};

describe("results in memory and in a cache that processes share", () => {
  const far = new MapCache();
  const process = () => new SharedResultsCache(new MemoryResultsCache({ maxBytes: 100_000 }), far);

  test("what one process put another one gets, to the bit", async () => {
    await process().put("key", RESULT, 500);
    const other = process();
    expect(await other.get("key")).toEqual(RESULT);
    expect(await other.get("other key")).toBeUndefined();
    // From then on from its own memory.
    far.kept.clear();
    expect(await other.get("key")).toEqual(RESULT);
  });

  test("what is too large stays in the memory of its process", async () => {
    const own = process();
    await own.put("large", RESULT, 20_000);
    expect(await own.get("large")).toEqual(RESULT);
    expect(far.kept.size).toBe(0);
  });

  test.each([
    ["nothing", Uint8Array.of()],
    ["noise", Uint8Array.of(255, 15, 111, 1, 2, 3)],
    ["text", Buffer.from("sightline")],
  ])("%s under the key is no result", async (_, bytes) => {
    await far.put("broken", bytes);
    expect(await process().get("broken")).toBeUndefined();
  });

  test("a result under another key is none of this query", async () => {
    await process().put("one", RESULT, 500);
    await far.put("two", far.kept.get("one") as Uint8Array);
    expect(await process().get("two")).toBeUndefined();
  });
});
