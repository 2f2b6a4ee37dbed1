import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { describeMetricStore } from "@sightline/storage-conformance/metric-store.ts";
import { Registry } from "prom-client";
import { embeddedMetricsConfig } from "../config.ts";
import { EmbeddedMetricStore } from "./embedded-metric-store.ts";

async function openStore(dir: string): Promise<EmbeddedMetricStore> {
  const config = embeddedMetricsConfig.parse({});
  const store = new EmbeddedMetricStore({ dir, config, logger: SILENT_LOGGER, registry: new Registry() });
  await store.start();
  return store;
}

describeMetricStore("EmbeddedMetricStore", async () => {
  const dir = await mkdtemp(join(tmpdir(), "metric-store-"));
  return {
    store: await openStore(dir),
    reopen: () => openStore(dir),
    dispose: () => rm(dir, { recursive: true }),
  };
});
