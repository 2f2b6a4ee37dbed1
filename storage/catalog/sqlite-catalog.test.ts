import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describeCatalog, exampleKey } from "@sightline/storage-conformance/catalog.ts";
import { afterAll, afterEach, expect, test } from "vitest";
import { SqliteCatalog } from "./sqlite-catalog.ts";

const dir = mkdtempSync(join(tmpdir(), "sightline-catalog-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const open: SqliteCatalog[] = [];
afterEach(async () => {
  for (const catalog of open.splice(0)) await catalog.stop();
});
let files = 0;
const newPath = () => join(dir, String(++files), "catalog.db");

async function catalogAt(path: string): Promise<SqliteCatalog> {
  const catalog = new SqliteCatalog(path, { busyTimeoutMs: 20 });
  open.push(catalog);
  await catalog.start();
  return catalog;
}

describeCatalog("SqliteCatalog", async () => {
  const path = newPath();
  return { open: () => catalogAt(path), dispose: async () => {} };
});

test("while another process writes, reading goes on and writing can be tried again", async () => {
  const path = newPath();
  const catalog = await catalogAt(path);
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  expect(await catalog.keys()).toEqual([]);
  await expect(catalog.addKey(exampleKey("a"))).rejects.toMatchObject({
    name: "UnavailableError",
    retryAfterMs: 1_000,
  });
  other.exec("COMMIT");
  other.close();
  await catalog.addKey(exampleKey("a"));
});

test("only the owner of the process can read the file", async () => {
  const path = newPath();
  await catalogAt(path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a catalog of a newer release and a file that is no catalog are refused, naming the file", async () => {
  const path = newPath();
  await (await catalogAt(path)).stop();
  const database = new DatabaseSync(path);
  database.exec("PRAGMA user_version = 9999");
  database.close();
  await expect(catalogAt(path)).rejects.toThrow(/catalog\.db was written by a newer release .*9999/);
  const broken = join(dir, "broken.db");
  writeFileSync(broken, "not a database, ".repeat(300));
  await expect(catalogAt(broken)).rejects.toMatchObject({
    name: "CorruptionError",
    message: expect.stringContaining(broken),
  });
});

test.each([
  ["a table that is gone", "DROP TABLE api_keys"],
  ["a table without a column", "ALTER TABLE api_keys RENAME COLUMN created_at_ms TO created"],
  ["a table of another name", "ALTER TABLE api_keys RENAME TO api"],
])("a catalog with %s is damaged: waiting would not help", async (_, sql) => {
  const path = newPath();
  await (await catalogAt(path)).stop();
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
  await expect((await catalogAt(path)).keys()).rejects.toMatchObject({
    name: "CorruptionError",
    message: expect.stringContaining(path),
  });
});

test("a catalog that has forgotten how new it is does not start", async () => {
  const path = newPath();
  await (await catalogAt(path)).stop();
  const database = new DatabaseSync(path);
  database.exec("PRAGMA user_version = 0");
  database.close();
  await expect(catalogAt(path)).rejects.toMatchObject({ name: "CorruptionError" });
});
