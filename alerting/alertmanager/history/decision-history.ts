import { mkdirSync, renameSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { backup, DatabaseSync, type StatementSync } from "node:sqlite";
import { UnavailableError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { Component } from "@sightline/model/ports.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { Counter, type Registry } from "prom-client";
import type { AlertmanagerSettings } from "../settings.ts";
import type { TenantDecisions } from "../tenant-alertmanagers.ts";
import type { Decision } from "./decision.ts";

export type DecisionHistoryOptions = {
  readonly dir: string;
  readonly settings: AlertmanagerSettings["history"];
  readonly logger: Logger;
  readonly registry: Registry;
};

const SCHEMA = `
  PRAGMA auto_vacuum = INCREMENTAL;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS decisions (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    group_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    receiver TEXT NOT NULL,
    integration TEXT NOT NULL,
    detail TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS decisions_of_alerts ON decisions (tenant, fingerprint, at_ms) WHERE fingerprint != '';
  CREATE INDEX IF NOT EXISTS decisions_of_groups ON decisions (tenant, group_key, at_ms) WHERE fingerprint = '';
`;
const INSERT = `INSERT INTO decisions (at_ms, tenant, fingerprint, group_key, kind, receiver, integration, detail)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
/** What was decided about an alert, and about the groups it was in from the time it came into them. */
const SELECT = `
  WITH groups AS (
    SELECT group_key, min(at_ms) AS since FROM decisions
    WHERE tenant = :tenant AND fingerprint = :fingerprint AND fingerprint != '' AND kind = 'grouped' GROUP BY group_key
  )
  SELECT * FROM (
    SELECT id, at_ms, fingerprint, group_key, kind, receiver, integration, detail FROM decisions
    WHERE tenant = :tenant AND fingerprint = :fingerprint AND fingerprint != '' AND at_ms >= :since
    UNION ALL
    SELECT d.id, d.at_ms, d.fingerprint, d.group_key, d.kind, d.receiver, d.integration, d.detail
    FROM groups g JOIN decisions d ON d.tenant = :tenant AND d.group_key = g.group_key AND d.fingerprint = ''
      AND d.at_ms >= max(g.since, :since)
  ) ORDER BY at_ms DESC, id DESC LIMIT :limit`;

const FILE = "history.db";
/** SQLITE_CORRUPT, SQLITE_NOTADB. */
const DAMAGED = new Set([11, 26]);
const FLUSH_INTERVAL_MS = 200;
/** About 2 ms of the event loop. */
const ROWS_PER_TURN = 300;
const CLEAN_INTERVAL_MS = 60_000;
const ROWS_PER_CLEANING = 2_000;
const PAGES_PER_CLEANING = 500;

type Row = {
  readonly at_ms: number;
  readonly fingerprint: string;
  readonly group_key: string;
  readonly kind: string;
  readonly receiver: string;
  readonly integration: string;
  readonly detail: string;
};

/**
 * Why somebody was notified, or was not: all decisions of all tenants in a SQLite file of its own. Written some hundred at a
 * time soon after they were made; those of the last fraction of a second are lost in a crash. The oldest go when they are too
 * old, or there are too many.
 */
export class DecisionHistory implements Component, TenantDecisions {
  readonly name = "alert history";
  readonly #options: DecisionHistoryOptions;
  readonly #dropped: Counter<"reason">;
  #queue: { readonly tenant: TenantId; readonly decision: Decision }[] = [];
  #database: DatabaseSync | undefined;
  #insert: StatementSync | undefined;
  #timer: NodeJS.Timeout | undefined;
  #cleaning: NodeJS.Timeout | undefined;

  constructor(options: DecisionHistoryOptions) {
    this.#options = options;
    this.#dropped = new Counter({
      name: "sightline_alert_history_dropped_total",
      help: "Decisions about alerts that were not kept: there were too many at once, the file could not be written.",
      labelNames: ["reason"],
      registers: [options.registry],
    });
  }

  /** A file that is damaged is put aside, for alerts matter more. Throws `UnavailableError` when there is no room, say. */
  async start(): Promise<void> {
    const { dir, logger } = this.#options;
    const file = join(dir, FILE);
    mkdirSync(dir, { recursive: true });
    try {
      this.#open(file);
    } catch (error) {
      const { errcode = 0, message } = error as Error & { errcode?: number };
      if (!DAMAGED.has(errcode & 0xff)) {
        throw new UnavailableError(`could not open ${file} (${message}): free space there or move data_dir`, {
          cause: error,
          retryAfterMs: 1_000,
        });
      }
      const aside = `${file}.damaged-${Date.now()}`;
      renameSync(file, aside);
      // What was not in the file yet would be written into the new one.
      for (const more of ["-wal", "-shm"]) rmSync(file + more, { force: true });
      logger.error("the history of alerts is damaged and begins anew", { file, movedTo: aside, error });
      this.#open(file);
    }
    this.#cleaning = setInterval(() => this.#clean(), CLEAN_INTERVAL_MS);
    this.#cleaning.unref();
  }

  #open(file: string): void {
    const database = new DatabaseSync(file);
    try {
      database.exec(SCHEMA);
      this.#insert = database.prepare(INSERT);
      this.#database = database;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#cleaning);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#queue.length > 0 && this.#database) this.#write();
    this.#database?.close();
    this.#database = undefined;
  }

  /** Copies everything into the directory, a few pages at a time. */
  async copyTo(path: string): Promise<void> {
    if (!this.#database) return;
    while (this.#queue.length > 0) this.#write();
    await mkdir(path, { recursive: true });
    await backup(this.#database, join(path, FILE));
  }

  record(tenant: TenantId, decision: Decision): void {
    if (this.#queue.length >= this.#options.settings.max_queued) {
      this.#dropped.inc({ reason: "queue_full" });
      return;
    }
    this.#queue.push({ tenant, decision });
    this.#schedule(FLUSH_INTERVAL_MS);
  }

  /** Of one alert and its groups, newest first. */
  history(tenant: TenantId, fingerprint: string, sinceMs: number, limit: number): readonly Decision[] {
    while (this.#queue.length > 0 && this.#queue.length <= ROWS_PER_TURN) this.#write();
    if (!this.#database) return [];
    const rows = this.#database.prepare(SELECT).all({ tenant, fingerprint, since: sinceMs, limit });
    return (rows as unknown as Row[]).map(decisionOf);
  }

  #schedule(delayMs: number): void {
    if (this.#timer || !this.#database) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#write();
      if (this.#queue.length > 0) this.#schedule(1);
    }, delayMs);
    this.#timer.unref();
  }

  #write(): void {
    const batch = this.#queue.splice(0, ROWS_PER_TURN);
    try {
      this.#database?.exec("BEGIN");
      for (const { tenant, decision } of batch) {
        const { atMs, fingerprint = "", groupKey = "", kind, receiver = "", integration = "", detail } = decision;
        const json = JSON.stringify(detail);
        this.#insert?.run(Math.round(atMs), tenant, fingerprint, groupKey, kind, receiver, integration, json);
      }
      this.#database?.exec("COMMIT");
    } catch (error) {
      this.#dropped.inc({ reason: "write_failed" }, batch.length);
      this.#options.logger.error("decisions about alerts could not be kept", { count: batch.length, error });
      if (this.#database?.isTransaction) this.#database.exec("ROLLBACK");
    }
  }

  #clean(): void {
    const database = this.#database;
    if (!database) return;
    const { retention_ms: retentionMs, max_bytes: maxBytes } = this.#options.settings;
    try {
      const pages = (name: string) => Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0);
      const usedBytes = (pages("page_count") - pages("freelist_count")) * pages("page_size");
      const beforeMs = usedBytes > maxBytes ? Number.MAX_SAFE_INTEGER : Date.now() - retentionMs;
      // Ids grow with time.
      const { changes } = database
        .prepare("DELETE FROM decisions WHERE id IN (SELECT id FROM decisions ORDER BY id LIMIT ?) AND at_ms < ?")
        .run(ROWS_PER_CLEANING, beforeMs);
      database.exec(`PRAGMA incremental_vacuum(${PAGES_PER_CLEANING})`);
      if (Number(changes) === ROWS_PER_CLEANING) setImmediate(() => this.#clean());
    } catch (error) {
      this.#options.logger.error("old decisions about alerts could not be removed", { error });
    }
  }
}

function decisionOf(row: Row): Decision {
  const given = (text: string) => (text === "" ? undefined : text);
  return {
    atMs: row.at_ms,
    kind: row.kind as Decision["kind"],
    fingerprint: given(row.fingerprint),
    groupKey: given(row.group_key),
    receiver: given(row.receiver),
    integration: given(row.integration),
    detail: JSON.parse(row.detail),
  };
}
