import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, readdir, rename, stat, utimes } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CorruptionError, InvalidInputError, NotFoundError } from "@sightline/model/errors.ts";
import { z } from "zod";
import type { BackupTarget } from "./backup-target.ts";

const VERSION = 1;
const ID = /^\d{8}T\d{6}\.\d{3}Z$/;
const backupSchema = z.object({
  version: z.literal(VERSION),
  id: z.string().regex(ID),
  /** Of the release that wrote the data. */
  release: z.string(),
  files: z.array(
    z.object({
      /** Below the data directory; `mtimeMs` and size tell the next backup that it need not be read. */
      path: z.string().regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$)).+$/),
      bytes: z.number().int().min(0),
      mtimeMs: z.number(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});
export type Backup = z.output<typeof backupSchema>;
export type Progress = (done: { readonly files: number; readonly bytes: number; readonly ofBytes: number }) => void;

/**
 * Copies a directory that nobody changes meanwhile. Files that the target has already are not sent again. `nowMs` names
 * the backup. Gives what was made and how many bytes were new.
 */
export async function createBackup(
  dir: string,
  target: BackupTarget,
  options: { readonly nowMs: number; readonly release: string; readonly onProgress?: Progress },
): Promise<{ readonly backup: Backup; readonly newBytes: number }> {
  const found = await filesBelow(dir);
  const ofBytes = found.reduce((sum, { bytes }) => sum + bytes, 0);
  const kept = new Set<string>();
  for await (const name of target.list("files/")) kept.add(name);
  const known = await hashesOfNewest(target);
  const files: Backup["files"] = [];
  let [bytes, newBytes] = [0, 0];
  for (const file of found) {
    const path = join(dir, file.path);
    const sha256 = known.get(fileKey(file)) ?? (await sha256Of(createReadStream(path)));
    const name = objectOf(sha256);
    if (!kept.has(name)) {
      await target.writeFile(name, path, file.bytes);
      kept.add(name);
      newBytes += file.bytes;
    }
    files.push({ ...file, sha256 });
    bytes += file.bytes;
    options.onProgress?.({ files: files.length, bytes, ofBytes });
  }
  const id = new Date(options.nowMs).toISOString().replace(/[-:]/g, "");
  const backup: Backup = { version: VERSION, id, release: options.release, files };
  await target.writeText(`backups/${id}.json`, JSON.stringify(backup));
  return { backup, newBytes };
}

/** Ids, oldest first. */
export async function listBackups(target: BackupTarget): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const name of target.list("backups/")) {
    const id = name.slice("backups/".length, -".json".length);
    if (ID.test(id)) ids.push(id);
  }
  return ids.sort();
}

/** Throws `NotFoundError`, or `CorruptionError` when it can't be understood. */
export async function readBackup(target: BackupTarget, id: string): Promise<Backup> {
  if (!ID.test(id)) throw new NotFoundError(`no backup has the id ${JSON.stringify(id)}`);
  const pieces: Buffer[] = [];
  for await (const piece of await target.read(`backups/${id}.json`)) pieces.push(piece as Buffer);
  try {
    return backupSchema.parse(JSON.parse(Buffer.concat(pieces).toString()));
  } catch (cause) {
    throw new CorruptionError(`${target.address}: the backup ${id} can't be understood`, { cause });
  }
}

/** Reads everything and compares it with its checksums. Gives the paths of files that are damaged or missing. */
export async function verifyBackup(
  target: BackupTarget,
  backup: Backup,
  onProgress?: Progress,
): Promise<readonly string[]> {
  const ofBytes = sizeOf(backup);
  const damaged: string[] = [];
  let bytes = 0;
  for (const [i, file] of backup.files.entries()) {
    const isGood = await target.read(objectOf(file.sha256)).then(
      async (stream) => (await sha256Of(stream)) === file.sha256,
      (error: unknown) => {
        if (error instanceof NotFoundError) return false;
        throw error;
      },
    );
    if (!isGood) damaged.push(file.path);
    bytes += file.bytes;
    onProgress?.({ files: i + 1, bytes, ofBytes });
  }
  return damaged;
}

/**
 * Writes the files of a backup below `dir`, which must be empty or not exist. Throws `InvalidInputError` when it is not, and
 * `CorruptionError` for the first file that is not as it was.
 */
export async function restoreBackup(
  target: BackupTarget,
  backup: Backup,
  dir: string,
  onProgress?: Progress,
): Promise<void> {
  const there = await readdir(dir).catch(() => []);
  if (there.length > 0) throw new InvalidInputError(`${dir} is not empty: restore to a new directory`);
  // Under another name until it is whole, so that nobody starts a server on a part of it.
  const partial = `${dir}.partial`;
  await mkdir(partial, { recursive: true, mode: 0o700 });
  const ofBytes = sizeOf(backup);
  let bytes = 0;
  for (const [i, file] of backup.files.entries()) {
    await restoreFile(target, file, join(partial, file.path));
    bytes += file.bytes;
    onProgress?.({ files: i + 1, bytes, ofBytes });
  }
  await mkdir(dirname(dir), { recursive: true });
  await rename(partial, dir);
}

/** Removes a backup and the files that no other one has. Not while another one is being made. */
export async function removeBackup(target: BackupTarget, id: string): Promise<void> {
  const { files } = await readBackup(target, id);
  const others = (await listBackups(target)).filter((other) => other !== id);
  const needed = new Set<string>();
  for (const other of others) for (const { sha256 } of (await readBackup(target, other)).files) needed.add(sha256);
  await target.remove(`backups/${id}.json`);
  for (const sha256 of new Set(files.map((file) => file.sha256))) {
    if (!needed.has(sha256)) await target.remove(objectOf(sha256));
  }
}

export function sizeOf({ files }: Backup): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

type Found = Omit<Backup["files"][number], "sha256">;

async function filesBelow(dir: string): Promise<readonly Found[]> {
  const entries = await readdir(dir, { withFileTypes: true, recursive: true });
  const found: Found[] = [];
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const { size, mtimeMs } = await stat(path);
    found.push({ path: relative(dir, path), bytes: size, mtimeMs: Math.floor(mtimeMs) });
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What the newest backup knows of files, so that those that have not changed need not be read. */
async function hashesOfNewest(target: BackupTarget): Promise<ReadonlyMap<string, string>> {
  const newest = (await listBackups(target)).at(-1);
  if (newest === undefined) return new Map();
  const { files } = await readBackup(target, newest);
  return new Map(files.map((file) => [fileKey(file), file.sha256]));
}

function fileKey({ path, bytes, mtimeMs }: Found): string {
  return `${bytes} ${mtimeMs} ${path}`;
}

/** Two digits as a directory, because some file systems are slow with very many files in one. */
function objectOf(sha256: string): string {
  return `files/${sha256.slice(0, 2)}/${sha256}`;
}

async function sha256Of(stream: Readable): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(stream, hash);
  return hash.digest("hex");
}

async function restoreFile(target: BackupTarget, file: Backup["files"][number], path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const hash = createHash("sha256");
  const hashing = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(await target.read(objectOf(file.sha256)), hashing, createWriteStream(path, { mode: 0o600 }));
  if (hash.digest("hex") !== file.sha256) {
    throw new CorruptionError(
      `${target.address}: ${file.path} is damaged: restore another backup, or see backup verify`,
    );
  }
  const written = await open(path, "r+");
  await written.sync().finally(() => written.close());
  await utimes(path, new Date(file.mtimeMs), new Date(file.mtimeMs));
}
