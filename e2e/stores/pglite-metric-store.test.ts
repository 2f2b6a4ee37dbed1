import { describeMetricStore } from "@sightline/storage-conformance/metric-store.ts";
import { afterAll, beforeAll, describe } from "vitest";
import { PgliteService } from "../services/pglite.ts";
import { fixtureOf } from "./timescale-fixture.ts";

describe("on TimescaleDB", () => {
  let service: PgliteService;
  beforeAll(async () => {
    service = await PgliteService.start();
  });
  afterAll(() => service.dispose());
  describeMetricStore(
    "TimescaleMetricStore",
    fixtureOf(() => service.address, { copyIn: false, maxConnections: 1 }),
  );
});
