import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes `path` hold exactly `bytes`, durably: after a crash the file has either its old content or all of the new one.
 * When the promise settles, file and directory entry are on disk. Two calls for one path must not overlap.
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    const file = await open(temporary, "w");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Makes the names in a directory durable: needed after creating, renaming or deleting a file in it. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
