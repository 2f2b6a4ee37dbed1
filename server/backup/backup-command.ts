import { rm } from "node:fs/promises";
import { InvalidInputError, NotFoundError, UnavailableError } from "@sightline/model/errors.ts";
import {
  createBackup,
  listBackups,
  type Progress,
  readBackup,
  removeBackup,
  restoreBackup,
  sizeOf,
  verifyBackup,
} from "@sightline/storage-backup/backup.ts";
import type { BackupTarget } from "@sightline/storage-backup/backup-target.ts";
import { openTarget } from "@sightline/storage-backup/open-target.ts";
import { type Invocation, keyHeaders, type Options, urlOf } from "../command-options.ts";
import { VERSION } from "../version.ts";

const USAGE =
  "usage: backup create TARGET [--url http://HOST:PORT] [--key-file FILE] | backup list TARGET | backup verify TARGET [ID] | " +
  "backup remove TARGET ID… | backup restore TARGET [ID] --data-dir DIR; TARGET: a directory or s3://BUCKET/PREFIX";

type Action = (target: BackupTarget, invocation: Invocation) => Promise<number>;

const ACTIONS: ReadonlyMap<string, Action> = new Map([
  ["create", create],
  ["list", list],
  ["verify", verify],
  ["remove", remove],
  ["restore", restore],
]);

/** `sightline backup …`. Returns the exit code. */
export async function runBackup(invocation: Invocation): Promise<number> {
  const [name = "", place = ""] = invocation.words;
  const action = ACTIONS.get(name);
  if (!action || place === "") {
    process.stderr.write(`sightline: ${USAGE}\n`);
    return 2;
  }
  return action(await openTarget(place), invocation);
}

/** The id alone goes to standard output, so that a script can take it. */
async function create(target: BackupTarget, invocation: Invocation): Promise<number> {
  const dir = await askForCopy(invocation.options);
  try {
    const options = { nowMs: Date.now(), release: VERSION, onProgress: progress("copied") };
    const { backup, newBytes } = await createBackup(dir, target, options);
    const { length } = backup.files;
    tell(`${length} files, ${size(sizeOf(backup))}, of which ${size(newBytes)} were not in ${target.address} yet`);
    process.stdout.write(`${backup.id}\n`);
    return 0;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function list(target: BackupTarget): Promise<number> {
  const ids = await listBackups(target);
  for (const id of ids) {
    const backup = await readBackup(target, id);
    process.stdout.write(`${id}  ${size(sizeOf(backup))}  ${backup.files.length} files  release ${backup.release}\n`);
  }
  if (ids.length === 0) tell(`${target.address} has no backups`);
  return 0;
}

async function verify(target: BackupTarget, { words }: Invocation): Promise<number> {
  const backup = await readBackup(target, await chosen(target, words[2]));
  const damaged = await verifyBackup(target, backup, progress("read"));
  for (const path of damaged) process.stdout.write(`damaged or missing: ${path}\n`);
  tell(`${backup.id}: ${damaged.length === 0 ? "every file is as it was written" : `${damaged.length} files are bad`}`);
  return damaged.length === 0 ? 0 : 1;
}

async function remove(target: BackupTarget, { words }: Invocation): Promise<number> {
  const ids = words.slice(2);
  if (ids.length === 0) throw new InvalidInputError("backup remove needs the ID of a backup; backup list shows them");
  for (const id of ids) {
    await removeBackup(target, id);
    tell(`${id} is removed`);
  }
  return 0;
}

async function restore(target: BackupTarget, { words, options }: Invocation): Promise<number> {
  const { "data-dir": dataDir } = options as { "data-dir"?: string };
  if (dataDir === undefined)
    throw new InvalidInputError("backup restore needs --data-dir, a directory that is not there yet");
  const backup = await readBackup(target, await chosen(target, words[2]));
  await restoreBackup(target, backup, dataDir, progress("restored"));
  tell(`${backup.id} is in ${dataDir}: start with --data-dir ${dataDir}`);
  return 0;
}

/** Without an id, the newest. */
async function chosen(target: BackupTarget, id: string | undefined): Promise<string> {
  const found = id ?? (await listBackups(target)).at(-1);
  if (found === undefined) throw new NotFoundError(`${target.address} has no backups`);
  return found;
}

/** Of the running server, on this machine: its files are read here. */
async function askForCopy(options: Options): Promise<string> {
  const [url, headers] = [urlOf(options), keyHeaders(options)];
  let answer: Response;
  try {
    answer = await fetch(`${url}/api/v1/admin/copy`, { method: "POST", headers });
  } catch (cause) {
    throw new UnavailableError(
      `no server answers at ${url} (--url). Of one that is stopped, copy the data directory as it is`,
      { cause, retryAfterMs: 0 },
    );
  }
  const body = (await answer.json()) as { readonly data?: { readonly dir: string }; readonly error?: string };
  if (!answer.ok || !body.data)
    throw new UnavailableError(`${url}: ${body.error ?? answer.statusText}`, { retryAfterMs: 0 });
  return body.data.dir;
}

const PROGRESS_EVERY_MS = 2_000;

function progress(verb: string): Progress {
  let last = performance.now();
  return ({ files, bytes, ofBytes }) => {
    if (performance.now() - last < PROGRESS_EVERY_MS) return;
    last = performance.now();
    tell(`${verb} ${files} files, ${size(bytes)} of ${size(ofBytes)}`);
  };
}

function size(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}
