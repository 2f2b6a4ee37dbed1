import { existsSync, readFileSync } from "node:fs";
import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { InvalidInputError } from "@sightline/model/errors.ts";

/** Lists the directories that were made, a line each. */
const FILE_NAME = "directories";

/**
 * Throws {@link InvalidInputError} when a directory is gone that an earlier run has made: it was removed, or its volume is
 * not mounted, and an empty one in its place would pass for all the data there is.
 */
export function assertNothingIsGone(dataDir: string): void {
  const path = join(dataDir, FILE_NAME);
  if (!existsSync(path)) return;
  for (const name of readFileSync(path, "utf8").split("\n")) {
    if (name === "" || existsSync(join(dataDir, name))) continue;
    throw new InvalidInputError(
      `${join(dataDir, name)} is gone, and with it what was kept there: bring it back (is its volume mounted?), or make an empty directory to begin anew`,
    );
  }
}

/** Remembers those of the directories that exist now. */
export async function rememberDirectories(dataDir: string, names: readonly string[]): Promise<void> {
  const made = names.filter((name) => existsSync(join(dataDir, name)));
  const text = made.map((name) => `${name}\n`).join("");
  const path = join(dataDir, FILE_NAME);
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  await mkdir(dataDir, { recursive: true });
  const file = await open(`${path}.new`, "w");
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}
