import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { metricBatchOf } from "@sightline/storage-conformance/metric-batch-of.ts";
import { onlySamples } from "@sightline/storage-conformance/metric-rows.ts";
import { Registry } from "prom-client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { embeddedMetricsConfig } from "../config.ts";
import { EmbeddedMetricStore } from "./embedded-metric-store.ts";

const DAY_MS = 86_400_000;
const NOW = Math.floor(Date.now() / DAY_MS) * DAY_MS + DAY_MS / 2;
let dir: string;
let tenantDir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "block-faults-"));
  tenantDir = join(dir, DEFAULT_TENANT);
});
afterEach(() => rm(dir, { recursive: true }));

async function openStore(nowMs = NOW) {
  const registry = new Registry();
  const config = embeddedMetricsConfig.parse({ head: { max_age: "1d" } });
  const store = new EmbeddedMetricStore({ dir, config, logger: SILENT_LOGGER, registry, nowMs: () => nowMs });
  await store.start();
  const metric = async (name: string) =>
    (await registry.getSingleMetric(`sightline_metric_store_${name}`)?.get())?.values[0]?.value;
  return { store, metric };
}

/** One block of yesterday and one of today. */
async function writeTwoBlocks(): Promise<void> {
  const { store } = await openStore();
  const samples = [
    [NOW - DAY_MS, 1],
    [NOW, 2],
  ] as const;
  await store.append(DEFAULT_TENANT, metricBatchOf([{ labels: { __name__: "a" }, samples }]), 1);
  await store.stop();
}

/** Inverts one bit; a negative place counts from the end. */
function flip(place: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    const at = place < 0 ? bytes.length + place : place;
    (bytes[at] as number) ^= 1;
    return bytes;
  };
}

async function files(suffix: string): Promise<string[]> {
  return (await readdir(tenantDir)).filter((file) => file.endsWith(suffix)).sort();
}

test.each([
  ["a flipped byte in a page", flip(40)],
  ["a flipped byte in the index", flip(-60)],
  ["a flipped byte in the trailer", flip(-20)],
  ["a lost end", (bytes: Buffer) => bytes.subarray(0, -10)],
  ["nothing left", () => Buffer.alloc(0)],
])("a block with %s is put aside and the others are served", async (_, damage) => {
  await writeTwoBlocks();
  const [first] = await files(".block");
  const path = join(tenantDir, first as string);
  await writeFile(path, damage(await readFile(path)));
  const { store, metric } = await openStore();
  expect(await onlySamples(store)).toEqual([[NOW, 2]]);
  expect(await metric("corrupt_blocks_total")).toBe(1);
  expect(await files(".corrupt")).toEqual([`${first}.corrupt`]);
  await store.stop();
  expect(await onlySamples((await openStore()).store)).toEqual([[NOW, 2]]);
});

test("a damaged block does not keep the others from being merged", async () => {
  const { store: writer } = await openStore();
  for (let i = 0; i < 3; i++) {
    const samples = [[NOW - 3 * DAY_MS + i, i]] as const;
    await writer.append(DEFAULT_TENANT, metricBatchOf([{ labels: { __name__: "a" }, samples }]), i + 1);
    await writer.flush();
  }
  await writer.stop();
  const path = join(tenantDir, (await files(".block"))[1] as string);
  await writeFile(path, flip(40)(await readFile(path)));
  // One that has nothing of it in memory.
  const { store, metric } = await openStore();
  await store.maintain();
  expect(await files(".block")).toHaveLength(1);
  expect((await onlySamples(store)).map(([, value]) => value)).toEqual([0, 2]);
  expect(await metric("corrupt_blocks_total")).toBe(1);
});

test("a block that is gone does not hide the others", async () => {
  await writeTwoBlocks();
  const [first] = await files(".block");
  await rm(join(tenantDir, first as string));
  expect(await onlySamples((await openStore()).store)).toEqual([[NOW, 2]]);
});

