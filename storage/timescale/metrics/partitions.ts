import type { Client, Database } from "../database/database.ts";

/** Tables that plain PostgreSQL keeps in partitions by time, and how much of it one has. */
export const WINDOW_MS = { samples: 600_000, histograms: 86_400_000, pages: 86_400_000 } as const;
export type PartitionedTable = keyof typeof WINDOW_MS;

/** For `pg_advisory_xact_lock`: one process at a time makes or drops partitions. */
const LOCK = 7_236_473;

/** `samples_489123`, `samples_m1` before 1970: the window's number is its start by its length. */
export function partitionName(table: PartitionedTable, window: number): string {
  return `${table}_${window < 0 ? `m${-window}` : window}`;
}

/** The window's number in a partition's name. */
export function windowOf(name: string): number {
  const text = name.slice(name.lastIndexOf("_") + 1);
  return text.startsWith("m") ? -Number(text.slice(1)) : Number(text);
}

/** Makes partitions when they are first written to. Knows which are there; another process may have dropped one since. */
export class Partitions {
  readonly #database: Database;
  readonly #known = new Set<string>();

  constructor(database: Database) {
    this.#database = database;
  }

  async ensure(table: PartitionedTable, windows: Iterable<number>): Promise<void> {
    const missing = [...windows].filter((window) => !this.#known.has(partitionName(table, window)));
    if (missing.length === 0) return;
    const what = `making partitions of ${table}`;
    await this.#database.transaction(what, async (client) => createPartitions(client, table, missing));
    for (const window of missing) this.#known.add(partitionName(table, window));
  }

  /** After a write that found one missing. */
  forget(): void {
    this.#known.clear();
  }
}

/** Attached after they were made: CREATE TABLE … PARTITION OF would wait for every reader of the table. */
export async function createPartitions(
  client: Client,
  table: PartitionedTable,
  windows: readonly number[],
): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock($1)", [LOCK]);
  const there = new Set(await partitionsOf(client, table));
  const sql = windows
    .filter((window) => !there.has(partitionName(table, window)))
    .map((window) => {
      const name = partitionName(table, window);
      const bounds = `FROM (${window * WINDOW_MS[table]}) TO (${(window + 1) * WINDOW_MS[table]})`;
      // What is packed and emptied soon needs no vacuum.
      const settings = table === "samples" ? "WITH (autovacuum_enabled = off)" : "";
      return `CREATE TABLE ${name} (LIKE ${table} INCLUDING ALL) ${settings};
        ALTER TABLE ${table} ATTACH PARTITION ${name} FOR VALUES ${bounds};`;
    });
  if (sql.length > 0) await client.query(sql.join("\n"));
}

export async function partitionsOf(client: Client, table: PartitionedTable): Promise<string[]> {
  const { rows } = await client.query(
    `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = to_regclass($1) ORDER BY 1`,
    [table],
  );
  return rows.map(({ name }) => name as string);
}

/**
 * Drops one, if `isIdle` finds that it may be. Waits for readers of the table for a moment only, because those who come
 * meanwhile wait, too: throws what the database says when it is not to be had.
 */
export async function dropPartition(
  client: Client,
  table: PartitionedTable,
  name: string,
  isIdle: (client: Client) => Promise<boolean>,
): Promise<boolean> {
  await client.query("SET LOCAL lock_timeout = 300");
  await client.query("SELECT pg_advisory_xact_lock($1)", [LOCK]);
  await client.query(`LOCK TABLE ONLY ${table} IN ACCESS EXCLUSIVE MODE`);
  await client.query(`LOCK TABLE ${name} IN ACCESS EXCLUSIVE MODE`);
  if (!(await isIdle(client))) return false;
  await client.query(`DROP TABLE ${name}`);
  return true;
}
