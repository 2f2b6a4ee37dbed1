import { labelsFrom } from "@sightline/model/labels.ts";
import { DEFAULT_TENANT, tenantId } from "@sightline/model/tenant.ts";
import { metricBatchOf } from "@sightline/storage-conformance/metric-batch-of.ts";
import { onlySamples, selectAll } from "@sightline/storage-conformance/metric-rows.ts";
import { migrateDown, migrateUp, migrationStatus } from "@sightline/storage-timescale/database/migrations.ts";
import { seriesIdentity } from "@sightline/storage-timescale/metrics/series-id.ts";
import { metricMigrations } from "@sightline/storage-timescale/metrics/store-facts.ts";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { PostgresService } from "../services/postgres.ts";
import { TimescaleStores } from "./timescale-fixture.ts";

const T = Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000;
const batch = (labels: Record<string, string>, ...samples: [number, number][]) => metricBatchOf([{ labels, samples }]);

/** Each has no divisor in common with the number of series: it makes another order of them. */
const ODD = [3, 7, 9, 11];

const missing = PostgresService.missing();
describe.skipIf(missing !== undefined)("the metric store on plain PostgreSQL", () => {
  let service: PostgresService;
  let stores: TimescaleStores;
  beforeAll(async () => {
    service = await PostgresService.start();
  });
  afterAll(() => service.dispose());
  afterEach(() => stores.dispose());
  const using = (config: Record<string, unknown> = {}) => {
    stores = new TimescaleStores(service.address, { copyIn: true, maxConnections: 6, config });
    return stores;
  };
  const rows = async (sql: string) => stores.database.write("asking", async (client) => (await client.query(sql)).rows);

  test("writers that meet the same new series at once make one of it", async () => {
    using();
    const writers = await Promise.all(["a", "b", "c", "d"].map((name) => stores.open(name)));
    const series = Array.from({ length: 200 }, (_, i) => ({ __name__: "same", i: String(i) }));
    await Promise.all(
      writers.map(async (writer, n) => {
        const shuffled = series.map(
          (_, i) => series[(i * (ODD[n] as number)) % series.length] as Record<string, string>,
        );
        await writer.append(
          DEFAULT_TENANT,
          metricBatchOf(shuffled.map((labels) => ({ labels, samples: [[T + n, n]] }))),
          1,
        );
        await writer.flush();
      }),
    );
    const [{ count }] = await rows("SELECT count(*)::int FROM series");
    expect(count).toBe(200);
    const found = await selectAll(writers[0] as never);
    expect([...found.values()].map(({ values }) => [...values])).toEqual(series.map(() => [0, 1, 2, 3]));
  });

  test("of two series with one id each has its own samples", async () => {
    const store = await using().open();
    const labels = { __name__: "up", job: "a" };
    await store.append(DEFAULT_TENANT, batch({ __name__: "first" }, [T, 0]), 1);
    await store.flush();
    const { id } = seriesIdentity(DEFAULT_TENANT, labelsFrom(labels));
    const other = '[["__name__","up"],["job","other"]]';
    await rows(
      `INSERT INTO series SELECT tenant, ${id}, 1, '${other}', info, pairs, kinds, first_day, last_day FROM series`,
    );
    await store.append(DEFAULT_TENANT, batch(labels, [T, 7]), 2);
    const matchers = [{ name: "job", op: "=", value: "a" }] as const;
    expect(await onlySamples(store, { matchers })).toEqual([[T, 7]]);
    expect(await rows(`SELECT digest <> 1 AS ours FROM series WHERE id = ${id + 1n}`)).toEqual([{ ours: true }]);
  });

  test("while the database is gone samples wait, senders are held back, and then each is written once", async () => {
    const store = await using({ flush: { max_age: "1h", max_samples: 3 }, connect_timeout: "1s" }).open();
    await store.append(DEFAULT_TENANT, batch({ a: "1" }, [T, 1]), 1);
    await store.flush();
    await service.kill();
    await store.append(DEFAULT_TENANT, batch({ a: "1" }, [T + 1, 2]), 2);
    const refused = expect.objectContaining({ name: "UnavailableError", retryAfterMs: expect.any(Number) });
    await expect(store.flush()).rejects.toEqual(refused);
    expect(store.firstUnflushedPosition()).toBe(2);
    await store.append(DEFAULT_TENANT, batch({ a: "1" }, [T + 2, 3], [T + 3, 4], [T + 4, 5]), 3);
    await expect(store.append(DEFAULT_TENANT, batch({ a: "1" }, [T + 5, 6]), 4)).rejects.toEqual(refused);
    await expect(onlySamples(store)).rejects.toEqual(refused);
    await service.start();
    await store.append(DEFAULT_TENANT, batch({ a: "1" }, [T + 5, 6]), 4);
    expect(await onlySamples(store)).toEqual([0, 1, 2, 3, 4, 5].map((i) => [T + i, i + 1]));
    expect(await rows("SELECT count(*)::int FROM samples")).toEqual([{ count: 6 }]);
  });

  test("a store that starts before its database works once that is there", async () => {
    using({ connect_timeout: "1s" });
    await service.stop();
    const store = await stores.open();
    const refused = expect.objectContaining({ name: "UnavailableError" });
    await expect(store.append(DEFAULT_TENANT, batch({ a: "1" }, [T, 1]), 1)).rejects.toEqual(refused);
    await expect(onlySamples(store)).rejects.toEqual(refused);
    expect(store.firstUnflushedPosition()).toBeUndefined();
    await service.start();
    await store.append(DEFAULT_TENANT, batch({ a: "1" }, [T, 1]), 1);
    expect(await onlySamples(store)).toEqual([[T, 1]]);
  });

  test("a query's role sees nothing of other tenants, whatever it asks for", async () => {
    const store = await using().open();
    const shop = tenantId("shop");
    await store.append(DEFAULT_TENANT, batch({ a: "1" }, [T, 1]), 1);
    await store.append(shop, batch({ a: "2" }, [T, 2]), 2);
    await store.flush();
    const [{ id }] = await rows("SELECT id FROM tenants WHERE name = 'shop'");
    const seen = async (sql: string) => {
      const begin = `SET LOCAL app.tenant = '${id}'; SET LOCAL ROLE sightline_reader`;
      return stores.database.read(
        "asking",
        begin,
        new AbortController().signal,
        async (client) => (await client.query(sql)).rows,
      );
    };
    expect(await seen("SELECT value FROM tenant_samples")).toEqual([{ value: 2 }]);
    const everything = "SELECT labels FROM tenant_series(NULL, NULL, NULL, NULL, NULL, -100000, 100000)";
    expect(await seen(everything)).toEqual([{ labels: '[["a","2"]]' }]);
    for (const table of ["samples", "series", "writers", "tenants"]) {
      await expect(seen(`SELECT * FROM ${table}`), table).rejects.toThrow("permission denied");
    }
  });

  test("what is older than the retention goes with its partition", async () => {
    const store = await using({ retention: "3d" }).open();
    const day = 86_400_000;
    await store.append(DEFAULT_TENANT, batch({ a: "1" }, [T - 2 * day, 1], [T, 2]), 1);
    const old = await store.append(DEFAULT_TENANT, batch({ a: "1" }, [T - 4 * day, 0]), 2);
    expect(old.rejected).toMatchObject([{ reason: "too_old", count: 1 }]);
    await store.flush();
    await store.maintain();
    expect(await onlySamples(store)).toHaveLength(2);
    await store.stop();
    const later = await stores.open("later", () => Date.now() + 2.5 * day);
    await later.maintain();
    expect(await onlySamples(later)).toEqual([[T, 2]]);
    const names = "SELECT relname FROM pg_class WHERE relispartition AND relname LIKE 'samples_d%'";
    expect(await rows(`${names} AND relnamespace = to_regnamespace(current_schema())`)).toEqual([]);
  });

  test("migrations go up once, and down again", async () => {
    const store = await using().open();
    await store.stop();
    const set = metricMigrations(stores.config);
    const states = async () =>
      (await migrationStatus(stores.database, set)).map(({ appliedAt }) => appliedAt !== undefined);
    expect(await states()).toEqual([true]);
    expect(await migrateUp(stores.database, set)).toEqual([]);
    expect(await migrateDown(stores.database, set)).toMatchObject({ number: 1 });
    expect(await states()).toEqual([false]);
    const both = await Promise.all([migrateUp(stores.database, set), migrateUp(stores.database, set)]);
    expect(both.flat()).toHaveLength(1);
    await rows("INSERT INTO metrics_migrations VALUES (9999, 'from-the-future')");
    await expect(stores.open()).rejects.toThrow("newer release (9999 from-the-future)");
  });

  test("queries pass by a replica that does not answer", async () => {
    const store = await using({ replicas: ["127.0.0.1:1"], connect_timeout: "1s" }).open();
    await store.append(DEFAULT_TENANT, batch({ a: "1" }, [T, 1]), 1);
    expect(await onlySamples(store)).toEqual([[T, 1]]);
  });

  test("no error holds the password", async () => {
    using();
    const wrong = { ...service.address, password: "not-the-password" };
    const others = new TimescaleStores(wrong, { copyIn: true, maxConnections: 2 });
    const store = await others.open();
    const error = await onlySamples(store).catch((error: unknown) => error);
    expect(error).toMatchObject({ name: "UnavailableError", message: expect.stringContaining("refuses the password") });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error)) + String((error as Error).cause)).not.toContain(
      wrong.password,
    );
    await others.database.stop();
  });
});
