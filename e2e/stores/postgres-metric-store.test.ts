import { describeMetricStore } from "@sightline/storage-conformance/metric-store.ts";
import { describeMetricRetention } from "@sightline/storage-conformance/metric-store-retention.ts";
import { afterAll, beforeAll, describe } from "vitest";
import { PostgresService } from "../services/postgres.ts";
import { agingFixtureOf, fixtureOf, MANY_STORES } from "./timescale-fixture.ts";

const missing = PostgresService.missing();

describe.skipIf(missing !== undefined)("on plain PostgreSQL", () => {
  let service: PostgresService;
  beforeAll(async () => {
    service = await PostgresService.start(MANY_STORES);
  });
  afterAll(() => service.dispose());
  const address = () => service.address;
  const settings = { copyIn: true, maxConnections: 10 };
  describeMetricStore("TimescaleMetricStore", fixtureOf(address, settings));
  const config = { pack_after: "1ms", merge_after: "1ms" };
  describeMetricStore("TimescaleMetricStore with pages", fixtureOf(address, { ...settings, config, packs: true }));
  describeMetricRetention("TimescaleMetricStore", agingFixtureOf(address, settings));
  describeMetricRetention(
    "TimescaleMetricStore with pages",
    agingFixtureOf(address, { ...settings, config, packs: true }),
  );
});
