import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NO_INFO } from "@sightline/model/metric-batch.ts";
import type { DataChanges } from "@sightline/model/metric-store.ts";
import { DEFAULT_TENANT, type TenantId, tenantId } from "@sightline/model/tenant.ts";
import { metricBatchOf } from "@sightline/storage-conformance/metric-batch-of.ts";
import { EVERYTHING, selectAll } from "@sightline/storage-conformance/metric-rows.ts";
import type { TimescaleMetricStore } from "@sightline/storage-timescale/metrics/timescale-metric-store.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { PostgresService } from "../services/postgres.ts";
import { TimescaleStores } from "./timescale-fixture.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Noon: all that is written in the hours before it is of one day. */
const NOON = Math.floor(Date.now() / DAY) * DAY + DAY / 2;
const OTHER = tenantId("other");

const missing = PostgresService.missing();
describe.skipIf(missing !== undefined)("the overrides file of retention in PostgreSQL", () => {
  let service: PostgresService;
  let stores: TimescaleStores;
  let dir: string;
  let nowMs: number;
  let position: number;
  beforeAll(async () => {
    service = await PostgresService.start();
  });
  afterAll(() => service.dispose());
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "overrides-"));
    nowMs = NOON;
    position = 0;
  });
  afterEach(async () => {
    await stores.dispose();
    rmSync(dir, { recursive: true });
  });

  const path = () => join(dir, "overrides.yaml");
  const says = (text: string) => writeFileSync(path(), text);
  const open = (config: Record<string, unknown> = {}) => {
    const all = { pack_after: "1ms", merge_after: "1ms", retention_overrides_file: path(), ...config };
    stores = new TimescaleStores(service.address, { copyIn: true, maxConnections: 6, config: all });
    return stores.open("test", () => nowMs);
  };
  const write = async (
    store: TimescaleMetricStore,
    name: string,
    samples: readonly (readonly [number, number])[],
    tenant: TenantId = DEFAULT_TENANT,
  ) => {
    const batch = metricBatchOf([{ labels: { __name__: name }, info: { ...NO_INFO, type: "gauge" }, samples }]);
    await store.append(tenant, batch, ++position);
  };
  /** One sample at each of these hours before {@link NOON}. */
  const hours = (...all: number[]) => all.map((hour) => [NOON - hour * HOUR, hour] as const);
  const found = async (store: TimescaleMetricStore, tenant: TenantId = DEFAULT_TENANT) => {
    const slices = [...(await selectAll(store, { tenant })).values()];
    return Object.fromEntries(slices.map(({ labels, values }) => [labels[0]?.[1], Array.from(values)]));
  };
  const rows = async (sql: string) => stores.database.write("asking", async (client) => (await client.query(sql)).rows);

  test("has other settings for a tenant, and is read again when it changes", async () => {
    says("other: { retention: 6h }");
    const store = await open({ retention: "12h" });
    const changes = store.changes as DataChanges;
    for (const tenant of [DEFAULT_TENANT, OTHER]) await write(store, "a", hours(5, 1), tenant);
    await write(store, "a", hours(10));
    await store.flush();
    const version = await changes.version(OTHER);
    nowMs += 1.1 * HOUR;
    expect([await found(store), await found(store, OTHER)]).toEqual([{ a: [10, 5, 1] }, { a: [1] }]);
    says(`other: { retention: 12h, retention_rules: [{ selector: '{__name__="a"}', keep: 1d }] }`);
    await store.reloadRetention();
    expect(await found(store, OTHER)).toEqual({ a: [5, 1] });
    expect((await changes.since(OTHER, version, EVERYTHING)).ranges).toEqual([EVERYTHING]);
    const wrongs = ["other: { retention: soon }", "other: [", "[]", "other: { retention_bytes: 1GiB }"];
    for (const wrong of wrongs) {
      says(wrong);
      await store.reloadRetention();
      expect(await found(store, OTHER)).toEqual({ a: [5, 1] });
      expect(stores.errors.splice(0)).toContainEqual(expect.stringContaining("is wrong"));
    }
    says("");
    await store.reloadRetention();
    nowMs += 9 * HOUR;
    expect(await found(store, OTHER)).toEqual({ a: [1] });
  });

  test("says what goes from the tables, also when it changes while older samples are there", async () => {
    says("other: { retention: 4d }");
    const store = await open({ retention: "20d", tenant_retention: { other: "30d" } });
    const samples = hours(24, 10 * 24, 15 * 24);
    await write(store, "a", samples);
    await write(store, "b", samples);
    await store.flush();
    await write(store, "a", hours(24), OTHER);
    await store.flush();
    await store.maintain();
    const stored = () => rows("SELECT sum(samples)::int FROM pages GROUP BY tenant ORDER BY tenant");
    expect(await stored()).toEqual([{ sum: 6 }, { sum: 1 }]);
    says("default: { retention_rules: [{ selector: b, keep: 12d }] }");
    await store.reloadRetention();
    await store.maintain();
    expect(await stored()).toEqual([{ sum: 5 }, { sum: 1 }]);
    // Other series for the same time.
    says(`default: { retention_rules: [{ selector: '{__name__=~"a|b"}', keep: 12d }] }`);
    await store.reloadRetention();
    await store.maintain();
    expect(await found(store)).toEqual({ a: [240, 24], b: [240, 24] });
    expect(await stored()).toEqual([{ sum: 4 }, { sum: 1 }]);
    // Longer than by the configuration, of what is written from then on.
    says("other: { retention: 60d }");
    await store.reloadRetention();
    await write(store, "a", hours(50 * 24), OTHER);
    expect(await found(store, OTHER)).toEqual({ a: [50 * 24, 24] });
  });

  test("has other tiers for a tenant, or none", async () => {
    says("other: { downsampling: [{ resolution: 1m, after: 1d }] }");
    const store = await open();
    const seconds = Array.from({ length: 120 }, (_, i) => [NOON - 3 * DAY + i * 1_000, i] as const);
    for (const tenant of [DEFAULT_TENANT, OTHER]) await write(store, "a", seconds, tenant);
    await store.flush();
    await store.maintain();
    const coarse = () =>
      rows("SELECT name, resolution::int FROM tier_days d JOIN tenants t ON t.id = d.tenant ORDER BY 1");
    expect(await coarse()).toEqual([{ name: "other", resolution: 60_000 }]);
    says("default: { downsampling: [{ resolution: 1m, after: 1d }] }");
    await store.reloadRetention();
    await store.maintain();
    expect(await coarse()).toEqual(["default", "other"].map((name) => ({ name, resolution: 60_000 })));
  });

  test.each([
    ["other: { retention: soon }", /other\.retention: "soon" is not a duration/],
    ["other: { retention_bytes: 1GiB }", /other: Unrecognized key/],
    ["[1]", /must be a map/],
  ])("that is wrong stops the start: %s", async (text, message) => {
    says(text);
    await expect(open()).rejects.toThrow(message);
  });
});
