import { DEFAULT_TENANT, tenantId } from "@sightline/model/tenant.ts";
import { expect, test } from "vitest";
import { type HotBatch, HotRows } from "./hot-rows.ts";

const OTHER = tenantId("other");
const batch = (position: number, rows: number, tenant = DEFAULT_TENANT): HotBatch<string> => ({
  tenant,
  batch: `${position}`,
  position,
  rows: new Uint32Array(rows),
  bytes: 10 * rows,
  minNs: 0n,
  maxNs: 0n,
  arrivedMs: 0,
  ingestedAtMs: 0,
});
const positions = (batches: readonly HotBatch<string>[]) => batches.map(({ position }) => position);

test("a portion has the oldest batches, one at least, and all of a position", () => {
  const hot = new HotRows<string>();
  for (const [position, rows] of [
    [1, 5],
    [2, 5],
    [2, 5],
    [3, 1],
  ] as const)
    hot.add(batch(position, rows));
  expect(positions(hot.portion(100, 99))).toEqual([1, 2, 2, 3]);
  expect(positions(hot.portion(10, 99))).toEqual([1, 2, 2]);
  expect(positions(hot.portion(1, 99))).toEqual([1]);
  expect(positions(hot.portion(100, 2))).toEqual([1, 2, 2]);
  expect(positions(hot.portion(100, 0))).toEqual([]);
  expect(positions(hot.portion(10, 99, 1))).toEqual([2, 2]);
  expect(positions(hot.portion(100, 99, 4))).toEqual([]);
});

test("what is dropped counts no more; lists that were given out stay", () => {
  const hot = new HotRows<string>();
  hot.add(batch(1, 2));
  hot.add(batch(2, 3, OTHER));
  const before = hot.batchesOf(DEFAULT_TENANT);
  hot.drop(1);
  expect([hot.rows, hot.bytes, hot.first?.position]).toEqual([3, 30, 2]);
  expect(positions(before)).toEqual([1]);
  expect(hot.batchesOf(DEFAULT_TENANT)).toEqual([]);
  hot.drop(1);
  expect([hot.rows, hot.bytes, hot.first]).toEqual([0, 0, undefined]);
});
