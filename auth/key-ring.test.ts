import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "@sightline/model/logger.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { SqliteCatalog } from "@sightline/storage-catalog/sqlite-catalog.ts";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { grantKey } from "./key-grant.ts";
import { KeyRing } from "./key-ring.ts";

const dir = mkdtempSync(join(tmpdir(), "sightline-key-ring-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const component of open.splice(0).reverse()) await component.stop();
});

/** A ring on a catalog, and a second connection to it as the command line has one. */
async function ringAndCommand(logger: Logger = SILENT_LOGGER) {
  const path = join(dir, `${Math.random()}.db`);
  const [catalog, command] = [0, 1].map(() => new SqliteCatalog(path, { busyTimeoutMs: 10_000 })) as [
    SqliteCatalog,
    SqliteCatalog,
  ];
  const ring = new KeyRing({ catalog, logger });
  for (const component of [catalog, command, ring]) {
    await component.start();
    open.push(component);
  }
  return { ring, command };
}

const newKey = () => grantKey({ tenant: "shop", scopes: ["read"], name: "", expiresAtMs: undefined }, Date.now()).key;

test("notices what another process creates and revokes", async () => {
  const { ring, command } = await ringAndCommand();
  const key = newKey();
  await command.addKey(key);
  await vi.waitFor(() => expect(ring.find(key.id)).toMatchObject({ tenant: "shop" }), 20_000);
  await command.revokeKey(key.id, 5);
  await vi.waitFor(() => expect(ring.find(key.id)).toMatchObject({ revokedAtMs: 5 }), 20_000);
});

test("writes down the last use when it stops", async () => {
  const { ring, command } = await ringAndCommand();
  const key = newKey();
  await command.addKey(key);
  ring.noteUse(key.id, 7);
  ring.noteUse(key.id, 9);
  expect(await command.keys()).toMatchObject([{ lastUsedAtMs: undefined }]);
  await ring.stop();
  expect(await command.keys()).toMatchObject([{ lastUsedAtMs: 9 }]);
  await ring.stop();
});

test("says so when there is no key to get in with", async () => {
  const warnings: string[] = [];
  await ringAndCommand({ ...SILENT_LOGGER, warn: (message) => warnings.push(message) });
  expect(warnings).toEqual([expect.stringContaining("keys create")]);
});
