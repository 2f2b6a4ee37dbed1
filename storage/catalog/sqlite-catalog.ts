import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { ApiKey, KeyCatalog, Scope } from "@sightline/model/access.ts";
import {
  type AlertmanagerConfigCatalog,
  KEPT_ALERTMANAGER_CONFIGS,
  type StoredAlertmanagerConfig,
} from "@sightline/model/alertmanager-configs.ts";
import type { AuditEntry, AuditLog } from "@sightline/model/audit-log.ts";
import { CorruptionError, SightlineError, UnavailableError } from "@sightline/model/errors.ts";
import type { Copyable } from "@sightline/model/ports.ts";
import type { RuleCatalog, StoredRuleGroup } from "@sightline/model/rules.ts";
import { type TenantId, tenantId } from "@sightline/model/tenant.ts";
import { migrate } from "./migrate.ts";

/** Nothing else runs yet, and a failed start is worse than a late one. */
const START_BUSY_TIMEOUT_MS = 5_000;
const RETRY_AFTER_MS = 1_000;
/** SQLite's result code SQLITE_BUSY, without its extension; the others below, too. */
const BUSY = 5;
/**
 * SQLITE_CORRUPT and SQLITE_NOTADB; and SQLITE_ERROR, SQLITE_TOOBIG and SQLITE_MISMATCH, with which a
 * statement that is right for the tables of the migrations fails over others.
 */
const CORRUPT: readonly number[] = [1, 11, 18, 20, 26];

/** The catalog of the all-in-one process: one SQLite file, which command and server may use at the same time. */
export class SqliteCatalog implements KeyCatalog, AuditLog, RuleCatalog, AlertmanagerConfigCatalog, Copyable {
  readonly name = "catalog";
  readonly #path: string;
  readonly #busyTimeoutMs: number;
  #database: DatabaseSync | undefined;

