import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { describeCatalog } from "@sightline/storage-conformance/catalog.ts";
import { describeLogStore } from "@sightline/storage-conformance/log-store.ts";
import { describeMetricStore } from "@sightline/storage-conformance/metric-store.ts";
import { describeTraceStore } from "@sightline/storage-conformance/trace-store.ts";
import { OpenSearchLogStore } from "@sightline/storage-opensearch/logs/open-search-log-store.ts";
import { OpenSearchTraceStore } from "@sightline/storage-opensearch/traces/open-search-trace-store.ts";
import { RedisSharedCache } from "@sightline/storage-redis/cache/redis-shared-cache.ts";
import { redisConfig } from "@sightline/storage-redis/config.ts";
import { RedisConnection } from "@sightline/storage-redis/connection/redis-connection.ts";
import { PostgresCatalog } from "@sightline/storage-timescale/catalog/postgres-catalog.ts";
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DatabaseAddress } from "../services/postgres.ts";
import { OpenSearchFixtures } from "../stores/opensearch-fixtures.ts";
import { fixtureOf, MANY_STORES, TimescaleStores } from "../stores/timescale-fixture.ts";
import {
  containersMissing,
  type DatabaseContainer,
  openSearchContainer,
  redisContainer,
  timescaleContainer,
} from "./official-images.ts";

const START_TIMEOUT_MS = 1_200_000;
const missing = await containersMissing();
if (missing !== undefined) process.stderr.write(`skipped: everything in containers: ${missing}\n`);

/** What `npm run test:stores` shows on databases of this machine, on the images that people run. */
describe.skipIf(missing !== undefined)("in containers", () => {
  describe("on TimescaleDB", () => {
    let container: DatabaseContainer<DatabaseAddress>;
    beforeAll(async () => {
      container = await timescaleContainer(MANY_STORES);
    }, START_TIMEOUT_MS);
    afterAll(() => container?.dispose());
    const address = () => container.address;

    describeMetricStore("TimescaleMetricStore", fixtureOf(address, { copyIn: true, maxConnections: 5 }));

    describeCatalog("PostgresCatalog", async () => {
      const stores = new TimescaleStores(address(), { copyIn: true, maxConnections: 3 });
      const open = async () => {
        const catalog = new PostgresCatalog(stores.database);
        await catalog.start();
        return catalog;
      };
      return { open, dispose: () => stores.dispose() };
    });
  });

  describe("on OpenSearch", () => {
    let container: DatabaseContainer<string>;
    let logs: OpenSearchFixtures<OpenSearchLogStore>;
    let traces: OpenSearchFixtures<OpenSearchTraceStore>;
    beforeAll(async () => {
      container = await openSearchContainer();
      logs = new OpenSearchFixtures(container.address, (options) => new OpenSearchLogStore(options));
      traces = new OpenSearchFixtures(container.address, (options) => new OpenSearchTraceStore(options));
    }, START_TIMEOUT_MS);
    afterAll(() => container?.dispose());

    describeLogStore("OpenSearchLogStore", () => logs.make());
    describeTraceStore("OpenSearchTraceStore", () => traces.make());
  });

  test("on Redis a cache gives what another process put", { timeout: START_TIMEOUT_MS }, async () => {
    const container = await redisContainer();
    const config = redisConfig.parse({ kind: "single", nodes: [container.address] });
    const connections = [1, 2].map(
      () => new RedisConnection({ config, logger: SILENT_LOGGER, registry: new Registry() }),
    );
    try {
      for (const connection of connections) await connection.start();
      const [one, two] = connections.map(
        (redis) =>
          new RedisSharedCache({ redis, name: "test", ttlMs: 60_000, maxBytes: 1_000, registry: new Registry() }),
      );
      await one?.put("key", Uint8Array.of(0, 255));
      expect(await two?.get("key")).toEqual(Buffer.from([0, 255]));
    } finally {
      for (const connection of connections) await connection.stop();
      await container.dispose();
    }
  });
});
