import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { expect, test } from "vitest";
import { metricBatchOf } from "./metric-batch-of.ts";
import { onlySamples } from "./metric-rows.ts";
import { type Given, OTHER_TENANT, T } from "./metric-store-fixture.ts";

export function describeRestart(given: Given): void {
  const batch = (i: number) => metricBatchOf([{ labels: { a: "1" }, samples: [[T + i, i]] }]);

  test("what is flushed survives, and a replay doubles nothing and loses nothing", async () => {
    const { store, fixture } = given();
    expect(store.firstUnflushedPosition()).toBeUndefined();
    await store.append(DEFAULT_TENANT, batch(1), 11);
    await store.append(DEFAULT_TENANT, batch(2), 12);
    expect(store.firstUnflushedPosition()).toBe(11);
    await store.flush();
    expect(store.firstUnflushedPosition() ?? 13).toBeGreaterThan(12);
    await store.append(DEFAULT_TENANT, batch(3), 13);
    await store.append(OTHER_TENANT, batch(4), 14);
    expect(store.firstUnflushedPosition()).toBe(13);

    const reopened = await fixture.reopen();
    expect(await onlySamples(reopened)).toEqual([
      [T + 1, 1],
      [T + 2, 2],
    ]);
    // Other content under a durable position is not looked at: the position says that it is known.
    expect(await reopened.append(DEFAULT_TENANT, batch(99), 11)).toEqual({ accepted: 1, rejected: [] });
    await reopened.append(DEFAULT_TENANT, batch(2), 12);
    await reopened.append(DEFAULT_TENANT, batch(3), 13);
    await reopened.append(OTHER_TENANT, batch(4), 14);
    expect(await onlySamples(reopened)).toEqual([1, 2, 3].map((i) => [T + i, i]));
    expect(await onlySamples(reopened, { tenant: OTHER_TENANT })).toEqual([[T + 4, 4]]);
  });

  test("stop flushes, and is safe to call again", async () => {
    const { store, fixture } = given();
    await store.append(DEFAULT_TENANT, batch(1), 1);
    await store.stop();
    await store.stop();
    expect(await onlySamples(await fixture.reopen())).toEqual([[T + 1, 1]]);
  });

  test("what is appended while a flush runs is not lost, nor taken for durable", async () => {
    const { store, fixture } = given();
    await store.append(DEFAULT_TENANT, batch(1), 1);
    const flushing = store.flush();
    await store.append(DEFAULT_TENANT, batch(2), 2);
    expect(await onlySamples(store)).toHaveLength(2);
    await flushing;
    expect(store.firstUnflushedPosition() ?? 3).toBeGreaterThan(1);
    const reopened = await fixture.reopen();
    for (const i of [1, 2]) await reopened.append(DEFAULT_TENANT, batch(i), i);
    expect(await onlySamples(reopened)).toEqual([1, 2].map((i) => [T + i, i]));
  });
}
