import type { LogStore } from "@sightline/model/log-store.ts";
import type { Deletion, RowDeletion } from "@sightline/model/row-deletion.ts";
import { DEFAULT_TENANT, type TenantId, tenantId } from "@sightline/model/tenant.ts";
import { expect, test } from "vitest";
import type { LogRow } from "./log-batch-of.ts";
import { append, bodies, type LogStoreFixture, NOW, on, PLACES, T, writer } from "./log-store-fixture.ts";

const OTHER_TENANT = tenantId("other");
type Given = () => { readonly store: LogStore; readonly fixture: LogStoreFixture };

const user = (name: string): LogRow["attributes"] => [{ name: "user.id", type: "string", value: name }];
const rows: readonly LogRow[] = [
  { timeNs: T, body: "login", labels: { app: "web" }, attributes: user("ann") ?? [] },
  { timeNs: T + 1n, body: "login", labels: { app: "web" }, attributes: user("bob") ?? [] },
  { timeNs: T + 2n, body: "pay 1", labels: { app: "shop" }, resource: user("ann") ?? [] },
  { timeNs: T + 3n, body: "pay 2", labels: { app: "shop" } },
];
const all: RowDeletion = {
  tenant: DEFAULT_TENANT,
  range: { startNs: T, endNs: NOW },
  matchers: [],
  line: [],
  attributes: [],
  description: "some",
};

type Case = {
  readonly what: string;
  readonly request: Partial<RowDeletion>;
  /** Bodies, and streams by their app. */
  readonly left: readonly string[];
  readonly apps: readonly string[];
};
const CASES: readonly Case[] = [
  {
    what: "of a stream",
    request: { matchers: [{ name: "app", op: "=", value: "web" }] },
    left: ["pay 1", "pay 2"],
    apps: ["shop"],
  },
  {
    what: "with a line",
    request: { line: [{ op: "|~", text: "^pay [0-1]" }] },
    left: ["login", "login", "pay 2"],
    apps: ["shop", "web"],
  },
  {
    what: "of a range of time",
    request: { range: { startNs: T + 1n, endNs: T + 3n } },
    left: ["login", "pay 2"],
    apps: ["shop", "web"],
  },
  {
    what: "with an attribute, of the record or its resource",
    request: { attributes: [{ name: "user.id", op: "=", value: "ann" }] },
    left: ["login", "pay 2"],
    apps: ["shop", "web"],
  },
  {
    what: "without an attribute",
    request: { attributes: [{ name: "user.id", op: "=", value: "" }] },
    left: ["login", "login", "pay 1"],
    apps: ["shop", "web"],
  },
  { what: "that is all there is", request: {}, left: [], apps: [] },
  {
    what: "that is not there",
    request: { line: [{ op: "|=", text: "nowhere" }] },
    left: ["login", "login", "pay 1", "pay 2"],
    apps: ["shop", "web"],
  },
];

/** Deleting records: at once for queries, later for the disk, and not at all when it is cancelled in time. */
export function describeLogDeletion(given: Given): void {
  const left = async (store: LogStore) => (await bodies(store)).join();
  const appsOf = async (store: LogStore, tenant: TenantId) => {
    const found = await store.streams({ ...all, tenant, matchers: [] }, on);
    return [...new Set(found.map(({ labels }) => labels[0]?.[1]))].sort();
  };

  test.each(PLACES)("no query sees what was deleted %s, now, after a crash and when it is removed", async (where) => {
    const { store, fixture } = given();
    const write = writer(where);
    await write(store, rows, OTHER_TENANT);
    const deletions: { readonly tenant: TenantId; readonly wanted: Case; readonly deletion: Deletion }[] = [];
    for (const [i, wanted] of CASES.entries()) {
      const tenant = tenantId(`deletes-${i}`);
      await write(store, rows, tenant);
      const deletion = await store.deleteRows({ ...all, ...wanted.request, tenant }, on);
      expect([wanted.what, deletion]).toMatchObject([
        wanted.what,
        { rows: rows.length - wanted.left.length, description: "some" },
      ]);
      deletions.push({ tenant, wanted, deletion });
    }
    const check = async (current: LogStore) => {
      for (const { tenant, wanted } of deletions) {
        const { what, left, apps } = wanted;
        const found = { what, left: await bodies(current, { tenant }), apps: await appsOf(current, tenant) };
        expect(found).toEqual({ what, left, apps });
      }
      expect(await bodies(current, { tenant: OTHER_TENANT })).toHaveLength(rows.length);
    };
    await check(store);
    const again = await fixture.reopen();
    await check(again);
    await fixture.maintain?.();
    await check(again);
    for (const { tenant, wanted, deletion } of deletions) {
      const states = (await again.deletions(tenant)).map(({ state, id }) => [wanted.what, state, id]);
      const state = fixture.maintain || deletion.rows === 0 ? "removed" : "hidden";
      expect(states).toEqual([[wanted.what, state, deletion.id]]);
    }
  });

  test("records that come later are not deleted", async () => {
    const { store } = given();
    await append(store, rows);
    await store.deleteRows(all, on);
    await append(store, rows.slice(1, 2));
    expect(await left(store)).toBe("login");
  });

  test("what was deleted twice comes back only when both are cancelled", async () => {
    const { store } = given();
    await append(store, rows);
    const first = await store.deleteRows({ ...all, line: [{ op: "|=", text: "pay" }] }, on);
    const second = await store.deleteRows(all, on);
    expect([first.rows, second.rows]).toEqual([2, 2]);
    expect(await store.cancelDeletion(DEFAULT_TENANT, first.id)).toBe(true);
    expect(await left(store)).toBe("pay 1,pay 2");
    expect(await store.cancelDeletion(OTHER_TENANT, second.id)).toBe(false);
    expect(await store.cancelDeletion(DEFAULT_TENANT, second.id)).toBe(true);
    expect(await left(store)).toBe("login,login,pay 1,pay 2");
  });

  test("what is deleted after a cancelled deletion is what is gone", async () => {
    const { store } = given();
    await append(store, rows);
    const first = await store.deleteRows({ ...all, line: [{ op: "|=", text: "pay" }] }, on);
    expect(await left(store)).toBe("login,login");
    expect(await store.cancelDeletion(DEFAULT_TENANT, first.id)).toBe(true);
    const second = await store.deleteRows({ ...all, line: [{ op: "|=", text: "login" }] }, on);
    expect(await left(store)).toBe("pay 1,pay 2");
    expect(second.id).not.toBe(first.id);
    expect(await store.cancelDeletion(DEFAULT_TENANT, first.id)).toBe(false);
  });

  test("what is removed can't be cancelled, and the files no longer have it", async () => {
    const { store, fixture } = given();
    if (!fixture.maintain) return;
    await append(store, rows);
    const { id } = await store.deleteRows({ ...all, line: [{ op: "|=", text: "pay" }] }, on);
    await fixture.maintain();
    expect(await store.cancelDeletion(DEFAULT_TENANT, id)).toBe(false);
    expect(await left(store)).toBe("login,login");
  });

  test("a wrong regular expression is an error, and nothing is deleted", async () => {
    const { store } = given();
    await append(store, rows);
    const wrong = { ...all, attributes: [{ name: "a", op: "=~" as const, value: "(" }] };
    await expect((async () => store.deleteRows(wrong, on))()).rejects.toThrow("(");
    expect(await left(store)).toBe("login,login,pay 1,pay 2");
  });
}
