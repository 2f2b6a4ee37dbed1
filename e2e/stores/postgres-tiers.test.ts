import { NO_INFO, type SeriesInfo } from "@sightline/model/metric-batch.ts";
import { DEFAULT_TENANT, tenantId } from "@sightline/model/tenant.ts";
import { metricBatchOf } from "@sightline/storage-conformance/metric-batch-of.ts";
import { NO_SIGNAL, onlySamples, requestOf, selectAll } from "@sightline/storage-conformance/metric-rows.ts";
import type { TimescaleMetricStore } from "@sightline/storage-timescale/metrics/timescale-metric-store.ts";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { PostgresService } from "../services/postgres.ts";
import { TimescaleStores } from "./timescale-fixture.ts";

const DAY = 86_400_000;
const MINUTE = 60_000;
/** Of a day that is over and due. */
const T = Math.floor(Date.now() / DAY) * DAY - 3 * DAY + DAY / 2;
const GAUGE: SeriesInfo = { ...NO_INFO, type: "gauge" };
/** A sample a second for so many minutes, open at the start as windows are. */
const seconds = (minutes: number) =>
  Array.from({ length: minutes * 60 }, (_, i) => [T + (i + 1) * 1_000, i] as [number, number]);
const COUNTS = { func: "count_over_time", stepMs: MINUTE, rangeMs: MINUTE, aggregated: true };

