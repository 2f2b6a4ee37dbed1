import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { ApiKey } from "@sightline/model/ports.ts";
import { tenantId } from "@sightline/model/tenant.ts";
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

const key = (id: string, more: Partial<ApiKey> = {}): ApiKey => ({
  id,
  name: `key ${id}`,
  tenant: tenantId("shop"),
  scopes: ["ingest", "read"],
  hash: new Uint8Array(32).fill(7),
  createdAtMs: 1_700_000_000_123,
  ...more,
});

test("keys come back as they were added, in a new process too, oldest first", async () => {
  const path = newPath();
  const newer = key("a", { createdAtMs: 2_000, expiresAtMs: 3_000, scopes: ["admin"], tenant: tenantId("*") });
  const older = key("b", { createdAtMs: 1_000, name: "it's; -- \u{1f511}" });
  const first = await catalogAt(path);
  await first.addKey(newer);
  await first.addKey(older);
  const want = [older, newer].map((one) => expect.objectContaining({ ...one, revokedAtMs: undefined }));
  expect(await first.keys()).toEqual(want);
  await first.stop();
  expect(await (await catalogAt(path)).keys()).toEqual(want);
});

test("a key is revoked once", async () => {
  const catalog = await catalogAt(newPath());
  await catalog.addKey(key("a"));
  expect(await catalog.revokeKey("nobody", 5)).toBe(false);
  expect(await catalog.revokeKey("a", 5)).toBe(true);
  expect(await catalog.revokeKey("a", 6)).toBe(false);
  expect(await catalog.keys()).toMatchObject([{ id: "a", revokedAtMs: 5 }]);
});

test("the last use only moves on, and unknown keys are ignored", async () => {
  const catalog = await catalogAt(newPath());
  await catalog.addKey(key("a"));
  await catalog.addKey(key("b", { createdAtMs: 1_800_000_000_000 }));
  await catalog.markKeysUsed(new Map([["a", 500.7], ["c", 9]])); // biome-ignore format: a table
  await catalog.markKeysUsed(new Map([["a", 400], ["b", 600]])); // biome-ignore format: a table
  expect(await catalog.keys()).toMatchObject([{ lastUsedAtMs: 500 }, { lastUsedAtMs: 600 }]);
});

test("the revision moves with what another connection changes, and not without", async () => {
  const path = newPath();
  const server = await catalogAt(path);
  const command = await catalogAt(path);
  const before = await server.revision();
  expect(await server.revision()).toBe(before);
  await command.addKey(key("a"));
  expect(await server.revision()).not.toBe(before);
  expect(await server.keys()).toHaveLength(1);
});

test("audit entries come back newest first, for their tenant alone, in a new process too", async () => {
  const path = newPath();
  const first = await catalogAt(path);
  const entry = (atMs: number, tenant: string) => ({
    atMs,
    tenant: tenantId(tenant),
    keyId: "abc",
    client: "127.0.0.1",
    action: "delete",
    details: { rows: 3, note: "it's; --" },
  });
  for (const [at, tenant] of [[1, "shop"], [3, "bank"], [2, "shop"]] as const) await first.addEntry(entry(at, tenant)); // biome-ignore format: a table
  await first.stop();
  const second = await catalogAt(path);
  expect(await second.entries(tenantId("shop"), 10)).toEqual([entry(2, "shop"), entry(1, "shop")]);
  expect(await second.entries(tenantId("shop"), 1)).toEqual([entry(2, "shop")]);
  expect(await second.entries(tenantId("nobody"), 10)).toEqual([]);
});

test("the same id twice is an error, not another key", async () => {
  const catalog = await catalogAt(newPath());
  await catalog.addKey(key("a"));
  await expect(catalog.addKey(key("a", { name: "other" }))).rejects.toThrow(/UNIQUE/);
});

test("while another process writes, reading goes on and writing can be tried again", async () => {
  const path = newPath();
  const catalog = await catalogAt(path);
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  expect(await catalog.keys()).toEqual([]);
  await expect(catalog.addKey(key("a"))).rejects.toMatchObject({ name: "UnavailableError", retryAfterMs: 1_000 });
  other.exec("COMMIT");
  other.close();
  await catalog.addKey(key("a"));
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
