import { UnavailableError } from "@sightline/model/errors.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { postgresConfig } from "@sightline/storage-timescale/config.ts";
import { Database } from "@sightline/storage-timescale/database/database.ts";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { PostgresService } from "../services/postgres.ts";

test.skipIf(PostgresService.missing() !== undefined)(
  "a server that dies between two statements fails what is done with the connection, and nothing else",
  async () => {
    const server = await PostgresService.start();
    const { host, port, user, database: name, password } = server.address;
    process.env.PGPASSWORD = password;
    const config = postgresConfig.parse({ host, port, user, database: name });
    const database = new Database({ config, logger: SILENT_LOGGER, registry: new Registry(), purpose: "test" });
    try {
      const work = database.write("two statements", async (client) => {
        await client.query("SELECT 1");
        const brokenOff = new Promise((resolve) => client.once("error", resolve));
        await server.kill();
        await brokenOff;
        await client.query("SELECT 1");
      });
      await expect(work).rejects.toThrow(UnavailableError);
      await server.start();
      expect(await database.write("another", async (client) => (await client.query("SELECT 1 AS one")).rows)).toEqual([
        { one: 1 },
      ]);
    } finally {
      await database.stop();
      await server.dispose();
    }
  },
);
