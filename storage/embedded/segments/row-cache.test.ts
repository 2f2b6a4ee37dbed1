import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DuckDatabase } from "./duck-database.ts";
import { RowCache } from "./row-cache.ts";
import { SegmentDirectory } from "./segment-directory.ts";

let dir: string;
let database: DuckDatabase;
let cache: RowCache;
let isAtRest = false;
const tidy = vi.fn(async () => {});

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "row-cache-"));
  database = await DuckDatabase.open({ dir, temporary: "tmp", memoryLimitBytes: 1 << 26, threads: 1 });
  const directory = await SegmentDirectory.open(dir, SILENT_LOGGER);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  tidy.mockClear();
  isAtRest = false;
  cache = new RowCache({
    database,
    directory,
    maxBytes: 1 << 20,
    isSound: async () => true,
    tidy,
    isAtRest: () => isAtRest,
    logger: SILENT_LOGGER,
  });
});
afterEach(async () => {
  await cache.stop();
  vi.useRealTimers();
  database.close();
  await rm(dir, { recursive: true });
});

test("what was written is merged before it is copied, once it is quiet", async () => {
  cache.changed();
  await vi.advanceTimersByTimeAsync(9_000);
  cache.changed();
  await vi.advanceTimersByTimeAsync(9_000);
  expect(tidy).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(tidy).toHaveBeenCalledTimes(1);
});

test("when no rows come in any more, it is quiet at once", async () => {
  cache.changed();
  await vi.advanceTimersByTimeAsync(1_000);
  isAtRest = true;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(tidy).toHaveBeenCalledTimes(1);
});

test("what merging itself has made is not merged again, later files are", async () => {
  tidy.mockImplementationOnce(async () => cache.changed());
  cache.changed();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(tidy).toHaveBeenCalledTimes(1);
  cache.changed();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(tidy).toHaveBeenCalledTimes(2);
});

test("at a start nothing is merged first", async () => {
  cache.opened();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(tidy).not.toHaveBeenCalled();
});
