import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Config } from "@sightline/config/schema.ts";
import type { LogStore } from "@sightline/model/log-store.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { MemoryPart } from "@sightline/model/memory-part.ts";
import type { Copyable, Dependency } from "@sightline/model/ports.ts";
import type { TraceStore } from "@sightline/model/trace-store.ts";
import { type RowsRetentionOverride, rowsRetentionOverride } from "@sightline/storage-embedded/config.ts";
import { EmbeddedLogStore } from "@sightline/storage-embedded/logs/embedded-log-store.ts";
import { TenantOverrides } from "@sightline/storage-embedded/retention/tenant-overrides.ts";
import type { RowsRetentionConfig } from "@sightline/storage-embedded/segments/segment-retention.ts";
import { EmbeddedTraceStore } from "@sightline/storage-embedded/traces/embedded-trace-store.ts";
import { OpenSearchLogStore } from "@sightline/storage-opensearch/logs/open-search-log-store.ts";
import type { RetentionPolicies, RetentionPolicy } from "@sightline/storage-opensearch/rows/retention-policies.ts";
import type { OpenSearchStoreOptions } from "@sightline/storage-opensearch/rows/rows-store.ts";
import { OpenSearchTraceStore } from "@sightline/storage-opensearch/traces/open-search-trace-store.ts";
import type { Registry } from "prom-client";
import { DATA_LAYOUT } from "./data-layout.ts";
import { writerId } from "./metric-storage.ts";
import { keepsLog, targetsOf } from "./targets.ts";

export type RowStorageOptions = { readonly config: Config; readonly logger: Logger; readonly registry: Registry };
export type RowStorage<Store> = {
  readonly store: Store & { readonly memoryParts: readonly MemoryPart[] };
  readonly copyable: Copyable;
  readonly dependencies: readonly Dependency[];
};
export type LogStorage = RowStorage<LogStore>;
export type TraceStorage = RowStorage<TraceStore>;

/** The log store that `storage.logs.kind` names. */
export function logStorage({ config, logger, registry }: RowStorageOptions): LogStorage {
  const settings = config.storage.logs;
  if (settings.kind === "opensearch") {
    const store = new OpenSearchLogStore(openSearchOptions("logs", settings, { config, logger, registry }));
    return { store, copyable: notCopied("logs", logger), dependencies: store.dependencies };
  }
  const dir = join(config.data_dir, DATA_LAYOUT.logs);
  const store = new EmbeddedLogStore({ dir, config: settings, logger, registry });
  return { store, copyable: store, dependencies: [] };
}

/** The trace store that `storage.traces.kind` names. */
export function traceStorage({ config, logger, registry }: RowStorageOptions): TraceStorage {
  const settings = config.storage.traces;
  if (settings.kind === "opensearch") {
    const store = new OpenSearchTraceStore(openSearchOptions("traces", settings, { config, logger, registry }));
    return { store, copyable: notCopied("traces", logger), dependencies: store.dependencies };
  }
  const dir = join(config.data_dir, DATA_LAYOUT.traces);
  const store = new EmbeddedTraceStore({ dir, config: settings, logger, registry });
  return { store, copyable: store, dependencies: [] };
}

function openSearchOptions(
  signal: "logs" | "traces",
  settings: OpenSearchStoreOptions["limits"] & RowsRetentionConfig,
  { config, logger, registry }: RowStorageOptions,
): OpenSearchStoreOptions {
  const isReader = !keepsLog(targetsOf(config));
  const writer = isReader ? `reader-${randomUUID()}` : writerId(join(config.data_dir, DATA_LAYOUT.writer));
  const retention = retentionPolicies(signal, settings, { logger, registry });
  return { config: config.storage.opensearch, limits: settings, retention, writer, isReader, logger, registry };
}

/** By the same settings and files as in the embedded stores. */
function retentionPolicies(
  signal: "logs" | "traces",
  { retention, retention_rules, retention_overrides_file }: RowsRetentionConfig,
  { logger, registry }: Pick<RowStorageOptions, "logger" | "registry">,
): RetentionPolicies {
  return new TenantOverrides<RetentionPolicy>({
    schema: rowsRetentionOverride,
    policyOf: (settings) => {
      const own = settings as RowsRetentionOverride;
      return { keepMs: own.retention ?? retention, rules: own.retention_rules ?? retention_rules };
    },
    setting: `storage.${signal}.retention_overrides_file`,
    path: retention_overrides_file,
    metric: `sightline_${signal}_store_retention_reloads_total`,
    others: { keepMs: retention, rules: retention_rules },
    logger,
    registry,
  });
}

function notCopied(signal: "logs" | "traces", logger: Logger): Copyable {
  const message = `the copy has no ${signal}, because they are in OpenSearch: use its snapshots for them`;
  return { copyTo: async () => logger.warn(message) };
}
