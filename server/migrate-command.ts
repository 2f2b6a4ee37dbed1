import type { Config } from "@sightline/config/schema.ts";
import { InvalidInputError } from "@sightline/model/errors.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { CATALOG_MIGRATIONS } from "@sightline/storage-timescale/catalog/postgres-catalog.ts";
import { Database } from "@sightline/storage-timescale/database/database.ts";
import {
  type MigrationSet,
  type MigrationState,
  migrateDown,
  migrateUp,
  migrationStatus,
} from "@sightline/storage-timescale/database/migrations.ts";
import { metricMigrations } from "@sightline/storage-timescale/metrics/store-facts.ts";
import { Registry } from "prom-client";

const USAGE = "usage: migrate status | migrate up | migrate down";
type Action = (database: Database, set: MigrationSet) => Promise<void>;

const ACTIONS: ReadonlyMap<string, Action> = new Map([
  ["status", status],
  ["up", up],
  ["down", down],
]);

/** `sightline migrate …` on every database that the configuration uses. Returns the exit code. */
export async function runMigrate(config: Config, words: readonly string[]): Promise<number> {
  const action = ACTIONS.get(words[0] ?? "");
  if (!action) {
    process.stderr.write(`sightline: ${USAGE}\n`);
    return 2;
  }
  const { metrics } = config.storage;
  const sets = [
    { isUsed: metrics.kind === "timescale", settings: metrics.timescale, set: metricMigrations(metrics.timescale) },
    { isUsed: config.catalog.kind === "postgres", settings: config.catalog.postgres, set: CATALOG_MIGRATIONS },
  ].filter(({ isUsed }) => isUsed);
  if (sets.length === 0) {
    throw new InvalidInputError("nothing is kept in PostgreSQL: set storage.metrics.kind or catalog.kind first");
  }
  for (const { settings, set } of sets) {
    const shared = { config: settings, logger: SILENT_LOGGER, registry: new Registry() };
    const database = new Database({ ...shared, purpose: "migrate" });
    try {
      await database.assertUsable();
      process.stdout.write(`${set.name}:\n`);
      await action(database, set);
    } finally {
      await database.stop();
    }
  }
  return 0;
}

async function status(database: Database, set: MigrationSet): Promise<void> {
  for (const state of await migrationStatus(database, set)) say(state, state.appliedAt?.toISOString() ?? "missing");
}

async function up(database: Database, set: MigrationSet): Promise<void> {
  const applied = await migrateUp(database, set);
  for (const state of applied) say(state, "applied");
  if (applied.length === 0) process.stdout.write("  nothing to do\n");
}

async function down(database: Database, set: MigrationSet): Promise<void> {
  const taken = await migrateDown(database, set);
  if (taken) say(taken, "taken back");
  else process.stdout.write("  nothing to do\n");
}

function say({ number, name }: MigrationState, what: string): void {
  process.stdout.write(`  ${String(number).padStart(4, "0")}-${name}  ${what}\n`);
}
