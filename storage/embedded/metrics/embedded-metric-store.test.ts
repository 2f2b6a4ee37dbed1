import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { UnavailableError } from "@sightline/model/errors.ts";
import { type Logger, SILENT_LOGGER } from "@sightline/model/logger.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import type { AppendResult } from "@sightline/model/ports.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { describeMetricStore } from "@sightline/storage-conformance/metric-store.ts";
import type { MetricStoreFixture } from "@sightline/storage-conformance/metric-store-fixture.ts";
import { Registry } from "prom-client";
import { expect } from "vitest";
import { embeddedMetricsConfig } from "../config.ts";
import { EmbeddedMetricStore } from "./embedded-metric-store.ts";

type StoreClass = typeof EmbeddedMetricStore;
type Settings = Parameters<typeof embeddedMetricsConfig.parse>[0];

/** A damaged block or a failed merge would be nothing but a message: here it fails the test. */
function fixtureOf(Store: StoreClass, settings: Settings): () => Promise<MetricStoreFixture> {
  return async () => {
    const root = await mkdtemp(join(tmpdir(), "metric-store-"));
    const errors: unknown[] = [];
    const logger: Logger = { ...SILENT_LOGGER, error: (message, fields) => errors.push(message, fields) };
    const stores: EmbeddedMetricStore[] = [];
    const dirOf = (n: number) => join(root, String(n));
    const open = async () => {
      const config = embeddedMetricsConfig.parse(settings);
      const store = new Store({ dir: dirOf(stores.length), config, logger, registry: new Registry() });
      stores.push(store);
      await store.start();
      return store;
    };
    return {
      store: await open(),
      reopen: async () => {
        await copyAsIs(dirOf(stores.length - 1), dirOf(stores.length));
        return open();
      },
      dispose: async () => {
        for (const store of stores) await store.stop();
        await rm(root, { recursive: true });
        expect(errors).toEqual([]);
      },
    };
  };
}

/** What a crash at some moment of the copying would leave, whatever the store is doing meanwhile. */
async function copyAsIs(from: string, to: string): Promise<void> {
  for (const tenant of await readdir(from)) {
    for (let manifest = "?"; manifest !== (await contentOf(join(from, tenant, "manifest"))); ) {
      manifest = await contentOf(join(from, tenant, "manifest"));
      await rm(join(to, tenant), { recursive: true, force: true });
      await mkdir(join(to, tenant), { recursive: true });
      for (const file of await readdir(join(from, tenant))) {
        await copyFile(join(from, tenant, file), join(to, tenant, file)).catch(() => {});
      }
    }
  }
}

function contentOf(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}

/** Merges at every flush, and waits where a caller would try again. */
class BusyStore extends EmbeddedMetricStore {
  override async flush(): Promise<void> {
    await super.flush();
    await this.maintain();
  }

  override async append(tenant: TenantId, batch: MetricBatch, position: number): Promise<AppendResult> {
    for (;;) {
      try {
        return await super.append(tenant, batch, position);
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
        await setTimeout(1);
      }
    }
  }
}

describeMetricStore("EmbeddedMetricStore", fixtureOf(EmbeddedMetricStore, {}));
describeMetricStore(
  "EmbeddedMetricStore with a full head, eager merging and no cache",
  fixtureOf(BusyStore, { head: { max_samples: 20, max_age: "0s" }, cache: "0" }),
);
