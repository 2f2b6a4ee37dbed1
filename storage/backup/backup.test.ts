import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createBackup, listBackups, readBackup, removeBackup, restoreBackup, verifyBackup } from "./backup.ts";
import type { BackupTarget } from "./backup-target.ts";
import { openTarget } from "./open-target.ts";

/** A bucket to write to, as s3://BUCKET/PREFIX, with the AWS_… variables that lead to it; without it only directories are tried. */
const S3 = process.env.SIGHTLINE_TEST_S3;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sightline-backup-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(dir: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}

function read(dir: string): Record<string, string> {
  const files = readdirSync(dir, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(paths.map((path) => [relative(dir, path), readFileSync(path, "utf8")]));
}

const options = (nowMs: number) => ({ nowMs, release: "1.2.3" });
async function all(target: BackupTarget): Promise<string[]> {
  const names: string[] = [];
  for await (const name of target.list("")) names.push(name);
  return names.sort();
}
const data = { "metrics/a.block": "aaaa", "logs/segments/1.parquet": "llll", "logs/copy": "aaaa", "catalog.db": "" };

const places: readonly [string, () => string][] = [["a directory", () => join(root, "target")]];
const buckets: readonly [string, () => string][] = S3 ? [["S3", () => `${S3}/${Date.now()}-${Math.random()}`]] : [];

describe.each([...places, ...buckets])("backups in %s", (_, place) => {
  test("bring every file back as it was", async () => {
    const target = await openTarget(place());
    const { backup } = await createBackup(write(join(root, "data"), data), target, options(1_700_000_000_123));
    expect(backup.id).toBe("20231114T221320.123Z");
    expect(await listBackups(target)).toEqual([backup.id]);
    const restored = join(root, "deep", "restored");
    await restoreBackup(target, await readBackup(target, backup.id), restored);
    expect(read(restored)).toEqual(data);
    const mtime = (dir: string) => Math.floor(statSync(join(dir, "metrics/a.block")).mtimeMs);
    expect(mtime(restored)).toBe(mtime(join(root, "data")));
  });

  test("share the files they have in common, and read only what has changed", async () => {
    const target = await openTarget(place());
    const dir = write(join(root, "data"), data);
    const first = await createBackup(dir, target, options(1_000));
    expect(first.newBytes).toBe(8);
    write(dir, { "metrics/b.block": "bb" });
    // As if the disk had changed it unseen: the same size and time mean the same file.
    const { mtime } = statSync(join(dir, "logs/copy"));
    write(dir, { "logs/copy": "xxxx" });
    utimesSync(
      join(dir, "logs/copy"),
      mtime,
      new Date(first.backup.files.find((file) => file.path === "logs/copy")?.mtimeMs ?? 0),
    );
    const second = await createBackup(dir, target, options(2_000));
    expect(second.newBytes).toBe(2);
    expect((await all(target)).filter((name) => name.startsWith("files/"))).toHaveLength(4);
  });

  test("can be removed without taking the files of others along", async () => {
    const target = await openTarget(place());
    const dir = write(join(root, "data"), { a: "same", b: "old" });
    const { backup: old } = await createBackup(dir, target, options(1_000));
    write(dir, { b: "newer" });
    const { backup } = await createBackup(dir, target, options(2_000));
    await removeBackup(target, old.id);
    expect(await listBackups(target)).toEqual([backup.id]);
    expect(await verifyBackup(target, backup)).toEqual([]);
    await removeBackup(target, backup.id);
    expect(await all(target)).toEqual([]);
    await expect(removeBackup(target, backup.id)).rejects.toThrow("is not there");
  });

  test("that are damaged say which files, and are not restored as if they were good", async () => {
    const target = await openTarget(place());
    const { backup } = await createBackup(write(join(root, "data"), { a: "one", b: "two" }), target, options(1_000));
    const [one, two] = (await all(target)).filter((name) => name.startsWith("files/"));
    await target.writeText(one as string, "other");
    await target.remove(two as string);
    expect([...(await verifyBackup(target, backup))].sort()).toEqual(["a", "b"]);
    const dir = join(root, "restored");
    await expect(restoreBackup(target, backup, dir)).rejects.toThrow(/is damaged|is not there/);
    expect(readdirSync(root)).not.toContain("restored");
  });

  test("that were broken off do not exist", async () => {
    const target = await openTarget(place());
    const dir = write(join(root, "data"), data);
    target.writeFile = async () => {
      throw new Error("the network is gone");
    };
    await expect(createBackup(dir, target, options(1_000))).rejects.toThrow("the network is gone");
    expect(await listBackups(target)).toEqual([]);
  });
});

test("nothing is restored over something else", async () => {
  const target = await openTarget(join(root, "target"));
  const { backup } = await createBackup(write(join(root, "data"), data), target, options(1_000));
  await expect(restoreBackup(target, backup, join(root, "data"))).rejects.toThrow("is not empty");
});

test("a backup can't write outside of the data directory", async () => {
  const target = await openTarget(join(root, "target"));
  const { backup } = await createBackup(write(join(root, "data"), { a: "x" }), target, options(1_000));
  for (const path of ["../evil", "/etc/evil", "a/../../evil"]) {
    const files = backup.files.map((file) => ({ ...file, path }));
    await target.writeText(`backups/${backup.id}.json`, JSON.stringify({ ...backup, files }));
    await expect(readBackup(target, backup.id)).rejects.toThrow("can't be understood");
  }
  await expect(readBackup(target, "../../etc/passwd")).rejects.toThrow("no backup has the id");
});

test.each(["", "ftp://host/x", "s3://", "s3://UPPER CASE/x", "s3://bucket/?x"])(
  "%j is no place for backups",
  async (text) => {
    await expect(openTarget(text)).rejects.toThrow("give a directory or s3://BUCKET/PREFIX");
  },
);
