import { join } from "node:path";
import type { Config } from "@sightline/config/schema.ts";
import type { KeyCatalog } from "@sightline/model/access.ts";
import type { AlertmanagerConfigCatalog } from "@sightline/model/alertmanager-configs.ts";
import type { AuditLog } from "@sightline/model/audit-log.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { Component, Copyable, Dependency } from "@sightline/model/ports.ts";
import type { RuleCatalog } from "@sightline/model/rules.ts";
import { SqliteCatalog } from "@sightline/storage-catalog/sqlite-catalog.ts";
import { PostgresCatalog } from "@sightline/storage-timescale/catalog/postgres-catalog.ts";
import { Database } from "@sightline/storage-timescale/database/database.ts";
import type { Registry } from "prom-client";
import { DATA_LAYOUT } from "./data-layout.ts";

export type CatalogStorageOptions = {
  readonly config: Config;
  readonly logger: Logger;
  readonly registry: Registry;
  /** How long SQLite may wait for another process' write; it blocks the event loop. */
  readonly busyTimeoutMs: number;
};
export type CatalogStorage = {
  readonly catalog: KeyCatalog & AuditLog & RuleCatalog & AlertmanagerConfigCatalog;
  readonly copyable: Copyable;
  /** In the order they start, the catalog among them. */
  readonly components: readonly Component[];
  readonly dependencies: readonly Dependency[];
};

/** The catalog that `catalog.kind` names. */
export function catalogStorage({ config, logger, registry, busyTimeoutMs }: CatalogStorageOptions): CatalogStorage {
  if (config.catalog.kind === "sqlite") {
    const catalog = new SqliteCatalog(join(config.data_dir, DATA_LAYOUT.catalog), { busyTimeoutMs });
    return { catalog, copyable: catalog, components: [catalog], dependencies: [] };
  }
  const database = new Database({ config: config.catalog.postgres, logger, registry, purpose: "catalog" });
  const catalog = new PostgresCatalog(database);
  const copyable: Copyable = {
    copyTo: async () => logger.warn("the copy has no catalog, because it is in PostgreSQL: use pg_dump for it"),
  };
  return { catalog, copyable, components: [database, catalog], dependencies: database.dependencies };
}
