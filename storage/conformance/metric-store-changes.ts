import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { expect, test } from "vitest";
import { sampleHistogram } from "./example-histogram.ts";
import { metricBatchOf } from "./metric-batch-of.ts";
import { type Given, MINUTE, OTHER_TENANT, T } from "./metric-store-fixture.ts";

const ALL = { startMs: T - 60 * MINUTE, endMs: T + 60 * MINUTE };
const covers = (ranges: readonly TimeRange[] | undefined, timeMs: number) =>
  (ranges ?? []).some(({ startMs, endMs }) => startMs <= timeMs && timeMs <= endMs);

/** Only of stores that say what changed. They may say too much, never too little. */
export function describeChanges(given: Given): void {
  test("what was written since is among the changes, for its tenant only", async ({ skip }) => {
    const { store } = given();
    const { changes } = store;
    if (!changes) return skip();
    const before = await changes.version(DEFAULT_TENANT);
    const rows = [
      { labels: { a: "1" }, samples: [[T, 1]] },
      { labels: { h: "1" }, samples: [[T - 30 * MINUTE, sampleHistogram(1)]] },
    ] as const;
    await store.append(DEFAULT_TENANT, metricBatchOf(rows), 1);
    const { ranges, version: after } = await changes.since(DEFAULT_TENANT, before, ALL);
    expect([T, T - 30 * MINUTE].every((timeMs) => covers(ranges, timeMs))).toBe(true);
    expect(ranges.every(({ startMs, endMs }) => startMs >= ALL.startMs && endMs <= ALL.endMs)).toBe(true);
    expect(after).not.toEqual(before);
    expect((await changes.since(DEFAULT_TENANT, after, ALL)).ranges).toEqual([]);
    expect((await changes.since(OTHER_TENANT, await changes.version(OTHER_TENANT), ALL)).ranges).toEqual([]);
  });

  test("a late sample changes its own time and leaves others alone; flushing changes nothing", async ({ skip }) => {
    const { store } = given();
    const { changes } = store;
    if (!changes) return skip();
    const write = (timeMs: number, position: number) =>
      store.append(DEFAULT_TENANT, metricBatchOf([{ labels: { a: "1" }, samples: [[timeMs, position]] }]), position);
    await write(T, 1);
    const version = await changes.version(DEFAULT_TENANT);
    await store.flush();
    expect((await changes.since(DEFAULT_TENANT, version, ALL)).ranges).toEqual([]);
    await write(T - 20 * MINUTE, 2);
    const { ranges } = await changes.since(DEFAULT_TENANT, version, ALL);
    expect(covers(ranges, T - 20 * MINUTE)).toBe(true);
    expect(covers(ranges, T)).toBe(false);
  });
}
