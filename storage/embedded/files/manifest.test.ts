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
  expect((await readdir(dir)).sort()).toEqual(["manifest.json", "manifest.json.copy"]);
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

const DAMAGES: [string, (bytes: Buffer) => Buffer][] = [
  ["a flipped byte", (bytes) => bytes.fill("X", 12, 13)],
  ["a torn end", (bytes) => bytes.subarray(0, -3)],
  ["an empty file", () => Buffer.alloc(0)],
];

test.each(DAMAGES)("after %s the copy stands in, until file and copy are alike again", async (_, damage) => {
  await (await Manifest.open(path, parse, { files: [] })).update(() => ({ files: ["a", "b"] }));
  const whole = await readFile(path);
  await writeFile(path, damage(Buffer.from(whole)));
  const manifest = await Manifest.open(path, parse, { files: [] });
  expect(manifest.value).toEqual({ files: ["a", "b"] });
  expect(manifest.damage?.message).toContain(path);
  await manifest.repair();
  expect(await readFile(path)).toEqual(whole);
  expect((await Manifest.open(path, parse, { files: [] })).damage).toBeUndefined();
});

test.each(DAMAGES)("%s of both is told from good files", async (_, damage) => {
  await (await Manifest.open(path, parse, { files: [] })).update(() => ({ files: ["a", "b"] }));
  for (const file of [path, `${path}.copy`]) await writeFile(file, damage(await readFile(file)));
  await expect(Manifest.open(path, parse, { files: [] })).rejects.toThrow(CorruptionError);
});

test("a damaged, missing or newer copy does not count, and is made anew", async () => {
  await (await Manifest.open(path, parse, { files: [] })).update(() => ({ files: ["a"] }));
  const whole = await readFile(path);
  await (await Manifest.open(path, parse, { files: [] })).update(() => ({ files: ["b"] }));
  const newer = await readFile(path);
  await writeFile(path, whole);
  for (const copy of [newer, Buffer.from("junk"), undefined]) {
    if (copy) await writeFile(`${path}.copy`, copy);
    else await rm(`${path}.copy`);
    const manifest = await Manifest.open(path, parse, { files: [] });
    expect(manifest).toMatchObject({ value: { files: ["a"] }, damage: undefined });
    await manifest.repair();
    expect(await readFile(`${path}.copy`)).toEqual(whole);
  }
});