const missing = PostgresService.missing();
describe.skipIf(missing !== undefined)("days that are downsampled in plain PostgreSQL", () => {
  let service: PostgresService;
  let stores: TimescaleStores;
  beforeAll(async () => {
    service = await PostgresService.start();
  });
  afterAll(() => service.dispose());
  afterEach(async () => {
    await stores.dispose();
    expect(stores.errors).toEqual([]);
  });
  let position = 0;
  const open = (config: Record<string, unknown> = {}) => {
    const downsampling = [{ resolution: "1m", after: "1d" }];
    const all = { pack_after: "1ms", merge_after: "1ms", downsampling, ...config };
    stores = new TimescaleStores(service.address, { copyIn: true, maxConnections: 6, config: all });
    return stores.open();
  };
  const rows = async (sql: string) => stores.database.write("asking", async (client) => (await client.query(sql)).rows);
  const write = async (
    store: TimescaleMetricStore,
    labels: Record<string, string>,
    samples: [number, number][],
    tenant = DEFAULT_TENANT,
  ) => {
    await store.append(tenant, metricBatchOf([{ labels, info: GAUGE, samples }]), ++position);
    await store.flush();
  };
  /** Time, and how many samples it stands for. */
  const counts = async (store: TimescaleMetricStore, matchers: { name: string; op: "="; value: string }[] = []) => {
    const found: [number, number][] = [];
    for await (const group of store.select({ ...requestOf({ matchers }), hints: COUNTS }, NO_SIGNAL)) {
      for (const { timesMs, counts } of group)
        for (const [i, timeMs] of timesMs.entries()) found.push([timeMs - T, counts?.[i] ?? 1]);
    }
    return found;
  };

  test("more series than one transaction has are all made coarser, once", async () => {
    const store = await open();
    const all = Array.from({ length: 300 }, (_, i) => ({
      labels: { __name__: `m${i % 7}`, i: String(i) },
      info: GAUGE,
      samples: seconds(1).map(([timeMs, value]) => [timeMs, value + i] as const),
    }));
    await store.append(DEFAULT_TENANT, metricBatchOf(all), ++position);
    await store.flush();
    await store.maintain();
    expect(await rows("SELECT count(*)::int FROM pages")).toEqual([{ count: 0 }]);
    expect(await rows("SELECT sum(samples)::int, tier FROM tiers GROUP BY 2 ORDER BY 2")).toEqual([
      { sum: 600, tier: 1 },
      ...[2, 3, 4, 5].map((tier) => ({ sum: 300, tier })),
    ]);
    const found = await selectAll(store);
    expect([...found.values()].every(({ values }) => values.length === 2)).toBe(true);
    expect(await counts(store)).toEqual(all.map(() => [MINUTE, 60]));
    const [before] = await rows("SELECT max(xmin::text::int8) FROM tiers");
    await (await stores.open("other")).maintain();
    expect(await rows("SELECT max(xmin::text::int8) FROM tiers")).toEqual([before]);
  });

  test("what comes late stays as it came, and of the samples that stayed the first one counts", async () => {
    const store = await open();
    await write(store, { a: "1" }, seconds(2));
    await store.maintain();
    await write(store, { a: "1" }, [[T + 1_000, 99], [T + 1_500, 7], [T + 200_000, 8]]); // biome-ignore format: three samples
    await store.maintain();
    const samples = (await onlySamples(store)).map(([timeMs, value]) => [timeMs - T, value]);
    expect(samples).toEqual([[1_000, 0], [1_500, 7], [60_000, 59], [61_000, 60], [120_000, 119], [200_000, 8]]); // biome-ignore format: times and values
    expect(await counts(store)).toEqual([[1_000, 1], [1_500, 1], [60_000, 60], [120_000, 60], [200_000, 1]]); // biome-ignore format: times and counts
  });

  test("deletions take what they are about from what was downsampled, and series without samples from the lists", async () => {
    const store = await open();
    await write(store, { a: "1" }, seconds(2));
    await write(store, { a: "2" }, seconds(2));
    await store.maintain();
    const { deleteSamples } = store.administration;
    const matchers = [{ name: "a", op: "=", value: "1" }] as const;
    await deleteSamples({ tenant: DEFAULT_TENANT, matchers, range: { startMs: T, endMs: T + MINUTE } });
    expect(await counts(store, [...matchers])).toEqual([[2 * MINUTE, 60]]);
    await deleteSamples({ tenant: DEFAULT_TENANT, matchers, range: { startMs: T, endMs: T + DAY } });
    expect(await store.labelValues("a", requestOf({}), NO_SIGNAL)).toEqual(["2"]);
    expect(await counts(store)).toEqual([[MINUTE, 60], [2 * MINUTE, 60]]); // biome-ignore format: times and counts
  });

  test("retention by rules and of tenants is about what was downsampled, too", async () => {
    const retention_rules = [{ selector: '{a="brief"}', keep: "4d" }];
    const store = await open({ retention: "20d", retention_rules, tenant_retention: { brief: "4d" } });
    for (const a of ["brief", "long"]) await write(store, { a }, seconds(1));
    await write(store, { a: "long" }, seconds(1), tenantId("brief"));
    await store.maintain();
    const sizes = () => rows("SELECT tenant, sum(samples)::int FROM tiers WHERE tier = 1 GROUP BY 1 ORDER BY 1");
    expect((await sizes()).map(({ sum }) => sum)).toEqual([4, 2]);
    await store.stop();
    const later = await stores.open("later", () => Date.now() + 3 * DAY);
    await later.maintain();
    expect((await sizes()).map(({ sum }) => sum)).toEqual([2]);
    expect(await counts(later)).toEqual([[MINUTE, 60]]);
    await (await stores.open("end", () => Date.now() + 30 * DAY)).maintain();
    expect(await rows("SELECT FROM tiers UNION ALL SELECT FROM tier_days")).toEqual([]);
  });

  test("a query's role sees nothing of other tenants", async () => {
    const store = await open();
    await write(store, { a: "1" }, seconds(1));
    await store.maintain();
    const count = (tenant: number) =>
      stores.database.read(
        "asking",
        `SET LOCAL app.tenant = '${tenant}'; SET LOCAL ROLE sightline_reader`,
        NO_SIGNAL,
        async (client) => (await client.query("SELECT count(*)::int AS count FROM tiers")).rows[0].count,
      );
    expect([await count(1), await count(2)]).toEqual([5, 0]);
  });
});
