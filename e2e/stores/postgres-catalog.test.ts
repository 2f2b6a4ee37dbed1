import { describeCatalog } from "@sightline/storage-conformance/catalog.ts";
import { PostgresCatalog } from "@sightline/storage-timescale/catalog/postgres-catalog.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PostgresService } from "../services/postgres.ts";
import { TimescaleStores } from "./timescale-fixture.ts";

const missing = PostgresService.missing();

describe.skipIf(missing !== undefined)("on PostgreSQL", () => {
  let service: PostgresService;
  beforeAll(async () => {
    service = await PostgresService.start();
  });
  afterAll(() => service.dispose());
  const schema = () => new TimescaleStores(service.address, { copyIn: true, maxConnections: 3 });

  describeCatalog("PostgresCatalog", async () => {
    const stores = schema();
    const open = async () => {
      const catalog = new PostgresCatalog(stores.database);
      await catalog.start();
      return catalog;
    };
    return { open, dispose: () => stores.dispose() };
  });

  test("audit entries can be neither changed nor removed", async () => {
    const stores = schema();
    await new PostgresCatalog(stores.database).start();
    for (const sql of ["UPDATE audit SET action = ''", "DELETE FROM audit", "TRUNCATE audit"]) {
      const change = stores.database.write("changing it", (client) => client.query(sql));
      await expect(change).rejects.toThrow("never changed or removed");
    }
    await stores.dispose();
  });
});
