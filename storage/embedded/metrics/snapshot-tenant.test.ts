import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT, tenantId } from "@sightline/model/tenant.ts";
import { metricBatchOf } from "@sightline/storage-conformance/metric-batch-of.ts";
import { EVERYTHING, NO_SIGNAL, onlySamples, requestOf } from "@sightline/storage-conformance/metric-rows.ts";
import { Registry } from "prom-client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { embeddedMetricsConfig } from "../config.ts";
import { EmbeddedMetricStore } from "./embedded-metric-store.ts";

const T = Math.floor(Date.now() / 1000) * 1000 - 3_600_000;
const OTHER = tenantId("other");
const A = [{ name: "a", op: "=", value: "1" }] as const;

let root: string;
const stores: EmbeddedMetricStore[] = [];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "snapshot-"));
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.stop();
  await rm(root, { recursive: true });
});

async function open(dir: string): Promise<EmbeddedMetricStore> {
  const config = embeddedMetricsConfig.parse({});
  const store = new EmbeddedMetricStore({ dir, config, logger: SILENT_LOGGER, registry: new Registry() });
  await store.start();
  stores.push(store);
  return store;
}

const batch = (...times: number[]) =>
  metricBatchOf([{ labels: { a: "1" }, samples: times.map((i) => [T + i, i] as const) }], {
    metadata: [{ metric: "a", type: "gauge", unit: "", help: "first" }],
  });
const snapshot = async (store: EmbeddedMetricStore, name: string, skipMemory: boolean) => {
  const dir = join(root, name);
  await store.administration.snapshot(DEFAULT_TENANT, dir, { skipMemory });
  return dir;
};

test("a store starts on a snapshot: it has samples, deletions, exemplars and metadata of that tenant then, and takes new ones", async () => {
  const store = await open(join(root, "store"));
  await store.append(DEFAULT_TENANT, batch(1, 2, 3), 100);
  await store.append(OTHER, batch(9), 101);
  await store.administration.deleteSamples({
    tenant: DEFAULT_TENANT,
    matchers: A,
    range: { ...EVERYTHING, endMs: T + 1 },
  });
  await store.append(DEFAULT_TENANT, batch(4), 102);
  const dir = await snapshot(store, "copy", false);
  await store.administration.deleteSamples({ tenant: DEFAULT_TENANT, matchers: A, range: EVERYTHING });
  await store.administration.purgeDeleted(DEFAULT_TENANT);

  const copy = await open(dir);
  expect(await onlySamples(copy)).toEqual([2, 3, 4].map((i) => [T + i, i]));
  expect(await copy.metadata(DEFAULT_TENANT)).toMatchObject([{ metric: "a", help: "first" }]);
  expect(await copy.series(requestOf({ tenant: OTHER }), NO_SIGNAL)).toEqual([]);
  // The log of a new server begins at the front: its positions say nothing about what the snapshot has.
  await copy.append(DEFAULT_TENANT, batch(5), 1);
  await copy.administration.purgeDeleted(DEFAULT_TENANT);
  expect(await onlySamples(copy)).toEqual([2, 3, 4, 5].map((i) => [T + i, i]));
  expect(await onlySamples(store)).toEqual([]);
});

test("without memory, what has not been flushed is left out", async () => {
  const store = await open(join(root, "store"));
  await store.append(DEFAULT_TENANT, batch(1), 1);
  await store.flush();
  await store.append(DEFAULT_TENANT, batch(2), 2);
  expect(await onlySamples(await open(await snapshot(store, "disk", true)))).toEqual([[T + 1, 1]]);
  expect(await onlySamples(await open(await snapshot(store, "all", false)))).toEqual([1, 2].map((i) => [T + i, i]));
  expect(await onlySamples(store)).toEqual([1, 2].map((i) => [T + i, i]));
});

test("freeing the space of deleted samples leaves no file with them", async () => {
  const store = await open(join(root, "store"));
  await store.append(DEFAULT_TENANT, batch(1, 2), 1);
  await store.administration.deleteSamples({ tenant: DEFAULT_TENANT, matchers: A, range: EVERYTHING });
  const blocks = async () =>
    (await readdir(join(root, "store", DEFAULT_TENANT))).filter((file) => file.endsWith(".block"));
  expect(await blocks()).toHaveLength(1);
  await store.administration.purgeDeleted(DEFAULT_TENANT);
  expect(await blocks()).toEqual([]);
});
