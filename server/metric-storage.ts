import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Config } from "@sightline/config/schema.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { MemoryPart } from "@sightline/model/memory-part.ts";
import type { Component, Copyable, Dependency } from "@sightline/model/ports.ts";
import { EmbeddedMetricStore } from "@sightline/storage-embedded/metrics/embedded-metric-store.ts";
import { TenantOverrides } from "@sightline/storage-embedded/retention/tenant-overrides.ts";
import {
  type RetentionOverride,
  retentionOverride,
  type TimescaleMetricsConfig,
} from "@sightline/storage-timescale/config.ts";
import { Database } from "@sightline/storage-timescale/database/database.ts";
import { TimescaleMetricStore } from "@sightline/storage-timescale/metrics/timescale-metric-store.ts";
import type { Registry } from "prom-client";
import { DATA_LAYOUT } from "./data-layout.ts";
import { keepsLog, targetsOf } from "./targets.ts";
import type { WarmableStore } from "./warm-up/warm-up.ts";

export type MetricStorageOptions = { readonly config: Config; readonly logger: Logger; readonly registry: Registry };
export type MetricStorage = {
  readonly store: WarmableStore & { readonly memoryParts: readonly MemoryPart[] };
  readonly copyable: Copyable;
  /** In the order they start, the store among them. */
  readonly components: readonly Component[];
  readonly dependencies: readonly Dependency[];
};

/** The metric store that `storage.metrics.kind` names. */
export function metricStorage({ config, logger, registry }: MetricStorageOptions): MetricStorage {
  const settings = config.storage.metrics;
  if (settings.kind === "embedded") {
    const dir = join(config.data_dir, DATA_LAYOUT.metrics);
    const store = new EmbeddedMetricStore({ dir, config: settings, logger, registry });
    return { store, copyable: store, components: [store], dependencies: [] };
  }
  const database = new Database({ config: settings.timescale, logger, registry, purpose: "metrics" });
  const writer = keepsLog(targetsOf(config)) ? writerId(join(config.data_dir, DATA_LAYOUT.writer)) : undefined;
  const overrides = timescaleRetentionOverrides({ config: settings.timescale, logger, registry });
  const store = new TimescaleMetricStore({ database, config: settings.timescale, overrides, writer, logger, registry });
  const copyable: Copyable = {
    copyTo: async () => logger.warn("the copy has no metrics, because they are in PostgreSQL: use pg_dump for them"),
  };
  return { store, copyable, components: [database, store], dependencies: database.dependencies };
}

export type TimescaleRetentionOptions = {
  readonly config: TimescaleMetricsConfig;
  readonly logger: Logger;
  readonly registry: Registry;
};

/** What the overrides file says of the retention of tenants in PostgreSQL. */
export function timescaleRetentionOverrides({
  config,
  logger,
  registry,
}: TimescaleRetentionOptions): TenantOverrides<RetentionOverride> {
  return new TenantOverrides<RetentionOverride>({
    schema: retentionOverride,
    policyOf: (settings) => settings as RetentionOverride,
    setting: "storage.metrics.timescale.retention_overrides_file",
    path: config.retention_overrides_file,
    metric: "sightline_metric_store_retention_reloads_total",
    others: {},
    logger,
    registry,
  });
}

/** Whose write-ahead log it is: positions of two logs mean different requests. Made with the data directory, and kept in it. */
export function writerId(path: string): string {
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${randomUUID()}\n`, { flush: true });
  }
  return readFileSync(path, "utf8").trim();
}
