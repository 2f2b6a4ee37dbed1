import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { getJson } from "../harness/http-call.ts";
import { patientMs } from "../harness/patience.ts";
import { encodeRemoteWrite2, postRemoteWrite, snappy } from "../harness/remote-write.ts";
import { ServerProcess } from "../harness/server-process.ts";
import { trackedWriters } from "../harness/tracked-loads.ts";
import { PostgresService } from "../services/postgres.ts";
import { postgresSettings } from "./server-settings.ts";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const ROUNDS = 4;

type Answer = { readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] } };

const missing = PostgresService.missing();
describe.skipIf(missing !== undefined)("servers on plain PostgreSQL", () => {
  let service: PostgresService;
  const servers: ServerProcess[] = [];
  const start = async (env: Record<string, string> = {}) => {
    const server = await ServerProcess.start({ env: { ...postgresSettings(service), ...env } });
    servers.push(server);
    return server;
  };
  beforeAll(async () => {
    service = await PostgresService.start();
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.dispose();
  });
  afterAll(() => service.dispose());

  test("what one server takes in another one answers with", async () => {
    const [writer, reader] = [await start(), await start()];
    const series = [{ labels: [["__name__", "shared"], ["job", "a"]], samples: [{ timeMs: Date.now(), value: 42 }] }]; // biome-ignore format: one series
    const body = snappy(encodeRemoteWrite2(series as never));
    expect((await postRemoteWrite(writer.url, 2, body)).status).toBe(204);
    for (const { url } of [writer, reader]) {
      await eventually(async () => {
        const answer = (await getJson(`${url}/api/v1/query?query=shared`)) as unknown as Answer;
        expect(answer.data.result.map(({ value }) => value[1])).toEqual(["42"]);
      });
    }
    expect(writer.stderr + reader.stderr).not.toContain(service.address.password);
  });

  test("whoever is killed, server or database, everything acknowledged is there once", {
    timeout: patientMs(300_000),
  }, async () => {
    const server = await start();
    const writers = trackedWriters().filter(({ signal }) => signal === "metrics");
    for (let round = 0; round < ROUNDS; round++) {
      let stopped = false;
      const load = writers.map((writer) => writer.run(server, () => stopped));
      await sleep(1_500);
      if (round % 2 === 0) {
        await service.kill();
        await sleep(500);
        await service.start();
      }
      await sleep(500);
      if (round > 0) await server.kill();
      stopped = true;
      await Promise.all(load);
      if (round > 0) await server.restart();
    }
    await eventually(async () => {
      const violations = (await Promise.all(writers.map((writer) => writer.violations(server)))).flat();
      expect(violations.slice(0, 20)).toEqual([]);
    }, 60_000);
    expect(writers.map(({ acknowledgedItems }) => acknowledgedItems > 0)).toEqual(writers.map(() => true));
  });
});
