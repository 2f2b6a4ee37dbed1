import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { metricBatchOf } from "@sightline/storage-conformance/metric-batch-of.ts";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { embeddedMetricsConfig } from "../config.ts";
import { EmbeddedMetricStore } from "./embedded-metric-store.ts";

async function withStore(cache: string, use: (store: EmbeddedMetricStore) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "quiet-preloads-"));
  const config = embeddedMetricsConfig.parse({ cache });
  const store = new EmbeddedMetricStore({ dir, config, logger: SILENT_LOGGER, registry: new Registry() });
  await store.start();
  try {
    await use(store);
  } finally {
    await store.stop();
    await rm(dir, { recursive: true });
  }
}

async function writeBlock(store: EmbeddedMetricStore, position: number): Promise<void> {
  const rows = Array.from({ length: 100 }, (_, i) => ({
    labels: { __name__: "a", i: String(i) },
    samples: [[Date.now() + position, position]] as const,
  }));
  const batch = metricBatchOf(rows);
  await store.append(DEFAULT_TENANT, batch, position);
  await store.flush();
}

const cachedBytes = ({ memoryParts }: EmbeddedMetricStore): number =>
  memoryParts.find(({ name }) => name === "metric_cache")?.memoryBytes() ?? 0;

test("what was written is read ahead once nothing comes for a second, each time", async () => {
  await withStore("16MiB", async (store) => {
    for (const position of [1, 2]) {
      const before = cachedBytes(store);
      await writeBlock(store, position);
      await expect.poll(() => cachedBytes(store), { timeout: 10_000 }).toBeGreaterThan(before);
    }
  });
});

test("no more than half of the cache is filled with what nobody asked for", async () => {
  await withStore("256KiB", async (store) => {
    for (let position = 1; position <= 12; position++) await writeBlock(store, position);
    await expect.poll(() => cachedBytes(store), { timeout: 10_000 }).toBeGreaterThan(100 * 1_024);
    await new Promise((resolve) => setTimeout(resolve, 500));
    // One part is read beyond it, at most.
    expect(cachedBytes(store)).toBeLessThan(192 * 1_024);
  });
});
