import { readdirSync, readFileSync } from "node:fs";
import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Client, Database } from "./database.ts";

/** SQL files `NNNN-name.up.sql` and `NNNN-name.down.sql`. `$extension$` and such are replaced by settings. */
export type MigrationSet = {
  /** Also the name of its version table, so that several sets can be in one schema. */
  readonly name: string;
  readonly directory: URL;
  readonly settings: Readonly<Record<string, string>>;
};
export type MigrationState = { readonly number: number; readonly name: string; readonly appliedAt: Date | undefined };

const FILE = /^(\d{4})-(.+)\.(up|down)\.sql$/;
/** Any number will do, as long as all processes use the same. */
const LOCK = 7_236_471;

/** Of all known migrations, and of those that a newer release has applied. */
export async function migrationStatus(database: Database, set: MigrationSet): Promise<MigrationState[]> {
  return database.write("reading the version of the tables", async (client) => statusOf(client, set));
}

/**
 * Applies what is missing, each in a transaction of its own, one process at a time. Returns what was applied. Throws
 * `InvalidInputError` when a newer release has been here.
 */
export async function migrateUp(database: Database, set: MigrationSet): Promise<MigrationState[]> {
  return locked(database, async (client) => {
    const { schema } = database.config;
    if (!(await exists(client, "SELECT FROM pg_namespace WHERE nspname = $1", schema))) {
      await client.query(`CREATE SCHEMA ${schema}`);
    }
    await client.query(
      `CREATE TABLE IF NOT EXISTS ${set.name}_migrations
       (number int PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
    );
    const states = await statusOf(client, set);
    assertNotNewer(states, set);
    const missing = states.filter(({ appliedAt }) => appliedAt === undefined);
    for (const { number, name } of missing) {
      await apply(client, set, number, name, "up", `INSERT INTO ${set.name}_migrations VALUES (${number}, '${name}')`);
    }
    return missing;
  });
}

/** Takes back the newest one. Its data is gone. Returns it, undefined when there is none. */
export async function migrateDown(database: Database, set: MigrationSet): Promise<MigrationState | undefined> {
  return locked(database, async (client) => {
    const states = await statusOf(client, set);
    assertNotNewer(states, set);
    const newest = states.findLast(({ appliedAt }) => appliedAt !== undefined);
    if (!newest) return undefined;
    const { number, name } = newest;
    await apply(client, set, number, name, "down", `DELETE FROM ${set.name}_migrations WHERE number = ${number}`);
    return newest;
  });
}

/** Throws `InvalidInputError`, naming the command, unless all migrations have been applied. */
export async function assertMigrated(database: Database, set: MigrationSet): Promise<void> {
  const states = await migrationStatus(database, set);
  assertNotNewer(states, set);
  const missing = states.filter(({ appliedAt }) => appliedAt === undefined).map(({ name }) => name);
  if (missing.length === 0) return;
  throw new InvalidInputError(`the tables lack ${missing.join(", ")}: run \`migrate up\`, or set migrate: true`);
}

async function statusOf(client: Client, set: MigrationSet): Promise<MigrationState[]> {
  const table = `${set.name}_migrations`;
  const isThere = await exists(client, "SELECT FROM pg_class WHERE oid = to_regclass($1)", table);
  const applied = isThere ? (await client.query(`SELECT number, name, applied_at FROM ${table}`)).rows : [];
  const states = new Map(filesOf(set).map(({ number, name }) => [number, { number, name, appliedAt: undefined }]));
  const all = new Map<number, MigrationState>(states);
  for (const { number, name, applied_at } of applied) all.set(number, { number, name, appliedAt: applied_at });
  return [...all.values()].sort((a, b) => a.number - b.number);
}

function filesOf(set: MigrationSet): { readonly number: number; readonly name: string }[] {
  return readdirSync(set.directory)
    .map((file) => FILE.exec(file))
    .filter((match) => match?.[3] === "up")
    .map((match) => ({ number: Number(match?.[1]), name: match?.[2] as string }))
    .sort((a, b) => a.number - b.number);
}

function assertNotNewer(states: readonly MigrationState[], set: MigrationSet): void {
  const known = new Set(filesOf(set).map(({ number }) => number));
  const unknown = states.find(({ number }) => !known.has(number));
  if (!unknown) return;
  throw new InvalidInputError(
    `the tables are those of a newer release (${unknown.number} ${unknown.name}): use that release`,
  );
}

async function apply(
  client: Client,
  { directory, settings }: MigrationSet,
  number: number,
  name: string,
  direction: "up" | "down",
  record: string,
): Promise<void> {
  const file = `${String(number).padStart(4, "0")}-${name}.${direction}.sql`;
  let sql = readFileSync(new URL(file, directory), "utf8");
  for (const [key, value] of Object.entries(settings)) sql = sql.replaceAll(`$${key}$`, value);
  await client.query("BEGIN");
  await client.query(sql);
  await client.query(record);
  await client.query("COMMIT");
}

function locked<T>(database: Database, work: (client: Client) => Promise<T>): Promise<T> {
  return database.write("migrating the tables", async (client) => {
    // Of the session, not of a transaction: it is free again when the connection breaks.
    await client.query("SELECT pg_advisory_lock($1)", [LOCK]);
    const result = await work(client);
    await client.query("SELECT pg_advisory_unlock($1)", [LOCK]);
    return result;
  });
}

async function exists(client: Client, sql: string, value: string): Promise<boolean> {
  return ((await client.query(sql, [value])).rowCount ?? 0) > 0;
}
