import { readdirSync, readFileSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { InvalidInputError } from "@sightline/model/errors.ts";

const DIRECTORY = new URL("./migrations/", import.meta.url);

/**
 * Runs the migrations that a catalog has not had yet, in the order of their numbers, in one transaction; SQLite's
 * `user_version` says which was the last. Throws {@link InvalidInputError} for a catalog of a newer release.
 */
export function migrate(database: DatabaseSync, path: string): void {
  const files = readdirSync(DIRECTORY)
    .filter((name) => /^\d{4}-.+\.sql$/.test(name))
    .sort();
  const numberOf = (name: string) => Number(name.slice(0, 4));
  const newest = numberOf(files.at(-1) as string);
  if (userVersion(database) === newest) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    // Read again: another process may have migrated while this one waited for the lock.
    const version = userVersion(database);
    if (version > newest) {
      throw new InvalidInputError(
        `${path} was written by a newer release (catalog version ${version}, this one knows ${newest}): use that release`,
      );
    }
    for (const name of files) {
      if (numberOf(name) > version) database.exec(readFileSync(new URL(name, DIRECTORY), "utf8"));
    }
    database.exec(`PRAGMA user_version = ${newest}`);
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

function userVersion(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.user_version);
}
