import { UnavailableError } from "@sightline/model/errors.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { postgresConfig } from "@sightline/storage-timescale/config.ts";
import { type Client, Database } from "@sightline/storage-timescale/database/database.ts";
import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { PostgresService } from "../services/postgres.ts";

const NEVER = new AbortController().signal;

describe.skipIf(PostgresService.missing() !== undefined)("a connection to PostgreSQL", () => {
  async function withDatabase(
    settings: { readonly restart_wait?: string; readonly max_connections?: number },
    run: (database: Database, server: PostgresService) => Promise<void>,
  ): Promise<void> {
    const server = await PostgresService.start();
    const { host, port, user, database: name, password } = server.address;
    process.env.PGPASSWORD = password;
    const config = postgresConfig.parse({ host, port, user, database: name, ...settings });
    const database = new Database({ config, logger: SILENT_LOGGER, registry: new Registry(), purpose: "test" });
    try {
      await run(database, server);
    } finally {
      await database.stop();
      await server.dispose();
    }
  }
  const one = async (client: Client) => (await client.query("SELECT 1 AS one")).rows;
  const readOne = (database: Database) => database.read("one", "", NEVER, one);

  test(
    "stays open for the next query, as does one more, while others are ended after some seconds",
    { timeout: 60_000 },
    () =>
      withDatabase({}, async (database) => {
        const open = async () => {
          const sql = "SELECT pid FROM pg_stat_activity WHERE application_name = 'sightline test' ORDER BY pid";
          return (await database.write("counting", (client) => client.query(sql))).rows.map(({ pid }) => pid as number);
        };
        await Promise.all(Array.from({ length: 5 }, () => readOne(database)));
        const before = await open();
        expect(before).toHaveLength(6);
        await expect.poll(open, { interval: 1_000, timeout: 40_000 }).toHaveLength(3);
        expect(before).toEqual(expect.arrayContaining(await open()));
      }),
  );

  test("that dies between two statements fails what is done with the connection, and nothing else", () =>
    withDatabase({}, async (database, server) => {
      const work = database.write("two statements", async (client) => {
        await client.query("SELECT 1");
        const brokenOff = new Promise((resolve) => client.once("error", resolve));
        await server.kill();
        await brokenOff;
        await client.query("SELECT 1");
      });
      await expect(work).rejects.toThrow(UnavailableError);
      await server.start();
      expect(await database.write("another", one)).toEqual([{ one: 1 }]);
    }));

  test("that is not there is waited for by reads, which are done again, but not by writes", () =>
    withDatabase({ restart_wait: "1h" }, async (database, server) => {
      expect(await readOne(database)).toEqual([{ one: 1 }]);
      let begun = 0;
      let stopped = () => {};
      const isStopped = new Promise<void>((resolve) => {
        stopped = resolve;
      });
      const brokenOff = database.read("a read that is broken off", "", NEVER, async (client) => {
        if (++begun === 1) await server.stop().then(stopped);
        return one(client);
      });
      await isStopped;
      await expect(database.write("one", one)).rejects.toThrow(UnavailableError);
      const reads = [brokenOff, readOne(database), database.lookUp("one", one)];
      await server.start();
      expect(await Promise.all(reads)).toEqual([[{ one: 1 }], [{ one: 1 }], [{ one: 1 }]]);
      expect(begun).toBe(2);
    }));

  test("that breaks off between two pieces fails the read: no piece comes twice", () =>
    withDatabase({ restart_wait: "1h" }, async (database, server) => {
      const pieces: unknown[] = [];
      const read = async () => {
        const work = async function* (client: Client) {
          yield await one(client);
          await server.stop();
          yield await one(client);
        };
        for await (const piece of database.readEach("two pieces", "", NEVER, work)) pieces.push(piece);
      };
      await expect(read()).rejects.toThrow(UnavailableError);
      expect(pieces).toEqual([[{ one: 1 }]]);
    }));

  test("that is not there is not waited for when restart_wait is 0s", () =>
    withDatabase({ restart_wait: "0s" }, async (database, server) => {
      await server.stop();
      await expect(readOne(database)).rejects.toThrow(UnavailableError);
    }));

  test("is not waited for once the client has gone, or the process stops", () =>
    withDatabase({ restart_wait: "1h" }, async (database, server) => {
      await server.stop();
      const client = new AbortController();
      const left = database.read("one", "", client.signal, one);
      client.abort(new Error("gone"));
      await expect(left).rejects.toThrow("gone");
      const stopped = readOne(database);
      await database.stop();
      await expect(stopped).rejects.toThrow(UnavailableError);
    }));
});
