import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CorruptionError } from "@sightline/model/errors.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Manifest } from "./manifest.ts";

type Value = { readonly files: readonly string[] };
const parse = (json: unknown) => json as Value;
let dir: string;
let path: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "manifest-"));
  path = join(dir, "manifest.json");
});
afterEach(() => rm(dir, { recursive: true }));

test("has the initial value until something is written, and the newest afterwards", async () => {
  const manifest = await Manifest.open(path, parse, { files: [] });
  expect(manifest.value).toEqual({ files: [] });
  await manifest.update(() => ({ files: ["a ä"] }));
  expect(manifest.value).toEqual({ files: ["a ä"] });
  expect((await Manifest.open(path, parse, { files: [] })).value).toEqual({ files: ["a ä"] });
});

test("concurrent updates build upon each other", async () => {
  const manifest = await Manifest.open(path, parse, { files: [] });
  const add = (file: string) => manifest.update(({ files }) => ({ files: [...files, file] }));
  await Promise.all([add("1"), add("2"), add("3")]);
  expect(manifest.value.files).toEqual(["1", "2", "3"]);
  expect(await readdir(dir)).toEqual(["manifest.json"]);
});

test("a failed update leaves the value and lets the next one through", async () => {
  const manifest = await Manifest.open(path, parse, { files: ["old"] });
  const failed = manifest.update(() => {
    throw new Error("no");
  });
  await expect(failed).rejects.toThrow("no");
  await manifest.update(({ files }) => ({ files: [...files, "new"] }));
  expect(manifest.value.files).toEqual(["old", "new"]);
});

test.each([
  ["a flipped byte", (bytes: Buffer) => bytes.fill("X", 12, 13)],
  ["a torn end", (bytes: Buffer) => bytes.subarray(0, -3)],
  ["an empty file", () => Buffer.alloc(0)],
])("%s is told from a good file", async (_, damage) => {
  await (await Manifest.open(path, parse, { files: [] })).update(() => ({ files: ["a", "b"] }));
  await writeFile(path, damage(await readFile(path)));
  await expect(Manifest.open(path, parse, { files: [] })).rejects.toThrow(CorruptionError);
});
