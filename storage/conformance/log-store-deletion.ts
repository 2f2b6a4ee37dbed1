import type { LogStore } from "@sightline/model/log-store.ts";
import type { RowDeletion } from "@sightline/model/row-deletion.ts";
import { DEFAULT_TENANT, tenantId } from "@sightline/model/tenant.ts";
import { describe, expect, test } from "vitest";
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

/** Deleting records: at once for queries, later for the disk, and not at all when it is cancelled in time. */
export function describeLogDeletion(given: Given): void {
  const left = async (store: LogStore) => (await bodies(store)).join();
  const streams = async (store: LogStore) => {
    const found = await store.streams({ ...all, matchers: [] }, on);
    return [...new Set(found.map(({ labels }) => labels[0]?.[1]))].sort();
  };

  describe.each(PLACES)("deleting what is %s", (where) => {
    const write = writer(where);
    test.each<[string, Partial<RowDeletion>, string, readonly string[]]>([
      ["of a stream", { matchers: [{ name: "app", op: "=", value: "web" }] }, "pay 1,pay 2", ["shop"]],
      ["with a line", { line: [{ op: "|~", text: "^pay [0-1]" }] }, "login,login,pay 2", ["shop", "web"]],
      ["of a range of time", { range: { startNs: T + 1n, endNs: T + 3n } }, "login,pay 2", ["shop", "web"]],
      [
        "with an attribute, of the record or its resource",
        { attributes: [{ name: "user.id", op: "=", value: "ann" }] },
        "login,pay 2",
        ["shop", "web"],
      ],
      [
        "without an attribute",
        { attributes: [{ name: "user.id", op: "=", value: "" }] },
        "login,login,pay 1",
        ["shop", "web"],
      ],
      ["that is all there is", {}, "", []],
      ["that is not there", { line: [{ op: "|=", text: "nowhere" }] }, "login,login,pay 1,pay 2", ["shop", "web"]],
    ])(
      "records %s: no query sees them, now, after a crash and when they are removed",
      async (_, what, wanted, apps) => {
        const { store, fixture } = given();
        await write(store, rows);
        await write(store, rows, OTHER_TENANT);
        const deletion = await store.deleteRows({ ...all, ...what }, on);
        expect(deletion).toMatchObject({ rows: 4 - wanted.split(",").filter(Boolean).length, description: "some" });
        expect([await left(store), await streams(store)]).toEqual([wanted, apps]);
        const again = await fixture.reopen();
        expect([await left(again), await streams(again)]).toEqual([wanted, apps]);
        await fixture.maintain?.();
        expect([await left(again), await streams(again)]).toEqual([wanted, apps]);
        const states = (await again.deletions(DEFAULT_TENANT)).map(({ state, id }) => [state, id]);
        expect(states).toEqual([[fixture.maintain || deletion.rows === 0 ? "removed" : "hidden", deletion.id]]);
        expect(await bodies(again, { tenant: OTHER_TENANT })).toHaveLength(4);
      },
    );
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
