import type { Config } from "@sightline/config/schema.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
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

/** `sightline migrate …` on the database of `storage.metrics.timescale`. Returns the exit code. */
export async function runMigrate(config: Config, words: readonly string[]): Promise<number> {
  const action = ACTIONS.get(words[0] ?? "");
  if (!action) {
    process.stderr.write(`sightline: ${USAGE}\n`);
    return 2;
  }
  const { kind, timescale } = config.storage.metrics;
  if (kind !== "timescale") {
    process.stderr.write(
      "sightline: note that storage.metrics.kind is not timescale here: the server uses no database\n",
    );
  }
  const database = new Database({
    config: timescale,
    logger: SILENT_LOGGER,
    registry: new Registry(),
    purpose: "migrate",
  });
  try {
    await database.start();
    await action(database, metricMigrations(timescale));
  } finally {
    await database.stop();
  }
  return 0;
}

async function status(database: Database, set: MigrationSet): Promise<void> {
  for (const state of await migrationStatus(database, set)) say(state, state.appliedAt?.toISOString() ?? "missing");
}

async function up(database: Database, set: MigrationSet): Promise<void> {
  const applied = await migrateUp(database, set);
  for (const state of applied) say(state, "applied");
  if (applied.length === 0) process.stdout.write("nothing to do\n");
}

async function down(database: Database, set: MigrationSet): Promise<void> {
  const taken = await migrateDown(database, set);
  if (taken) say(taken, "taken back");
  else process.stdout.write("nothing to do\n");
}

function say({ number, name }: MigrationState, what: string): void {
  process.stdout.write(`${String(number).padStart(4, "0")}-${name}  ${what}\n`);
}
