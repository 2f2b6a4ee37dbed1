import type { Client, Database } from "../database/database.ts";

/** Tables that plain PostgreSQL keeps in partitions by time. */
export type PartitionedTable = "samples" | "histograms" | "pages";
export type Partition = { readonly name: string; readonly startMs: number; readonly endMs: number };

/** Pages hold samples of one such window, and so do the partitions of samples that come as they are made. */
export const WINDOW_MS = 600_000;
/** Merged pages are of so long, and begin where the time is a multiple of it. */
export const MERGED_PAGE_MS = 7_200_000;
const DAY_MS = 86_400_000;
/** Samples of other days have partitions of a day: who brings years of them must not make thousands of tables. */
const RECENT_MS = 3 * 3_600_000;
/** For `pg_advisory_xact_lock`: one process at a time makes or drops partitions. */
const LOCK = 7_236_473;
const NAME = /^[a-z]+_(w|d)(n?)(\d+)$/;
const LENGTH_MS: Readonly<Record<string, number>> = { w: WINDOW_MS, d: DAY_MS };

/** `samples_w2931012`, `pages_d20345`: the number is the start by the length; `n` stands for a minus. */
function partitionAt(table: PartitionedTable, kind: "w" | "d", timeMs: number): Partition {
  const lengthMs = LENGTH_MS[kind] as number;
  const number = Math.floor(timeMs / lengthMs);
  const name = `${table}_${kind}${number < 0 ? "n" : ""}${Math.abs(number)}`;
  return { name, startMs: number * lengthMs, endMs: (number + 1) * lengthMs };
}

function parsePartition(name: string): Partition[] {
  const [, kind = "", sign, digits] = NAME.exec(name) ?? [];
  const lengthMs = LENGTH_MS[kind];
  if (lengthMs === undefined) return [];
  const startMs = Number(digits) * (sign === "n" ? -1 : 1) * lengthMs;
  return [{ name, startMs, endMs: startMs + lengthMs }];
}

/** Makes partitions when they are first written to. Knows which are there; another process may have dropped one since. */
export class Partitions {
  readonly #database: Database;
  readonly #nowMs: () => number;
  readonly #known = new Map<PartitionedTable, Set<number>>();

  constructor(database: Database, nowMs: () => number) {
    this.#database = database;
    this.#nowMs = nowMs;
  }

  /** `windows` are numbers of {@link WINDOW_MS}. */
  async ensure(table: PartitionedTable, windows: Iterable<number>): Promise<void> {
    let known = this.#known.get(table);
    if (!known) {
      known = new Set();
      this.#known.set(table, known);
    }
    const missing: number[] = [];
    for (const window of windows) if (!known.has(window)) missing.push(window);
    if (missing.length === 0) return;
    await this.#database.transaction(`making partitions of ${table}`, (client) =>
      createPartitions(client, table, missing, this.#nowMs()),
    );
    for (const window of missing) known.add(window);
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
  nowMs: number,
): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock($1)", [LOCK]);
  const there = await partitionsOf(client, table);
  const starts = new Set(there.map(({ name }) => name));
  const daysInWindows = new Set(
    there.filter(({ name }) => name.includes("_w")).map(({ startMs }) => Math.floor(startMs / DAY_MS)),
  );
  const sql: string[] = [];
  for (const window of windows) {
    const timeMs = window * WINDOW_MS;
    const day = partitionAt(table, "d", timeMs);
    const isRecent = day.endMs > nowMs - RECENT_MS && day.startMs < nowMs + DAY_MS;
    const inWindows = table === "samples" && (isRecent || daysInWindows.has(Math.floor(timeMs / DAY_MS)));
    const wanted = inWindows ? partitionAt(table, "w", timeMs) : day;
    // A day that was not recent may be so by now.
    if (starts.has(day.name) || starts.has(wanted.name)) continue;
    starts.add(wanted.name);
    sql.push(createStatement(table, wanted));
  }
  if (sql.length > 0) await client.query(sql.join("\n"));
}

function createStatement(table: PartitionedTable, { name, startMs, endMs }: Partition): string {
  // What is packed and emptied soon needs no vacuum.
  const settings = table === "samples" ? "WITH (autovacuum_enabled = off)" : "";
  return `CREATE TABLE ${name} (LIKE ${table} INCLUDING ALL) ${settings};
    ALTER TABLE ${table} ATTACH PARTITION ${name} FOR VALUES FROM (${startMs}) TO (${endMs});`;
}

/** Ascending in time. */
export async function partitionsOf(client: Client, table: PartitionedTable): Promise<Partition[]> {
  const { rows } = await client.query(
    `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = to_regclass($1)`,
    [table],
  );
  return rows.flatMap(({ name }) => parsePartition(name as string)).sort((a, b) => a.startMs - b.startMs);
}

/**
 * Drops one, if `mayGo` finds so. Waits for readers of the table for a moment only, because those who come meanwhile wait, too:
 * throws what the database says when it is not to be had.
 */
export async function dropPartition(
  client: Client,
  table: PartitionedTable,
  name: string,
  mayGo: (client: Client) => Promise<boolean>,
): Promise<boolean> {
  await client.query("SET LOCAL lock_timeout = 1000");
  await client.query("SELECT pg_advisory_xact_lock($1)", [LOCK]);
  await client.query(`LOCK TABLE ONLY ${table} IN ACCESS EXCLUSIVE MODE`);
  await client.query(`LOCK TABLE ${name} IN ACCESS EXCLUSIVE MODE`);
  if (!(await mayGo(client))) return false;
  await client.query(`DROP TABLE ${name}`);
  return true;
}
