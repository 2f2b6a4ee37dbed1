import type { ApiKey, KeyCatalog, Scope } from "@sightline/model/access.ts";
import {
  type AlertmanagerConfigCatalog,
  KEPT_ALERTMANAGER_CONFIGS,
  type StoredAlertmanagerConfig,
} from "@sightline/model/alertmanager-configs.ts";
import type { AuditEntry, AuditLog } from "@sightline/model/audit-log.ts";
import { UnavailableError } from "@sightline/model/errors.ts";
import type { RuleCatalog, StoredRuleGroup } from "@sightline/model/rules.ts";
import { type TenantId, tenantId } from "@sightline/model/tenant.ts";
import type { Database } from "../database/database.ts";
import { assertMigrated, type MigrationSet, migrateUp } from "../database/migrations.ts";

/** The tables of the catalog. */
export const CATALOG_MIGRATIONS: MigrationSet = {
  name: "catalog",
  directory: new URL("./migrations/", import.meta.url),
  settings: {},
};

const NEVER = new AbortController().signal;

/** The catalog of several processes: tables in PostgreSQL. `database` is started before it and stopped after it. */
export class PostgresCatalog implements KeyCatalog, AuditLog, RuleCatalog, AlertmanagerConfigCatalog {
  readonly name = "catalog";
  readonly #database: Database;
  #opening: Promise<void> | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  /** A database that can't be reached is waited for: until then every call throws `UnavailableError`. */
  async start(): Promise<void> {
    await this.#open().catch((error: unknown) => {
      if (!(error instanceof UnavailableError)) throw error;
    });
  }

  /** Once, before anything else; a failure is tried again by the next call. */
  #open(): Promise<void> {
    this.#opening ??= this.#openNow().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #openNow(): Promise<void> {
    await this.#database.assertUsable();
    if (this.#database.config.migrate) await migrateUp(this.#database, CATALOG_MIGRATIONS);
    else await assertMigrated(this.#database, CATALOG_MIGRATIONS);
  }

  async stop(): Promise<void> {}

  async keys(): Promise<readonly ApiKey[]> {
    const rows = await this.#read<KeyRow>("reading keys", "SELECT * FROM api_keys ORDER BY created_at_ms, id");
    return rows.map(keyOf);
  }

  async revision(): Promise<number> {
    const rows = await this.#query<{ revision: string }>(
      "looking for changes",
      "SELECT revision FROM catalog_revision",
    );
    return Number(rows[0]?.revision);
  }

  async addKey(key: ApiKey): Promise<void> {
    await this.#query(
      "adding a key",
      `INSERT INTO api_keys (id, name, tenant, scopes, hash, created_at_ms, expires_at_ms)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [key.id, key.name, key.tenant, key.scopes, Buffer.from(key.hash), key.createdAtMs, key.expiresAtMs ?? null],
    );
  }

  async revokeKey(id: string, atMs: number): Promise<boolean> {
    const rows = await this.#query(
      "revoking a key",
      "UPDATE api_keys SET revoked_at_ms = $1 WHERE id = $2 AND revoked_at_ms IS NULL RETURNING id",
      [atMs, id],
    );
    return rows.length > 0;
  }

  async markKeysUsed(timesMs: ReadonlyMap<string, number>): Promise<void> {
    // In the order of ids, so that two processes can't deadlock.
    await this.#query(
      "marking keys as used",
      `UPDATE api_keys k SET last_used_at_ms = used.ms
       FROM (SELECT a.id, u.ms FROM unnest($1::text[], $2::int8[]) u (id, ms) JOIN api_keys a ON a.id = u.id
             WHERE u.ms > coalesce(a.last_used_at_ms, 0) ORDER BY a.id FOR UPDATE OF a) used
       WHERE k.id = used.id`,
      [[...timesMs.keys()], Array.from(timesMs.values(), Math.floor)],
    );
  }

  async addEntry({ atMs, tenant, keyId, client, action, details }: AuditEntry): Promise<void> {
    await this.#query(
      "writing to the audit log",
      "INSERT INTO audit (at_ms, tenant, key_id, client, action, details) VALUES ($1, $2, $3, $4, $5, $6)",
      [Math.floor(atMs), tenant, keyId, client, action, JSON.stringify(details)],
    );
  }

  async entries(tenant: TenantId, limit: number): Promise<readonly AuditEntry[]> {
    const rows = await this.#read<AuditRow>(
      "reading the audit log",
      "SELECT * FROM audit WHERE tenant = $1 ORDER BY id DESC LIMIT $2",
      [tenant, limit],
    );
    return rows.map(({ at_ms, key_id, client, action, details }) => ({
      atMs: Number(at_ms),
      tenant,
      keyId: key_id,
      client,
      action,
      details: JSON.parse(details),
    }));
  }

  async ruleGroups(): Promise<readonly StoredRuleGroup[]> {
    const rows = await this.#read<RuleGroupRow>(
      "reading rule groups",
      `SELECT * FROM (
         SELECT DISTINCT ON (tenant, namespace, name) * FROM rule_groups ORDER BY tenant, namespace, name, version DESC
       ) newest WHERE text <> '' ORDER BY tenant COLLATE "C", namespace COLLATE "C", name COLLATE "C"`,
    );
    return rows.map(ruleGroupOf);
  }

  async ruleRevision(): Promise<number> {
    return this.revision();
  }

  /** Two that change one group at a time: the later one has to try again. */
  async changeRuleGroup(group: Omit<StoredRuleGroup, "version">): Promise<number> {
    const { tenant, namespace, name, text, language, changedAtMs, changedBy } = group;
    const rows = await this.#query<{ version: string }>(
      "changing a rule group",
      `INSERT INTO rule_groups (tenant, namespace, name, version, text, language, changed_at_ms, changed_by)
       SELECT $1::text, $2::text, $3::text, coalesce(max(version), 0) + 1, $4::text, $5::text, $6::int8, $7::text
       FROM rule_groups WHERE tenant = $1 AND namespace = $2 AND name = $3 RETURNING version`,
      [tenant, namespace, name, text, language, Math.floor(changedAtMs), changedBy],
    );
    return Number(rows[0]?.version);
  }

  async ruleGroupVersions(tenant: TenantId, namespace: string, name: string): Promise<readonly StoredRuleGroup[]> {
    const rows = await this.#read<RuleGroupRow>(
      "reading the versions of a rule group",
      "SELECT * FROM rule_groups WHERE tenant = $1 AND namespace = $2 AND name = $3 ORDER BY version DESC",
      [tenant, namespace, name],
    );
    return rows.map(ruleGroupOf);
  }

  /** Waits while the database restarts. */
  #read<Row>(what: string, sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return this.#database.waitOut(NEVER, () => this.#query<Row>(what, sql, values));
  }

  async alertmanagerConfigs(): Promise<readonly StoredAlertmanagerConfig[]> {
    const rows = await this.#query<AlertmanagerConfigRow>(
      "reading configurations of Alertmanager",
      `SELECT * FROM (
         SELECT DISTINCT ON (tenant) * FROM alertmanager_configs ORDER BY tenant, version DESC
       ) newest WHERE text <> '' ORDER BY tenant COLLATE "C"`,
    );
    return rows.map(alertmanagerConfigOf);
  }

  async alertmanagerConfigRevision(): Promise<number> {
    return this.revision();
  }

  /** Two that change one configuration at a time: the later one has to try again. */
  async changeAlertmanagerConfig(config: Omit<StoredAlertmanagerConfig, "version">): Promise<number> {
    const { tenant, text, changedAtMs, changedBy } = config;
    const rows = await this.#query<{ version: string }>(
      "changing a configuration of Alertmanager",
      `WITH gone AS (
         DELETE FROM alertmanager_configs WHERE tenant = $1 AND version <=
           (SELECT max(version) + 1 FROM alertmanager_configs WHERE tenant = $1) - $5::int8
       )
       INSERT INTO alertmanager_configs (tenant, version, text, changed_at_ms, changed_by)
       SELECT $1::text, coalesce(max(version), 0) + 1, $2::text, $3::int8, $4::text
       FROM alertmanager_configs WHERE tenant = $1 RETURNING version`,
      [tenant, text, Math.floor(changedAtMs), changedBy, KEPT_ALERTMANAGER_CONFIGS],
    );
    return Number(rows[0]?.version);
  }

  async alertmanagerConfigVersions(tenant: TenantId): Promise<readonly StoredAlertmanagerConfig[]> {
    const rows = await this.#query<AlertmanagerConfigRow>(
      "reading versions of a configuration of Alertmanager",
      "SELECT * FROM alertmanager_configs WHERE tenant = $1 ORDER BY version DESC",
      [tenant],
    );
    return rows.map(alertmanagerConfigOf);
  }

  async #query<Row>(what: string, sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    await this.#open();
    return this.#database.write(what, async (client) => (await client.query(sql, [...values])).rows as Row[]);
  }
}

/** pg gives int8 as text. */
type RuleGroupRow = {
  readonly tenant: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly text: string;
  readonly language: StoredRuleGroup["language"];
  readonly changed_at_ms: string;
  readonly changed_by: string;
};

function ruleGroupOf({ tenant, version, changed_at_ms, changed_by, ...row }: RuleGroupRow): StoredRuleGroup {
  const { namespace, name, text, language } = row;
  const changed = { changedAtMs: Number(changed_at_ms), changedBy: changed_by };
  return { tenant: tenantId(tenant), namespace, name, version: Number(version), text, language, ...changed };
}

type AlertmanagerConfigRow = {
  readonly tenant: string;
  readonly version: string;
  readonly text: string;
  readonly changed_at_ms: string;
  readonly changed_by: string;
};

function alertmanagerConfigOf(row: AlertmanagerConfigRow): StoredAlertmanagerConfig {
  const { tenant, version, text, changed_at_ms, changed_by: changedBy } = row;
  return { tenant: tenantId(tenant), version: Number(version), text, changedAtMs: Number(changed_at_ms), changedBy };
}

type AuditRow = {
  readonly at_ms: string;
  readonly key_id: string;
  readonly client: string;
  readonly action: string;
  readonly details: string;
};

type KeyRow = {
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly scopes: Scope[];
  readonly hash: Buffer;
  readonly created_at_ms: string;
  readonly expires_at_ms: string | null;
  readonly revoked_at_ms: string | null;
  readonly last_used_at_ms: string | null;
};

function keyOf(row: KeyRow): ApiKey {
  const time = (text: string | null) => (text === null ? undefined : Number(text));
  return {
    id: row.id,
    name: row.name,
    tenant: tenantId(row.tenant),
    scopes: row.scopes,
    hash: Uint8Array.from(row.hash),
    createdAtMs: Number(row.created_at_ms),
    expiresAtMs: time(row.expires_at_ms),
    revokedAtMs: time(row.revoked_at_ms),
    lastUsedAtMs: time(row.last_used_at_ms),
  };
}