test("blocks that no manifest names are deleted: their samples come again from the log", async () => {
  await writeTwoBlocks();
  const manifest = await readFile(join(tenantDir, "manifest"));
  const { store } = await openStore();
  await store.append(DEFAULT_TENANT, metricBatchOf([{ labels: { __name__: "a" }, samples: [[NOW + 1, 3]] }]), 2);
  await store.stop();
  // As if the process had died before the new manifest was written.
  await writeFile(join(tenantDir, "manifest"), manifest);
  await copyFile(join(tenantDir, "manifest"), join(tenantDir, "manifest.tmp"));
  expect(await files(".block")).toHaveLength(3);
  const { store: again } = await openStore();
  expect(await files(".block")).toHaveLength(2);
  expect(await files(".tmp")).toEqual([]);
  await again.append(DEFAULT_TENANT, metricBatchOf([{ labels: { __name__: "a" }, samples: [[NOW + 1, 3]] }]), 2);
  expect((await onlySamples(again)).map(([, value]) => value)).toEqual([1, 2, 3]);
});

test("a damaged manifest is made good from its copy", async () => {
  await writeTwoBlocks();
  const whole = await readFile(join(tenantDir, "manifest"));
  await truncate(join(tenantDir, "manifest"), 20);
  expect(await onlySamples((await openStore()).store)).toHaveLength(2);
  expect(await readFile(join(tenantDir, "manifest"))).toEqual(whole);
});

test("a manifest that is damaged like its copy stops the start, naming the file", async () => {
  await writeTwoBlocks();
  for (const file of ["manifest", "manifest.copy"]) await truncate(join(tenantDir, file), 20);
  await expect(openStore()).rejects.toThrow(join(tenantDir, "manifest"));
});

test("a failing disk is reported, loses nothing, and is tried again", async () => {
  const { store, metric } = await openStore();
  await store.append(DEFAULT_TENANT, metricBatchOf([{ labels: { __name__: "a" }, samples: [[NOW, 1]] }]), 1);
  await rm(tenantDir, { recursive: true });
  await writeFile(tenantDir, "in the way");
  await expect(store.flush()).rejects.toThrow("write the samples in memory");
  await store.append(DEFAULT_TENANT, metricBatchOf([{ labels: { __name__: "a" }, samples: [[NOW + 1, 2]] }]), 2);
  expect(store.firstUnflushedPosition()).toBe(1);
  expect(await metric("failures_total")).toBe(1);
  const want = [
    [NOW, 1],
    [NOW + 1, 2],
  ];
  expect(await onlySamples(store)).toEqual(want);
  await rm(tenantDir);
  await mkdir(tenantDir);
  await store.flush();
  expect(store.firstUnflushedPosition()).toBeUndefined();
  expect(await onlySamples((await openStore()).store)).toEqual(want);
});

test("blocks older than the retention are deleted as a whole", async () => {
  await writeTwoBlocks();
  const { store, metric } = await openStore(NOW + 14.6 * DAY_MS);
  await store.maintain();
  expect(await onlySamples(store)).toEqual([[NOW, 2]]);
  expect(await metric("removed_blocks_total")).toBe(1);
  expect(await files(".block")).toHaveLength(1);
});

test("samples older than the retention are refused, naming the setting", async () => {
  const { store } = await openStore();
  const batch = metricBatchOf([{ labels: { __name__: "a" }, samples: [[0, 1]] }]);
  const { rejected } = await store.append(DEFAULT_TENANT, batch, 1);
  expect(rejected).toMatchObject([{ reason: "too_old", count: 1 }]);
  expect(rejected[0]?.message).toContain("storage.metrics.retention");
});

test("old heads are cut and days that are over are merged", async () => {
  const { store } = await openStore();
  for (let i = 0; i < 3; i++) {
    const samples = [[NOW - 3 * DAY_MS + i, i]] as const;
    await store.append(DEFAULT_TENANT, metricBatchOf([{ labels: { __name__: "a" }, samples }]), i + 1);
    await store.flush();
  }
  expect(await files(".block")).toHaveLength(3);
  await store.maintain();
  expect(await files(".block")).toHaveLength(1);
  expect((await onlySamples(store)).map(([, value]) => value)).toEqual([0, 1, 2]);
});
