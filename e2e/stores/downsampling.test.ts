import { afterAll, beforeAll, describe } from "vitest";
import { describeDownsampling } from "../../server/downsampling-suite.ts";
import { PgliteService } from "../services/pglite.ts";
import { PostgresService } from "../services/postgres.ts";
import { agingFixtureOf, MANY_STORES } from "./timescale-fixture.ts";

const missing = PostgresService.missing();

describe.skipIf(missing !== undefined)("on plain PostgreSQL", () => {
  let service: PostgresService;
  beforeAll(async () => {
    service = await PostgresService.start(MANY_STORES);
  });
  afterAll(() => service.dispose());
  const config = { pack_after: "1ms", merge_after: "1ms" };
  const settings = { copyIn: true, maxConnections: 10, config };
  describeDownsampling(
    "TimescaleMetricStore",
    agingFixtureOf(() => service.address, settings),
  );
});

describe("on TimescaleDB", () => {
  const settings = { copyIn: false, maxConnections: 1, config: { chunk: "1d" } };
  describeDownsampling("TimescaleMetricStore", async (own, nowMs) => {
    // It takes one connection at a time: each store has one of its own.
    const service = await PgliteService.start();
    const fixture = await agingFixtureOf(() => service.address, settings)(own, nowMs);
    const dispose = async () => {
      await fixture.dispose();
      await service.dispose();
    };
    return { ...fixture, dispose };
  });
});
