import { mkdtemp, rename, rm } from "node:fs/promises";
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

const NOW = Date.now();
let dir: string;
let store: EmbeddedMetricStore;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "full-head-"));
  const config = embeddedMetricsConfig.parse({ head: { max_samples: 2 } });
  store = new EmbeddedMetricStore({ dir, config, logger: SILENT_LOGGER, registry: new Registry(), nowMs: () => NOW });
  await store.start();
  await append(1);
});
afterEach(async () => {
  await store.stop();
  await rm(dir, { recursive: true });
});

/** Two samples, which is all that a head holds. */
function append(position: number): Promise<unknown> {
  const samples = [0, 1].map((i) => [NOW + 2 * position + i - 100, position] as const);
  return store.append(DEFAULT_TENANT, metricBatchOf([{ labels: { __name__: "a" }, samples }]), position);
}

test("while the head before is being written a full one is busy, and nothing of what it refused is kept", async () => {
  await append(2);
  await expect(append(3)).rejects.toMatchObject({ name: "UnavailableError", isBusy: true });
  await store.flush();
  await append(3);
  expect((await onlySamples(store)).map(([, value]) => value)).toEqual([1, 1, 2, 2, 3, 3]);
});

test("when the head before can't be written the store is not busy but unavailable, until it can", async () => {
  await store.flush();
  const [tenantDir, away] = [join(dir, DEFAULT_TENANT), join(dir, "away")];
  await rename(tenantDir, away);
  await append(2);
  await expect(store.flush()).rejects.toThrow("write the samples in memory");
  await append(3);
  await expect(append(4)).rejects.toMatchObject({ name: "UnavailableError", isBusy: false });
  await rename(away, tenantDir);
  await store.flush();
  await append(4);
  expect((await onlySamples(store)).map(([, value]) => value)).toEqual([1, 1, 2, 2, 3, 3, 4, 4]);
});