  /**
   * `path` of the file; it is made when it is not there, readable for its owner only. `busyTimeoutMs`: how long a call
   * may wait for another process' write. Waiting blocks the event loop.
   */
  constructor(path: string, { busyTimeoutMs }: { busyTimeoutMs: number }) {
    this.#path = path;
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  async start(): Promise<void> {
    mkdirSync(dirname(this.#path), { recursive: true });
    closeSync(openSync(this.#path, "a", 0o600));
    this.#call(() => {
      const database = new DatabaseSync(this.#path, { timeout: START_BUSY_TIMEOUT_MS });
      this.#database = database;
      // Readers don't wait for a writer; FULL makes a revocation survive a power cut.
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
      migrate(database, this.#path);
      database.exec(`PRAGMA busy_timeout = ${this.#busyTimeoutMs}`);
    });
  }

  async stop(): Promise<void> {
    this.#database?.close();
    this.#database = undefined;
  }

  async keys(): Promise<readonly ApiKey[]> {
    const rows = this.#call((database) => database.prepare("SELECT * FROM api_keys ORDER BY created_at_ms, id").all());
    return rows.map((row) => this.#read(row, (whole) => keyOf(whole as KeyRow)));
  }

  async revision(): Promise<number> {
    return this.#call((database) => Number(database.prepare("PRAGMA data_version").get()?.data_version));
  }

  async addKey(key: ApiKey): Promise<void> {
    this.#run(
      "INSERT INTO api_keys (id, name, tenant, scopes, hash, created_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
      key.id,
      key.name,
      key.tenant,
      key.scopes.join(","),
      key.hash,
      key.createdAtMs,
      key.expiresAtMs ?? null,
    );
  }

  async revokeKey(id: string, atMs: number): Promise<boolean> {
    return this.#run("UPDATE api_keys SET revoked_at_ms = ? WHERE id = ? AND revoked_at_ms IS NULL", atMs, id) > 0;
  }

  async markKeysUsed(timesMs: ReadonlyMap<string, number>): Promise<void> {
    const times = JSON.stringify([...timesMs].map(([id, ms]) => ({ id, ms: Math.floor(ms) })));
    this.#run(
      `UPDATE api_keys SET last_used_at_ms = used.ms
       FROM (SELECT value ->> 'id' AS id, value ->> 'ms' AS ms FROM json_each(?)) AS used
       WHERE api_keys.id = used.id AND used.ms > coalesce(last_used_at_ms, 0)`,
      times,
    );
  }

  async addEntry({ atMs, tenant, keyId, client, action, details }: AuditEntry): Promise<void> {
    this.#run(
      "INSERT INTO audit (at_ms, tenant, key_id, client, action, details) VALUES (?, ?, ?, ?, ?, ?)",
      Math.floor(atMs),
      tenant,
      keyId,
      client,
      action,
      JSON.stringify(details),
    );
  }

  async entries(tenant: TenantId, limit: number): Promise<readonly AuditEntry[]> {
    const sql = "SELECT * FROM audit WHERE tenant = ? ORDER BY id DESC LIMIT ?";
    const rows = this.#call((database) => database.prepare(sql).all(tenant, limit));
    return rows.map((row) => {
      const { at_ms, key_id, client, action, details } = row as AuditRow;
      return { atMs: at_ms, tenant, keyId: key_id, client, action, details: this.#read(details, JSON.parse) };
    });
  }

  async ruleGroups(): Promise<readonly StoredRuleGroup[]> {
    const sql = `SELECT * FROM rule_groups AS g WHERE text <> '' AND version =
        (SELECT max(version) FROM rule_groups WHERE tenant = g.tenant AND namespace = g.namespace AND name = g.name)
       ORDER BY tenant, namespace, name`;
    const rows = this.#call((database) => database.prepare(sql).all());
    return rows.map((row) => this.#read(row, (whole) => ruleGroupOf(whole as RuleGroupRow)));
  }

  async ruleRevision(): Promise<number> {
    return this.#call((database) => Number(database.prepare("SELECT max(id) AS id FROM rule_groups").get()?.id ?? 0));
  }

  async changeRuleGroup(group: Omit<StoredRuleGroup, "version">): Promise<number> {
    const { tenant, namespace, name, text, language, changedAtMs, changedBy } = group;
    const sql = `INSERT INTO rule_groups (tenant, namespace, name, version, text, language, changed_at_ms, changed_by)
       SELECT ?1, ?2, ?3, coalesce(max(version), 0) + 1, ?4, ?5, ?6, ?7 FROM rule_groups
       WHERE tenant = ?1 AND namespace = ?2 AND name = ?3 RETURNING version`;
    const values = [tenant, namespace, name, text, language, Math.floor(changedAtMs), changedBy];
    return this.#call((database) => Number(database.prepare(sql).get(...values)?.version));
  }

  async ruleGroupVersions(tenant: TenantId, namespace: string, name: string): Promise<readonly StoredRuleGroup[]> {
    const sql = "SELECT * FROM rule_groups WHERE tenant = ? AND namespace = ? AND name = ? ORDER BY version DESC";
    const rows = this.#call((database) => database.prepare(sql).all(tenant, namespace, name));
    return rows.map((row) => this.#read(row, (whole) => ruleGroupOf(whole as RuleGroupRow)));
  }

  async alertmanagerConfigs(): Promise<readonly StoredAlertmanagerConfig[]> {
    const sql = `SELECT * FROM alertmanager_configs AS c WHERE text <> '' AND version =
        (SELECT max(version) FROM alertmanager_configs WHERE tenant = c.tenant) ORDER BY tenant`;
    const rows = this.#call((database) => database.prepare(sql).all());
    return rows.map((row) => this.#read(row, (whole) => alertmanagerConfigOf(whole as AlertmanagerConfigRow)));
  }

  async alertmanagerConfigRevision(): Promise<number> {
    const sql = "SELECT max(id) AS id FROM alertmanager_configs";
    return this.#call((database) => Number(database.prepare(sql).get()?.id ?? 0));
  }

  async changeAlertmanagerConfig(config: Omit<StoredAlertmanagerConfig, "version">): Promise<number> {
    const { tenant, text, changedAtMs, changedBy } = config;
    const sql = `INSERT INTO alertmanager_configs (tenant, version, text, changed_at_ms, changed_by)
       SELECT ?1, coalesce(max(version), 0) + 1, ?2, ?3, ?4 FROM alertmanager_configs WHERE tenant = ?1
       RETURNING version`;
    const values = [tenant, text, Math.floor(changedAtMs), changedBy];
    const version = this.#call((database) => Number(database.prepare(sql).get(...values)?.version));
    const oldest = version - KEPT_ALERTMANAGER_CONFIGS;
    this.#run("DELETE FROM alertmanager_configs WHERE tenant = ? AND version <= ?", tenant, oldest);
    return version;
  }

  async alertmanagerConfigVersions(tenant: TenantId): Promise<readonly StoredAlertmanagerConfig[]> {
    const sql = "SELECT * FROM alertmanager_configs WHERE tenant = ? ORDER BY version DESC";
    const rows = this.#call((database) => database.prepare(sql).all(tenant));
    return rows.map((row) => this.#read(row, (whole) => alertmanagerConfigOf(whole as AlertmanagerConfigRow)));
  }

  async copyTo(path: string): Promise<void> {
    mkdirSync(dirname(path), { recursive: true });
    closeSync(openSync(path, "wx", 0o600));
    this.#run("VACUUM INTO ?", path);
  }

  /** What the columns promise no longer holds in a file that is damaged. */
  #read<From, To>(value: From, read: (value: From) => To): To {
    try {
      return read(value);
    } catch (cause) {
      throw new CorruptionError(`${this.#path}: a row can't be understood: ${(cause as Error).message}`, { cause });
    }
  }

  #run(sql: string, ...values: SQLInputValue[]): number {
    return this.#call((database) => Number(database.prepare(sql).run(...values).changes));
  }

  #call<T>(work: (database: DatabaseSync) => T): T {
    try {
      return work(this.#database as DatabaseSync);
    } catch (cause) {
      throw asOwnError(cause, this.#path);
    }
  }
}

function asOwnError(cause: unknown, path: string): unknown {
  const code = (cause as { errcode?: unknown }).errcode;
  if (cause instanceof SightlineError || typeof code !== "number") return cause;
  const text = `${path}: ${(cause as Error).message}`;
  if (CORRUPT.includes(code & 0xff)) return new CorruptionError(text, { cause });
  return new UnavailableError((code & 0xff) === BUSY ? `${path} is being written by another process` : text, {
    cause,
    retryAfterMs: RETRY_AFTER_MS,
  });
}

type RuleGroupRow = {
  readonly tenant: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: number;
  readonly text: string;
  readonly language: StoredRuleGroup["language"];
  readonly changed_at_ms: number;
  readonly changed_by: string;
};

function ruleGroupOf({ tenant, changed_at_ms, changed_by, ...row }: RuleGroupRow): StoredRuleGroup {
  const { namespace, name, version, text, language } = row;
  const changed = { changedAtMs: changed_at_ms, changedBy: changed_by };
  return { tenant: tenantId(tenant), namespace, name, version, text, language, ...changed };
}

type AlertmanagerConfigRow = {
  readonly tenant: string;
  readonly version: number;
  readonly text: string;
  readonly changed_at_ms: number;
  readonly changed_by: string;
};

function alertmanagerConfigOf(row: AlertmanagerConfigRow): StoredAlertmanagerConfig {
  const { tenant, version, text, changed_at_ms: changedAtMs, changed_by: changedBy } = row;
  return { tenant: tenantId(tenant), version, text, changedAtMs, changedBy };
}

type AuditRow = {
  readonly at_ms: number;
  readonly key_id: string;
  readonly client: string;
  readonly action: string;
  readonly details: string;
};

type KeyRow = {
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly scopes: string;
  readonly hash: Uint8Array;
  readonly created_at_ms: number;
  readonly expires_at_ms: number | null;
  readonly revoked_at_ms: number | null;
  readonly last_used_at_ms: number | null;
};

function keyOf(row: KeyRow): ApiKey {
  return {
    id: row.id,
    name: row.name,
    tenant: tenantId(row.tenant),
    scopes: row.scopes.split(",") as Scope[],
    hash: row.hash,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms ?? undefined,
    revokedAtMs: row.revoked_at_ms ?? undefined,
    lastUsedAtMs: row.last_used_at_ms ?? undefined,
  };
}
