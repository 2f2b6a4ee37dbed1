import { setTimeout as sleep } from "node:timers/promises";
import { UnavailableError } from "@sightline/model/errors.ts";
import { DEFAULT_TENANT, tenantId } from "@sightline/model/tenant.ts";
import { type LogRow, logBatchOf, logRowsOf } from "@sightline/storage-conformance/log-batch-of.ts";
import { bodies, NOW, nextPosition, on, select, T } from "@sightline/storage-conformance/log-store-fixture.ts";
import { OpenSearchLogStore } from "@sightline/storage-opensearch/logs/open-search-log-store.ts";
import type { OpenSearchStoreOptions } from "@sightline/storage-opensearch/rows/rows-store.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FlakyProxy } from "./flaky-proxy.ts";
import { type OpenSearchNode, OpenSearchStores, openSearchMissing, openSearchNode } from "./opensearch-fixtures.ts";

const missing = openSearchMissing();

const OTHER_TENANT = tenantId("other");
const DAY_MS = 86_400_000;

/** What the conformance suites do not ask for, because it is about OpenSearch or several processes. */
describe.skipIf(missing !== undefined)("rows in OpenSearch", () => {
  let node: OpenSearchNode;
  let stores: OpenSearchStores;
  const opened: OpenSearchLogStore[] = [];
  beforeAll(async () => {
    node = await openSearchNode();
  }, 1_200_000);
  afterAll(() => node?.dispose());
  beforeEach(() => {
    stores = new OpenSearchStores(node.url);
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.stop();
    await stores.dispose();
  });

  async function open(writer = "w1", change: (options: OpenSearchStoreOptions) => object = () => ({})) {
    const options = stores.options(writer);
    const store = new OpenSearchLogStore({ ...options, ...change(options) });
    await store.start();
    opened.push(store);
    return store;
  }
  async function write(store: OpenSearchLogStore, rows: readonly LogRow[], position = nextPosition()) {
    await store.append(DEFAULT_TENANT, logBatchOf(rows), position);
    await store.flush();
  }
  async function ask<T>(method: string, path: string, body?: object): Promise<T> {
    const request = {
      method,
      headers: { "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    };
    return (await fetch(`${node.url}/${path}`, request)).json() as Promise<T>;
  }
  const rollOver = () => ask("POST", `${stores.prefix}-logs-default/_rollover`);
  const countOf = async (index: string) => (await ask<{ count: number }>("GET", `${index}/_count`)).count;

  test("times of every int64 come back exactly", async () => {
    const forever = { retention: 2e13, max_future: 1e13, deletion_grace: 1 };
    const store = await open("w1", () => ({ limits: forever }));
    const times = [-(2n ** 63n), -1n, 0n, 1n, 2n ** 53n + 1n, NOW + 1n, 2n ** 63n - 1n];
    await write(
      store,
      times.map((timeNs) => ({ timeNs, observedNs: timeNs })),
    );
    const range = { startNs: -(2n ** 63n), endNs: 2n ** 63n };
    const rows = await select(store, { range, newestFirst: false });
    expect(rows.map(({ timeNs }) => timeNs)).toEqual(times);
    expect(rows.map(({ observedNs }) => observedNs)).toEqual(times);
    expect(await select(store, { range: { startNs: 0n, endNs: 1n } })).toHaveLength(1);
  });

  test("text that is no UTF-16, very long words and values come back and are found", async () => {
    const store = await open();
    const long = "x".repeat(40_000);
    const rows: readonly LogRow[] = [
      { timeNs: T, body: "half \ud83d a pair", attributes: [{ name: "half\udc00", type: "string", value: "\ud83d" }] },
      { timeNs: T + 1n, body: `begin ${long}y end`, attributes: [{ name: "long", type: "string", value: `${long}y` }] },
      {
        timeNs: T + 2n,
        labels: { long: `${long}z` },
        resource: [{ name: "service.name", type: "string", value: long }],
      },
    ];
    await write(store, rows);
    expect(await select(store, { newestFirst: false })).toEqual(logRowsOf(logBatchOf(rows)));
    expect(await bodies(store, { line: [{ op: "|=", text: "xxxy" }] })).toEqual([rows[1]?.body]);
    expect(await bodies(store, { line: [{ op: "|=", text: "\ud83d a" }] })).toEqual([rows[0]?.body]);
    const matchers = [{ name: "long", op: "=" as const, value: `${long}z` }];
    expect(await select(store, { matchers })).toHaveLength(1);
    const others = [{ name: "long", op: "!=" as const, value: `${long}w` }];
    expect(await select(store, { matchers: others })).toHaveLength(3);
    const attributes = [{ name: "long", op: "=" as const, value: `${long}y` }];
    const request = { tenant: DEFAULT_TENANT, range: { startNs: T, endNs: NOW }, matchers: [], line: [], attributes };
    expect(await store.deleteRows({ ...request, description: "" }, on)).toMatchObject({ rows: 1 });
  });

  test("a crash between writing and the checkpoint doubles nothing, whatever index is written to then", async () => {
    const first = await open();
    await write(first, [{ timeNs: T, body: "a" }], 10);
    await write(first, [{ timeNs: T, body: "b" }], 11);
    // As if the process had ended before it noted the second flush.
    const writer = { kind: "writer", signal: "logs", writer: "w1", position: 10 };
    await ask("PUT", `${stores.prefix}-state/_doc/writer-logs-w1`, writer);
    await rollOver();
    const again = await open();
    expect(await bodies(again)).toEqual(["a"]);
    for (const [i, body] of ["a", "b"].entries()) {
      await again.append(DEFAULT_TENANT, logBatchOf([{ timeNs: T, body }]), 10 + i);
    }
    await again.flush();
    expect(await bodies(again)).toEqual(["a", "b"]);
    expect(await countOf(`${stores.prefix}-logs-*`)).toBe(2);
  });

  test("a deletion reaches what another process has in memory, and nothing that comes after it", async () => {
    let nowMs = Date.now();
    const clock = { nowMs: () => nowMs };
    const two = await open("w2", () => clock);
    await write(two, [{ timeNs: T, body: "seen" }]);
    await two.append(DEFAULT_TENANT, logBatchOf([{ timeNs: T, body: "not seen yet" }]), nextPosition());
    const pause = async () => {
      nowMs++;
      await write(two, [{ timeNs: T, body: "later" }]);
    };
    const one = await open("w1", () => ({ ...clock, pause }));
    const range = { startNs: T, endNs: NOW };
    const request = { tenant: DEFAULT_TENANT, range, matchers: [], line: [], attributes: [], description: "" };
    const { id, rows } = await one.deleteRows(request, on);
    expect(rows).toBe(2);
    for (const store of [one, two]) expect(await bodies(store)).toEqual(["later"]);
    expect(await one.cancelDeletion(DEFAULT_TENANT, id)).toBe(true);
    expect((await bodies(one)).sort()).toEqual(["later", "not seen yet", "seen"]);
  });

  test("several writers see each other's rows once these are written, and all of their own", async () => {
    const [one, two] = [await open("w1"), await open("w2")];
    await write(one, [{ timeNs: T, body: "one" }], 5);
    await write(two, [{ timeNs: T, body: "two" }], 5);
    await two.append(DEFAULT_TENANT, logBatchOf([{ timeNs: T, body: "two later" }]), 6);
    expect(await bodies(one)).toEqual(["one", "two"]);
    expect(await bodies(two)).toEqual(["one", "two", "two later"]);
  });

  test("tenants of a group have a data stream of their own, and keep what they had before", async () => {
    await write(await open("w1"), [{ timeNs: T, body: "before" }]);
    const groups = { big: { tenants: ["default"], primary_shards: 2 } };
    const store = await open("w2", ({ config }) => ({ config: { ...config, tenant_groups: groups } }));
    await write(store, [{ timeNs: T + 1n, body: "after" }]);
    expect(await bodies(store)).toEqual(["after", "before"]);
    expect(await bodies(store, { tenant: OTHER_TENANT })).toEqual([]);
    expect(await countOf(`${stores.prefix}-logs-big`)).toBe(1);
  });

  test("indexes whose rows are all too old are dropped, others stay", async () => {
    const store = await open();
    const old = (days: number, body: string) => ({ timeNs: NOW - BigInt(days) * 86_400_000_000_000n, body });
    await write(store, [old(14, "old"), old(10, "in the same index")]);
    await rollOver();
    await write(store, [old(14, "also old"), old(1, "new")]);
    await rollOver();
    await write(store, [old(0, "newest")]);
    const inDays = (days: number) =>
      open(`in${days}`, () => ({ nowMs: () => Date.now() + days * DAY_MS })).then((late) => late.maintain());
    const range = { startNs: 0n, endNs: 2n * NOW };
    await inDays(4);
    expect(await bodies(store, { range })).toHaveLength(5);
    await inDays(15.5);
    expect(await bodies(store, { range })).toEqual(["newest"]);
  });

  test("an index that an earlier version made is read, and not written to any more", async () => {
    const keyword = { type: "keyword" };
    const fields = { tenant: keyword, writer: keyword, position: { type: "long" }, row: { type: "integer" } };
    const time = { timestamp: { type: "date_nanos" }, time_ns: { type: "long" } };
    await ask("PUT", `_index_template/${stores.prefix}-logs-default`, {
      index_patterns: [`${stores.prefix}-logs-default`],
      priority: 500,
      data_stream: { timestamp_field: { name: "timestamp" } },
      template: {
        settings: { number_of_replicas: 0 },
        mappings: { dynamic: false, properties: { ...fields, ...time, labels: keyword, fields: keyword } },
      },
    });
    await ask("POST", `${stores.prefix}-logs-default/_doc?refresh=true`, {
      ...{ tenant: "default", writer: "w0", position: 1, row: 0, message: "old" },
      ...{ timestamp: new Date(Number(T / 1_000_000n)).toISOString(), time_ns: String(T) },
      ...{ stream_id: "s", stream_rest: [1, 0, "", "", "", []] },
      ...{ labels: ["pod=a"], fields: ["k8s.pod.name=a", "user.id=ann"], context: { "user.id": "ann" } },
    });
    const store = await open();
    await write(store, [
      {
        timeNs: T + 1n,
        body: "new",
        labels: { pod: "a" },
        resource: [{ name: "k8s.pod.name", type: "string", value: "a" }],
        attributes: [{ name: "user.id", type: "string", value: "ann" }],
      },
    ]);
    const matchers = [{ name: "pod", op: "=" as const, value: "a" }];
    const fieldFilters = [{ name: "user_id", op: "=" as const, value: "ann" }];
    expect(await bodies(store, { matchers, fields: fieldFilters })).toEqual(["new", "old"]);
    const { data_streams } = await ask<{ data_streams: { indices: object[] }[] }>(
      "GET",
      `_data_stream/${stores.prefix}-logs-default`,
    );
    expect(data_streams.map(({ indices }) => indices.length)).toEqual([2]);
    await open("w2");
    expect(await ask("GET", `_data_stream/${stores.prefix}-logs-default`)).toMatchObject({
      data_streams: [{ generation: 2 }],
    });
  });

  test("what is too large for its index rolls over", async () => {
    const store = await open("w1", ({ config }) => ({
      config: { ...config, rollover: { max_age: 365 * DAY_MS, max_bytes: 1 } },
    }));
    await write(store, [{ timeNs: T, body: "a" }]);
    await ask("POST", `${stores.prefix}-logs-*/_flush`);
    await store.maintain();
    await write(store, [{ timeNs: T, body: "b" }]);
    type Streams = { data_streams: { indices: unknown[] }[] };
    const { data_streams } = await ask<Streams>("GET", `_data_stream/${stores.prefix}-logs-*`);
    expect(data_streams[0]?.indices.length).toBeGreaterThan(1);
    expect(await bodies(store)).toEqual(["a", "b"]);
  });

  test("rows that OpenSearch refuses are kept aside, and the others written", async () => {
    const { level, ...properties } = { level: { type: "integer" } };
    const template = {
      index_patterns: [`${stores.prefix}-logs-default`],
      priority: 900,
      data_stream: { timestamp_field: { name: "timestamp" } },
    };
    const store = await open();
    const mappings = {
      dynamic: false,
      properties: {
        ...properties,
        level,
        timestamp: { type: "date_nanos" },
        tenant: { type: "keyword" },
        time_ns: { type: "long" },
      },
    };
    await ask("PUT", `_index_template/${stores.prefix}-spoilt`, { ...template, template: { mappings } });
    await write(store, [
      { timeNs: T, body: "bad", severity: 9 },
      { timeNs: T + 1n, body: "good" },
    ]);
    expect(store.firstUnflushedPosition()).toBeUndefined();
    await ask("POST", `${stores.prefix}-*/_refresh`);
    expect(await countOf(`${stores.prefix}-dead-letters-logs`)).toBe(1);
    expect(await countOf(`${stores.prefix}-logs-*`)).toBe(1);
  });

  test("a cluster that is not there yet is waited for", async () => {
    const proxy = await FlakyProxy.start(node.url, "closed");
    const { url } = proxy;
    const store = await open("w1", ({ config }) => ({ config: { ...config, nodes: [url], max_retries: 0 } }));
    try {
      const append = () => store.append(DEFAULT_TENANT, logBatchOf([{ timeNs: T, body: "a" }]), 1);
      await expect(append()).rejects.toThrow(UnavailableError);
      await expect((async () => select(store))()).rejects.toThrow(UnavailableError);
      proxy.mode = "open";
      for (;;) {
        const done = await append().then(
          () => true,
          () => false,
        );
        if (done) break;
        await sleep(50);
      }
      expect(await bodies(store)).toEqual(["a"]);
      await store.stop();
      expect(await bodies(await open())).toEqual(["a"]);
    } finally {
      proxy.stop();
    }
  });

  test("rows whose answer was lost, and that go to another index then, are there once", async () => {
    const proxy = await FlakyProxy.start(node.url, "open");
    const { url } = proxy;
    const store = await open("w1", ({ config }) => ({ config: { ...config, nodes: [url], max_retries: 0 } }));
    try {
      await write(store, [{ timeNs: T, body: "a" }]);
      proxy.mode = "bulks are not answered";
      await store.append(DEFAULT_TENANT, logBatchOf([{ timeNs: T, body: "b" }]), nextPosition());
      await expect(store.flush()).rejects.toThrow(UnavailableError);
      await rollOver();
      proxy.mode = "open";
      await store.flush();
      expect(await bodies(store)).toEqual(["a", "b"]);
      expect(await countOf(`${stores.prefix}-logs-*`)).toBe(2);
    } finally {
      proxy.stop();
    }
  });

  test("other programs can search the attributes when that is wanted, whatever these are", async () => {
    const store = await open("w1", ({ config }) => ({ config: { ...config, search_context: true } }));
    const text = (name: string, value: string) => ({ name, type: "string" as const, value });
    const odd = ["", ".", "a..b", " ", "__proto__", "nul\u0000", "half\ud83d", "x".repeat(1_000), "a=b", "a\nb"];
    const rows: readonly LogRow[] = [
      { timeNs: T, body: "plain words", attributes: [text("user.id", "ann"), text("n", "1")] },
      { timeNs: T + 1n, body: "odd", attributes: odd.map((name) => text(name, "v")) },
      { timeNs: T + 2n, body: "large", attributes: [text("a", "y".repeat(40_000)), text("nul", "\u0000")] },
    ];
    await write(store, rows);
    expect(await select(store, { newestFirst: false })).toEqual(logRowsOf(logBatchOf(rows)));
    for (const term of [
      { "context.user.id": "ann" },
      { "message.keyword": "plain words" },
      { project_id: "default" },
    ]) {
      const found = await ask<{ count: number }>("POST", `${stores.prefix}-logs-*/_count`, { query: { term } });
      expect(found.count).toBe("project_id" in term ? 3 : 1);
    }
  });
});
