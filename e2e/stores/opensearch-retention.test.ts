import { parseSelector } from "@sightline/model/parse-selector.ts";
import { DEFAULT_TENANT, type TenantId, tenantId } from "@sightline/model/tenant.ts";
import { type LogRow, logBatchOf } from "@sightline/storage-conformance/log-batch-of.ts";
import { bodies, nextPosition, on } from "@sightline/storage-conformance/log-store-fixture.ts";
import { spanBatchOf } from "@sightline/storage-conformance/span-batch-of.ts";
import { OpenSearchLogStore } from "@sightline/storage-opensearch/logs/open-search-log-store.ts";
import type { RetentionPolicies, RetentionPolicy } from "@sightline/storage-opensearch/rows/retention-policies.ts";
import { OpenSearchTraceStore } from "@sightline/storage-opensearch/traces/open-search-trace-store.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type OpenSearchNode, OpenSearchStores, openSearchMissing, openSearchNode } from "./opensearch-fixtures.ts";

const missing = openSearchMissing();
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW_MS = Date.now();
const OTHER = tenantId("other");
const ns = (ms: number) => BigInt(ms) * 1_000_000n;
const rule = (selector: string, days: number) => ({ selector: parseSelector(selector), keep: days * DAY_MS });

function policies(others: RetentionPolicy, own: ReadonlyMap<TenantId, RetentionPolicy> = new Map()): RetentionPolicies {
  const of = (tenant: TenantId) => own.get(tenant) ?? others;
  return { tenants: [...own.keys()], others, of, start: async () => {}, reload: async () => {} };
}

/** Each named by where it comes from and its age in days. */
const row = (app: string, days: number): LogRow => {
  return { timeNs: ns(NOW_MS - days * DAY_MS), body: `${app} ${days}`, labels: { app } };
};

describe.skipIf(missing !== undefined)("retention in OpenSearch", () => {
  let node: OpenSearchNode;
  let stores: OpenSearchStores;
  let nowMs: number;
  const opened: { stop(): Promise<void> }[] = [];
  beforeAll(async () => {
    node = await openSearchNode();
  }, 1_200_000);
  afterAll(() => node?.dispose());
  beforeEach(() => {
    stores = new OpenSearchStores(node.url);
    nowMs = NOW_MS;
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.stop();
    await stores.dispose();
  });

  async function started<S extends OpenSearchLogStore | OpenSearchTraceStore>(store: S): Promise<S> {
    opened.push(store);
    await store.start();
    return store;
  }
  const optionsOf = (writer: string, retention: RetentionPolicies) => {
    return { ...stores.options(writer), retention, nowMs: () => nowMs };
  };
  const openLogs = (retention: RetentionPolicies, writer = "w1") => {
    return started(new OpenSearchLogStore(optionsOf(writer, retention)));
  };
  async function write(store: OpenSearchLogStore, rows: readonly LogRow[], tenant = DEFAULT_TENANT) {
    const result = await store.append(tenant, logBatchOf(rows), nextPosition());
    await store.flush();
    return result;
  }
  const left = async (store: OpenSearchLogStore, tenant = DEFAULT_TENANT) => {
    return (await bodies(store, { tenant, range: { startNs: 0n, endNs: 2n ** 62n } })).sort();
  };

  test("rows go by the first rule whose selector matches their stream, or else with the others", async () => {
    const rules = [rule('{app=~"debug-.+"}', 1), rule('{app="audit"}', 30), rule('{app=~".*audit"}', 2)];
    const store = await openLogs(policies({ keepMs: 10 * DAY_MS, rules }));
    const apps = ["debug-a", "debug-audit", "audit", "my-audit", "web"];
    await write(
      store,
      apps.flatMap((app) => [0.5, 1.5, 3, 9, 11, 29].map((days) => row(app, days))),
    );
    await store.maintain();
    expect(await left(store)).toEqual(
      [
        ...["debug-a 0.5", "debug-audit 0.5", "my-audit 0.5", "my-audit 1.5"],
        ...[0.5, 1.5, 3, 9, 11, 29].map((days) => `audit ${days}`),
        ...[0.5, 1.5, 3, 9].map((days) => `web ${days}`),
      ].sort(),
    );
  });

  test("tenants have their own, shorter or longer, and what nothing could keep is refused", async () => {
    const own = new Map([
      [OTHER, { keepMs: 2 * DAY_MS, rules: [] }],
      [tenantId("long"), { keepMs: 20 * DAY_MS, rules: [] }],
    ]);
    const store = await openLogs(policies({ keepMs: 5 * DAY_MS, rules: [] }, own));
    for (const tenant of [DEFAULT_TENANT, OTHER, tenantId("long")]) {
      await write(store, [row("a", 0.5), row("a", 1.9), row("a", 4.5)], tenant);
      await write(store, [row("a", 19.5)], tenant);
    }
    expect(await left(store, OTHER)).toEqual(["a 0.5", "a 1.9"]);
    nowMs += DAY_MS;
    await store.maintain();
    expect(await left(store)).toEqual(["a 0.5", "a 1.9"]);
    expect(await left(store, OTHER)).toEqual(["a 0.5"]);
    // What is kept for the longest time of all goes with its index.
    expect(await left(store, tenantId("long"))).toEqual(["a 0.5", "a 1.9", "a 19.5", "a 4.5"]);
  });

  test("one of several processes does it, once an hour", async () => {
    const retention = policies({ keepMs: 10 * DAY_MS, rules: [rule('{app="short"}', 1)] });
    const first = await openLogs(retention);
    const second = await openLogs(retention, "w2");
    await first.maintain();
    await write(first, [row("short", 3)]);
    await Promise.all([first.maintain(), second.maintain()]);
    expect(await left(first)).toEqual(["short 3"]);
    nowMs += HOUR_MS;
    await Promise.all([first.maintain(), second.maintain()]);
    expect(await left(first)).toEqual([]);
  });

  test("spans go by attributes of their resource, not by their own", async () => {
    const retention = policies({ keepMs: 10 * DAY_MS, rules: [rule('{"service.name"="noisy"}', 1)] });
    const store = await started(new OpenSearchTraceStore(optionsOf("w1", retention)));
    const service = (value: string) => [{ name: "service.name", type: "string" as const, value }];
    const startNs = ns(NOW_MS - 2 * DAY_MS);
    const spans = spanBatchOf([
      { traceId: "1".repeat(32), spanId: "1".repeat(16), startNs, resource: service("noisy"), name: "gone" },
      { traceId: "1".repeat(32), spanId: "2".repeat(16), startNs, attributes: service("noisy"), name: "own" },
      // Too long to be read back from its tokens.
      { traceId: "1".repeat(32), spanId: "3".repeat(16), startNs, resource: service("x".repeat(2_000)), name: "long" },
      { traceId: "1".repeat(32), spanId: "4".repeat(16), startNs: ns(NOW_MS), resource: service("noisy"), name: "new" },
    ]);
    await store.append(DEFAULT_TENANT, spans, nextPosition());
    await store.flush();
    await store.maintain();
    const batches = await store.trace(DEFAULT_TENANT, "1".repeat(32), on);
    expect(batches.flatMap(({ names }) => names).sort()).toEqual(["long", "new", "own"]);
  });
});
