import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { metricBatchOf } from "@sightline/storage-conformance/metric-batch-of.ts";
import { onlySamples } from "@sightline/storage-conformance/metric-rows.ts";
import { describeMetricStore } from "@sightline/storage-conformance/metric-store.ts";
import { describeMetricRetention } from "@sightline/storage-conformance/metric-store-retention.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PgliteService } from "../services/pglite.ts";
import { agingFixtureOf, fixtureOf, TimescaleStores } from "./timescale-fixture.ts";

const DAY_MS = 86_400_000;

describe("on TimescaleDB", () => {
  let service: PgliteService;
  beforeAll(async () => {
    service = await PgliteService.start();
  });
  afterAll(() => service.dispose());
  const address = () => service.address;
  const settings = { copyIn: false, maxConnections: 1 };

  test("old chunks go to the columnstore, where samples can be read, added and deleted, and then away", async () => {
    const stores = new TimescaleStores(address(), { ...settings, config: { chunk: "1d", retention: "10d" } });
    const store = await stores.open();
    const old = Math.floor((Date.now() - 5 * DAY_MS) / DAY_MS) * DAY_MS;
    const write = (position: number, ...samples: [number, number][]) =>
      store.append(DEFAULT_TENANT, metricBatchOf([{ labels: { a: "1" }, samples }]), position);
    await write(1, ...Array.from({ length: 100 }, (_, i): [number, number] => [old + i, i]), [Date.now(), 1_000]);
    await store.flush();
    await store.maintain();
    const compressed = await stores.database.write("asking", async (client) => {
      const sql = `SELECT count(*)::int AS count FROM timescaledb_information.chunks
        WHERE hypertable_schema = $1 AND hypertable_name = 'samples' AND is_compressed`;
      return (await client.query(sql, [stores.config.schema])).rows[0].count;
    });
    expect(compressed).toBe(1);
    await write(2, [old + 5, 999], [old + 1_000, 7]);
    const range = { startMs: old + 10, endMs: old + 89 };
    await store.administration.deleteSamples({ tenant: DEFAULT_TENANT, matchers: [], range });
    const want = [...Array(10).keys(), 90, 91, 92, 93, 94, 95, 96, 97, 98, 99].map((i) => [old + i, i]);
    const all = await onlySamples(store);
    expect(all.slice(0, -1)).toEqual([...want, [old + 1_000, 7]]);
    await store.stop();
    const later = await stores.open("later", () => Date.now() + 6 * DAY_MS);
    await later.maintain();
    expect(await onlySamples(later)).toEqual(all.slice(-1));
    await stores.dispose();
  });

  describeMetricStore("TimescaleMetricStore", fixtureOf(address, settings));
  describeMetricRetention("TimescaleMetricStore", agingFixtureOf(address, settings));
});
