import { describeMetricStore } from "@sightline/storage-conformance/metric-store.ts";
import { afterAll, beforeAll, describe } from "vitest";
import { PostgresService } from "../services/postgres.ts";
import { fixtureOf } from "./timescale-fixture.ts";

const missing = PostgresService.missing();
if (missing !== undefined) process.stderr.write(`skipped: the metric store on PostgreSQL: ${missing}\n`);

describe.skipIf(missing !== undefined)("on plain PostgreSQL", () => {
  let service: PostgresService;
  beforeAll(async () => {
    service = await PostgresService.start();
  });
  afterAll(() => service.dispose());
  describeMetricStore(
    "TimescaleMetricStore",
    fixtureOf(() => service.address, { copyIn: true, maxConnections: 10 }),
  );
});
