import type { ApiKey, KeyCatalog } from "@sightline/model/access.ts";
import {
  type AlertmanagerConfigCatalog,
  KEPT_ALERTMANAGER_CONFIGS,
  type StoredAlertmanagerConfig,
} from "@sightline/model/alertmanager-configs.ts";
import type { AuditLog } from "@sightline/model/audit-log.ts";
import type { RuleCatalog, StoredRuleGroup } from "@sightline/model/rules.ts";
import { tenantId } from "@sightline/model/tenant.ts";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

export type Catalog = KeyCatalog & AuditLog & RuleCatalog & AlertmanagerConfigCatalog;
/** Catalogs of processes that use the same data. */
export type CatalogFixture = {
  /** As one more process would, started. */
  open(): Promise<Catalog>;
  dispose(): Promise<void>;
};

export function exampleKey(id: string, more: Partial<ApiKey> = {}): ApiKey {
  return {
    id,
    name: `key ${id}`,
    tenant: tenantId("shop"),
    scopes: ["ingest", "read"],
    hash: new Uint8Array(32).fill(7),
    createdAtMs: 1_700_000_000_123,
    ...more,
  };
}

function exampleRuleGroup(name: string, text: string): Omit<StoredRuleGroup, "version"> {
  const changed = { changedAtMs: 1_700_000_000_123, changedBy: "key at ::1" };
  return { tenant: tenantId("shop"), namespace: "ns/1", name, text, language: "logql", ...changed };
}

function exampleAlertmanagerConfig(tenant: string, text: string): Omit<StoredAlertmanagerConfig, "version"> {
  return { tenant: tenantId(tenant), text, changedAtMs: 1_700_000_000_123, changedBy: "key at ::1" };
}

