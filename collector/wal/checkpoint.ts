import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { syncDirectory, type WalFiles } from "./wal-files.ts";

const FILE_NAME = "checkpoint.json";

/**
 * The position before which every store has made everything durable; undefined when the file is missing or damaged,
 * which costs a longer replay but loses nothing.
 */
export async function readCheckpoint(dir: string): Promise<number | undefined> {
  let text: string;
  try {
    text = await readFile(join(dir, FILE_NAME), "utf8");
  } catch {
    return undefined;
  }
  try {
    const { replayFrom, crc } = JSON.parse(text) as { replayFrom?: unknown; crc?: unknown };
    return Number.isSafeInteger(replayFrom) && crc === checksum(replayFrom as number)
      ? (replayFrom as number)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Durable, and either the old or the new one after a crash. */
export async function writeCheckpoint(files: WalFiles, dir: string, replayFrom: number): Promise<void> {
  const path = join(dir, FILE_NAME);
  const fd = await files.open(`${path}.new`, "w");
  try {
    await files.write(fd, [Buffer.from(`${JSON.stringify({ replayFrom, crc: checksum(replayFrom) })}\n`)], 0);
    await files.sync(fd);
  } finally {
    await files.close(fd);
  }
  await rename(`${path}.new`, path);
  await syncDirectory(files, dir);
}

/** A digit that has changed would otherwise pass for another position, and what is below it for done. */
function checksum(replayFrom: number): number {
  return crc32(String(replayFrom));
}
