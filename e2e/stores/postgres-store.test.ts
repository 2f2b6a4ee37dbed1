import { labelsFrom, labelValue } from "@sightline/model/labels.ts";
import type { SeriesInfo } from "@sightline/model/metric-batch.ts";
import type { DataChanges, DataVersion } from "@sightline/model/metric-store.ts";
import { DEFAULT_TENANT, tenantId } from "@sightline/model/tenant.ts";
import { metricBatchOf } from "@sightline/storage-conformance/metric-batch-of.ts";
import {
  EVERYTHING,
  NO_SIGNAL,
  onlySamples,
  requestOf,
  selectAll,
} from "@sightline/storage-conformance/metric-rows.ts";
import { migrateDown, migrateUp, migrationStatus } from "@sightline/storage-timescale/database/migrations.ts";
import { mergePages } from "@sightline/storage-timescale/metrics/merge-pages.ts";
import { seriesIdentity } from "@sightline/storage-timescale/metrics/series-id.ts";
import { metricMigrations } from "@sightline/storage-timescale/metrics/store-facts.ts";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { PostgresService } from "../services/postgres.ts";
import { TimescaleStores } from "./timescale-fixture.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const T = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 3_600_000;
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
      `INSERT INTO series SELECT tenant, ${id}, 1, '${other}', info, '{1,2,3,4}', kinds, first_day, last_day FROM series`,
    );
    await store.append(DEFAULT_TENANT, batch(labels, [T, 7]), 2);
    const matchers = [{ name: "job", op: "=", value: "a" }] as const;
    expect(await onlySamples(store, { matchers })).toEqual([[T, 7]]);
    expect(await rows(`SELECT digest <> 1 AS ours FROM series WHERE id = ${id + 1n}`)).toEqual([{ ours: true }]);
  });

  test("while the database is gone samples wait, senders are held back, and then each is written once", async () => {
    const store = await using({ flush: { max_age: "1h", max_samples: 3 }, restart_wait: "0s" }).open();
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

  test("a query waits for a database that restarts, and sees what was in memory meanwhile", async () => {
    const store = await using({ flush: { max_age: "1h" }, restart_wait: "1h" }).open();
    await store.append(DEFAULT_TENANT, batch({ a: "1" }, [T, 1]), 1);
    const version = await store.changes?.version(DEFAULT_TENANT);
    await service.stop();
    await store.append(DEFAULT_TENANT, batch({ a: "1" }, [T + 1, 2]), 2);
    const all = { startMs: 0, endMs: T + MINUTE_MS };
    const answers = Promise.all([onlySamples(store), store.changes?.since(DEFAULT_TENANT, version as string, all)]);
    await service.start();
    expect(await answers).toEqual([
      [[T, 1], [T + 1, 2]], // biome-ignore format: two samples
      { version: expect.any(String), ranges: [{ startMs: T, endMs: T + MINUTE_MS - 1 }] },
    ]);
  });

  test("a start is told which tenants have got samples lately, and until when", async () => {
    const store = await using().open("w", () => T + 10 * MINUTE_MS);
    const newest = async () => [...(await store.newestTimes(new AbortController().signal))].sort();
    expect(await newest()).toEqual([]);
    await store.append(DEFAULT_TENANT, batch({ a: "1" }, [T, 1], [T + 5, 1]), 1);
    await store.append(tenantId("shop"), batch({ a: "1" }, [T + 10 * MINUTE_MS, 1]), 2);
    await store.flush();
    expect(await newest()).toEqual([
      [DEFAULT_TENANT, T + MINUTE_MS - 1],
      [tenantId("shop"), T + 10 * MINUTE_MS],
    ]);
  });

  test("a store that starts before its database works once that is there", async () => {
    using({ restart_wait: "0s" });
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
    expect(await seen("SELECT label FROM labels")).toEqual([{ label: '["a","2"]' }]);
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

  test("a tenant with a retention of its own keeps its samples for a shorter or longer time than others", async () => {
    const day = 86_400_000;
    const tenant_retention = { brief: "3d", long: "20d" };
    const store = await using({ pack_after: "1ms", merge_after: "90d", retention: "10d", tenant_retention }).open();
    const times = [15, 8, 2].map((days) => [T - days * day, days] as [number, number]);
    const taken = { brief: [2], default: [2, 8], long: [2, 8, 15] };
    let position = 0;
    for (const [name, want] of Object.entries(taken)) {
      const { accepted } = await store.append(tenantId(name), batch({ a: "1" }, ...times), ++position);
      expect([name, accepted]).toEqual([name, want.length]);
    }
    await store.flush();
    await store.maintain();
    const left = async (of: typeof store) => {
      const kept = Object.keys(taken).map(async (name) => {
        const samples = await onlySamples(of, { tenant: tenantId(name) });
        return [name, samples.map(([, value]) => value).reverse()];
      });
      return Object.fromEntries(await Promise.all(kept));
    };
    expect(await left(store)).toEqual(taken);
    await store.stop();
    const later = await stores.open("later", () => Date.now() + 4 * day);
    const version = await later.changes?.version(tenantId("brief"));
    await later.maintain();
    const reader = await stores.openReader();
    expect(await left(reader)).toEqual({ brief: [], default: [2], long: [2, 8, 15] });
    const all = { startMs: 0, endMs: T };
    expect((await later.changes?.since(tenantId("brief"), version ?? 0, all))?.ranges).not.toEqual([]);
  });

  test("two hours that are over become one page, and what comes late goes into it", async () => {
    const store = await using({ pack_after: "1ms" }).open();
    const [span, minute] = [7_200_000, 60_000];
    const start = Math.floor(Date.now() / span) * span - 2 * span;
    const samples = Array.from({ length: 12 }, (_, i) => [start + 10 * i * minute, i] as [number, number]);
    const pages = () => rows("SELECT merged, samples FROM pages");
    await store.append(DEFAULT_TENANT, batch({ __name__: "up", i: "1" }, ...samples), 1);
    await store.append(DEFAULT_TENANT, batch({ __name__: "up", i: "2" }, ...samples), 2);
    await store.flush();
    await store.maintain();
    expect(await pages()).toEqual([{ merged: true, samples: 24 }]);
    // Another writer does not know the sample of the beginning: the first one stays.
    const other = await stores.open("other");
    await other.append(DEFAULT_TENANT, batch({ __name__: "up", i: "1" }, [start, 7], [start + 1, 8]), 1);
    await other.flush();
    await other.maintain();
    expect(await pages()).toEqual([{ merged: true, samples: 25 }]);
    const [first, ...rest] = samples;
    const matchers = [{ name: "i", op: "=", value: "1" }] as const;
    expect(await onlySamples(store, { matchers })).toEqual([first, [start + 1, 8], ...rest]);
    expect(await onlySamples(store, { matchers, range: { startMs: start + 115 * minute, endMs: Date.now() } })).toEqual(
      [],
    );
  });

  test("values that may be overwritten are right when they are given", async () => {
    const store = await using().open("w", () => T + 3 * HOUR_MS);
    const rows = Array.from({ length: 12 }, (_, series) => ({
      labels: { __name__: "long", series: String(series) },
      samples: Array.from({ length: 100 * (series + 1) ** 2 }, (_, i): [number, number] => [T + i, series * 1e6 + i]),
    }));
    await store.append(DEFAULT_TENANT, metricBatchOf(rows), 1);
    await store.flush();
    await store.maintain();
    const request = {
      tenant: DEFAULT_TENANT,
      matchers: [],
      range: { startMs: 0, endMs: T + HOUR_MS },
      transient: true,
    };
    // The second time pages are known.
    for (let round = 0; round < 2; round++) {
      const given: [string, number[]][] = [];
      let groups = 0;
      for await (const group of store.select(request, new AbortController().signal)) {
        groups++;
        for (const { labels, values } of group) given.push([labelValue(labels, "series"), [...values]]);
      }
      expect(groups).toBeGreaterThan(1);
      expect(new Map(given)).toEqual(
        new Map(rows.map(({ labels, samples }) => [labels.series, samples.map(([, value]) => value)])),
      );
    }
  });

  test("pages of many series are merged range by range", async () => {
    const store = await using({ pack_after: "1ms", merge_after: "30d", retention: "90d" }).open();
    const start = Math.floor(Date.now() / 7_200_000) * 7_200_000 - 14_400_000;
    for (let window = 0; window < 12; window++) {
      // Not every series in each: pages of two windows have their ends at different series.
      const some = Array.from({ length: 700 }, (_, i) => i).filter((i) => (i * 7 + window) % 5 !== 0);
      const timeMs = start + window * 600_000;
      const series = some.map((i) => ({
        labels: { __name__: "up", i: String(i) },
        samples: [[timeMs, i]] as [number, number][],
      }));
      await store.append(DEFAULT_TENANT, metricBatchOf(series), window + 1);
    }
    await store.flush();
    await store.maintain();
    const counts = async () => (await rows("SELECT merged, count(*)::int, sum(samples)::int FROM pages GROUP BY 1"))[0];
    expect(await counts()).toEqual({ merged: false, count: 24, sum: 6_720 });
    const before = await selectAll(store);
    expect(await mergePages(stores.database, Date.now(), new AbortController().signal, 1_000)).toBe(24);
    expect(await counts()).toMatchObject({ merged: true, sum: 6_720 });
    expect(await selectAll(store)).toEqual(before);
    expect(await mergePages(stores.database, Date.now(), new AbortController().signal)).toBe(0);
  });

  test("migrations go up once, and down again", async () => {
    const store = await using().open();
    await store.stop();
    const set = metricMigrations(stores.config);
    const states = async () =>
      (await migrationStatus(stores.database, set)).map(({ appliedAt }) => appliedAt !== undefined);
    expect(await states()).toEqual([true, true, true, true, true, true]);
    expect(await migrateUp(stores.database, set)).toEqual([]);
    for (const number of [6, 5, 4, 3, 2, 1]) expect(await migrateDown(stores.database, set)).toMatchObject({ number });
    expect(await states()).toEqual([false, false, false, false, false, false]);
    const both = await Promise.all([migrateUp(stores.database, set), migrateUp(stores.database, set)]);
    expect(both.flat()).toHaveLength(6);
    await rows("INSERT INTO metrics_migrations VALUES (9999, 'from-the-future')");
    await expect(stores.open()).rejects.toThrow("newer release (9999 from-the-future)");
  });

  test("labels of series that were there before there were lists are listed, too", async () => {
    const store = await using().open();
    await store.append(DEFAULT_TENANT, batch({ a: "1", b: "2" }, [T, 1]), 1);
    await store.stop();
    const set = metricMigrations(stores.config);
    while ((await migrateDown(stores.database, set))?.name !== "labels");
    await migrateUp(stores.database, set);
    expect(await (await stores.openReader()).labelNames(requestOf({}), NO_SIGNAL)).toEqual(["a", "b"]);
  });

  test("a label stays listed as long as some series has it, whoever writes and deletes at the same time", async () => {
    using();
    const [writer, other] = await Promise.all(["a", "b"].map((name) => stores.open(name)));
    const listed = (of = writer) => of?.labelValues("job", requestOf({}), NO_SIGNAL);
    for (let round = 1; round <= 10; round++) {
      await writer?.append(DEFAULT_TENANT, batch({ job: "x", old: String(round) }, [T, 1]), round);
      await writer?.flush();
      await other?.append(DEFAULT_TENANT, batch({ job: "x", new: String(round) }, [T, 1]), round);
      const matchers = [{ name: "old", op: "!=", value: "" }] as const;
      await Promise.all([
        other?.flush(),
        writer?.administration.deleteSamples({ tenant: DEFAULT_TENANT, matchers, range: EVERYTHING }),
      ]);
      expect(await listed()).toEqual(["x"]);
    }
    await writer?.administration.deleteSamples({ tenant: DEFAULT_TENANT, matchers: [], range: EVERYTHING });
    expect(await listed()).toEqual([]);
    expect(await rows("SELECT * FROM labels")).toEqual([]);
  });

  test("labels go with the last series that had them", async () => {
    const day = 86_400_000;
    const store = await using({ retention: "3d" }).open();
    await store.append(DEFAULT_TENANT, batch({ job: "x", old: "1" }, [T - 2 * day, 1]), 1);
    await store.append(DEFAULT_TENANT, batch({ job: "x" }, [T, 1]), 2);
    await store.stop();
    const later = await stores.open("later", () => Date.now() + 3.1 * day);
    await later.maintain();
    expect(await rows("SELECT label FROM labels")).toEqual([{ label: '["job","x"]' }]);
  });

  test("other processes know what changed when, but for what was forgotten", async () => {
    using();
    const writer = await stores.open("w", () => T + 1_200_000);
    const reader = await stores.openReader(() => T + 1_200_000);
    const [changes, all] = [reader.changes as DataChanges, { startMs: 0, endMs: T + 3_600_000 }];
    const minutes = async (version: DataVersion) =>
      (await changes.since(DEFAULT_TENANT, version, all)).ranges.map(({ startMs, endMs }) => [startMs - T, endMs - T]);
    const write = async (timeMs: number, position: number, type?: "delta") => {
      const info: SeriesInfo = { type: "counter", unit: "", temporality: type ?? "cumulative", otelName: "" };
      await writer.append(
        DEFAULT_TENANT,
        metricBatchOf([{ labels: { a: "1" }, info, samples: [[timeMs, 1]] }]),
        position,
      );
      await writer.flush();
    };
    await write(T, 1);
    const before = await changes.version(DEFAULT_TENANT);
    expect(await minutes(before)).toEqual([]);
    await write(T + 600_001, 2);
    await write(T - 60_000, 3);
    const want = [[-60_000, -1], [600_000, 659_999]]; // biome-ignore format: two ranges
    expect(await minutes(before)).toEqual(want);
    expect(await minutes(await changes.version(DEFAULT_TENANT))).toEqual([]);
    // The same again, and what is forgotten of it: only what a later one stands for.
    await write(T + 610_000, 4);
    const [{ count }] = await rows("SELECT count(*)::int FROM changes");
    await writer.maintain();
    expect(await rows("SELECT count(*)::int FROM changes")).toEqual([{ count: count - 1 }]);
    expect(await minutes(before)).toEqual(want);
    const after = await changes.version(DEFAULT_TENANT);
    await reader.administration.deleteSamples({
      tenant: DEFAULT_TENANT,
      matchers: [],
      range: { startMs: T, endMs: T },
    });
    expect(await minutes(after)).toEqual([[0, 59_999]]);
    // Another temporality is about all samples; another history about everything.
    await write(T + 620_000, 5, "delta");
    const everything = [[-T, 3_600_000]];
    expect(await minutes(after)).toEqual(everything);
    expect(await minutes(String(await changes.version(DEFAULT_TENANT)).replace(".", "1."))).toEqual(everything);
    const latest = await changes.version(DEFAULT_TENANT);
    expect(await minutes(latest)).toEqual([]);
    await rows("UPDATE changes SET at = now() - interval '2 days'");
    await writer.maintain();
    expect(await rows("SELECT * FROM changes")).toEqual([]);
    expect(await minutes(before)).toEqual(everything);
    expect(await minutes(latest)).toEqual([]);
  });

  test("a change that is under way while somebody reads counts as made since", async () => {
    using();
    const writer = await stores.open("w");
    const changes = (await stores.openReader()).changes as DataChanges;
    await writer.append(DEFAULT_TENANT, batch({ a: "1" }, [T, 1]), 1);
    await writer.flush();
    const isBefore = await stores.database.transaction("holding a transaction open", async (client) => {
      await client.query("SELECT pg_current_xact_id()");
      await writer.append(DEFAULT_TENANT, batch({ a: "1" }, [T + 60_000, 1]), 2);
      await writer.flush();
      const version = await changes.version(DEFAULT_TENANT);
      await client.query(
        "INSERT INTO changes (tenant, first_minute, last_minute, xid) SELECT id, 7, 7, pg_current_xact_id()::text::int8 FROM tenants",
      );
      return version;
    });
    const { ranges } = await changes.since(DEFAULT_TENANT, isBefore, { startMs: 0, endMs: T });
    expect(ranges).toContainEqual({ startMs: 420_000, endMs: 479_999 });
  });

  test("a user without rights to the server can be told of changes, too", async () => {
    using();
    await rows("CREATE ROLE plain LOGIN CREATEROLE PASSWORD 'plain'; CREATE SCHEMA of_plain AUTHORIZATION plain");
    const address = { ...service.address, user: "plain", password: "plain" };
    const own = new TimescaleStores(address, { copyIn: true, maxConnections: 6, config: { schema: "of_plain" } });
    const store = await own.open();
    await store.append(DEFAULT_TENANT, batch({ a: "1" }, [T, 1]), 1);
    expect((await store.changes?.since(DEFAULT_TENANT, (await store.changes?.version(DEFAULT_TENANT)) ?? 0, { startMs: 0, endMs: T }))?.ranges).toEqual([]); // biome-ignore format: one call
    await own.dispose();
  });

  test("queries pass by a replica that does not answer", async () => {
    const store = await using({ replicas: ["127.0.0.1:1"] }).open();
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