/** What every catalog must do. */
export function describeCatalog(name: string, make: () => Promise<CatalogFixture>): void {
  describe(`${name} as a catalog`, () => {
    let fixture: CatalogFixture;
    beforeEach(async () => {
      fixture = await make();
    });
    afterEach(() => fixture.dispose());

    test("keys come back as they were added, in a new process too, oldest first", async () => {
      const newer = exampleKey("a", {
        createdAtMs: 2_000,
        expiresAtMs: 3_000,
        scopes: ["admin"],
        tenant: tenantId("*"),
      });
      const older = exampleKey("b", { createdAtMs: 1_000, name: "it's; -- \u{1f511}" });
      const first = await fixture.open();
      await first.addKey(newer);
      await first.addKey(older);
      const want = [older, newer].map((one) => expect.objectContaining({ ...one, revokedAtMs: undefined }));
      expect(await first.keys()).toEqual(want);
      await first.stop();
      expect(await (await fixture.open()).keys()).toEqual(want);
    });

    test("groups of rules are what they were last, and what they were before is kept", async () => {
      const first = await fixture.open();
      const second = await fixture.open();
      const revision = await second.ruleRevision();
      const a = exampleRuleGroup("a", "x: 1");
      expect(await first.changeRuleGroup(a)).toBe(1);
      expect(await first.changeRuleGroup(exampleRuleGroup("b", "gone: 1"))).toBe(1);
      expect(await second.changeRuleGroup({ ...a, text: "x: 2", changedBy: "else" })).toBe(2);
      expect(await first.changeRuleGroup(exampleRuleGroup("b", ""))).toBe(2);
      expect(await second.ruleRevision()).not.toBe(revision);
      expect(await first.ruleGroups()).toEqual([{ ...a, version: 2, text: "x: 2", changedBy: "else" }]);
      const versions = await second.ruleGroupVersions(a.tenant, a.namespace, "b");
      expect(versions.map(({ version, text }) => [version, text])).toEqual([
        [2, ""],
        [1, "gone: 1"],
      ]);
    });

    test("configurations of Alertmanager are what they were last, and what they were before is kept", async () => {
      const first = await fixture.open();
      const second = await fixture.open();
      const revision = await second.alertmanagerConfigRevision();
      expect(await second.alertmanagerConfigRevision()).toBe(revision);
      const shop = exampleAlertmanagerConfig("shop", "it's; -- 1");
      expect(await first.changeAlertmanagerConfig(shop)).toBe(1);
      expect(await first.changeAlertmanagerConfig(exampleAlertmanagerConfig("bank", "gone"))).toBe(1);
      expect(await second.changeAlertmanagerConfig({ ...shop, text: "2", changedBy: "else" })).toBe(2);
      expect(await first.changeAlertmanagerConfig(exampleAlertmanagerConfig("bank", ""))).toBe(2);
      expect(await second.alertmanagerConfigRevision()).not.toBe(revision);
      expect(await first.alertmanagerConfigs()).toEqual([{ ...shop, version: 2, text: "2", changedBy: "else" }]);
      expect(await second.alertmanagerConfigVersions(shop.tenant)).toEqual([
        { ...shop, version: 2, text: "2", changedBy: "else" },
        { ...shop, version: 1 },
      ]);
    });

    test("of a configuration of Alertmanager only the newest versions are kept", async () => {
      const catalog = await fixture.open();
      const last = KEPT_ALERTMANAGER_CONFIGS + 3;
      for (let i = 1; i <= last; i++) {
        expect(await catalog.changeAlertmanagerConfig(exampleAlertmanagerConfig("shop", String(i)))).toBe(i);
      }
      await catalog.changeAlertmanagerConfig(exampleAlertmanagerConfig("bank", "one"));
      const versions = await catalog.alertmanagerConfigVersions(tenantId("shop"));
      expect([versions.length, versions[0]?.text]).toEqual([KEPT_ALERTMANAGER_CONFIGS, String(last)]);
      expect(await catalog.alertmanagerConfigs()).toMatchObject([{ tenant: "bank" }, { tenant: "shop" }]);
    });

    test("a key is revoked once", async () => {
      const catalog = await fixture.open();
      await catalog.addKey(exampleKey("a"));
      expect(await catalog.revokeKey("nobody", 5)).toBe(false);
      expect(await catalog.revokeKey("a", 5)).toBe(true);
      expect(await catalog.revokeKey("a", 6)).toBe(false);
      expect(await catalog.keys()).toMatchObject([{ id: "a", revokedAtMs: 5 }]);
    });

    test("the last use only moves on, and unknown keys are ignored", async () => {
      const catalog = await fixture.open();
      await catalog.addKey(exampleKey("a"));
      await catalog.addKey(exampleKey("b", { createdAtMs: 1_800_000_000_000 }));
      await catalog.markKeysUsed(new Map([["a", 500.7], ["c", 9]])); // biome-ignore format: a table
      await catalog.markKeysUsed(new Map([["a", 400], ["b", 600]])); // biome-ignore format: a table
      expect(await catalog.keys()).toMatchObject([{ lastUsedAtMs: 500 }, { lastUsedAtMs: 600 }]);
    });

    test("the revision moves with what another process changes, and not without", async () => {
      const server = await fixture.open();
      const command = await fixture.open();
      const before = await server.revision();
      expect(await server.revision()).toBe(before);
      await command.addKey(exampleKey("a"));
      const added = await server.revision();
      expect(added).not.toBe(before);
      await command.revokeKey("a", 5);
      expect(await server.revision()).not.toBe(added);
      expect(await server.keys()).toHaveLength(1);
    });

    test("audit entries come back newest first, for their tenant alone, in a new process too", async () => {
      const first = await fixture.open();
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
      const second = await fixture.open();
      expect(await second.entries(tenantId("shop"), 10)).toEqual([entry(2, "shop"), entry(1, "shop")]);
      expect(await second.entries(tenantId("shop"), 1)).toEqual([entry(2, "shop")]);
      expect(await second.entries(tenantId("nobody"), 10)).toEqual([]);
    });

    test("the same id twice is an error, not another key", async () => {
      const catalog = await fixture.open();
      await catalog.addKey(exampleKey("a"));
      await expect(catalog.addKey(exampleKey("a", { name: "other" }))).rejects.toThrow(/unique/i);
      expect(await catalog.keys()).toMatchObject([{ name: "key a" }]);
    });
  });
}
