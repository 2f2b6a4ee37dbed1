import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { call } from "../harness/http-call.ts";
import { ServerProcess } from "../harness/server-process.ts";
import { trackedOtlpWriters } from "../harness/tracked-loads.ts";
import { OpenSearchService } from "../services/opensearch.ts";

const missing = OpenSearchService.missing();

/** Between requests of each writer, so that all of them are read back in a short time. */
const PAUSE_MS = 50;
const LOAD_MS = 2_000;

/** A node of its own, because it is killed; the process under test as well. */
describe.skipIf(missing !== undefined)("outages of OpenSearch", () => {
  let node: OpenSearchService;
  let server: ServerProcess;

  beforeAll(async () => {
    node = await OpenSearchService.start();
    server = await ServerProcess.start({
      env: {
        SIGHTLINE_SELF_TELEMETRY__ENABLED: "false",
        SIGHTLINE_STORAGE__LOGS__KIND: "opensearch",
        SIGHTLINE_STORAGE__TRACES__KIND: "opensearch",
        SIGHTLINE_STORAGE__OPENSEARCH__NODES: JSON.stringify([node.url]),
        SIGHTLINE_STORAGE__OPENSEARCH__REPLICAS: "0",
        SIGHTLINE_STORAGE__OPENSEARCH__FLUSH__MAX_AGE: "200ms",
        SIGHTLINE_STORAGE__OPENSEARCH__REQUEST_TIMEOUT: "3s",
      },
    });
  }, 1_200_000);
  afterAll(async () => {
    await server?.dispose();
    await node?.dispose();
  });

  test("nothing that was acknowledged is lost or doubled", { timeout: 900_000 }, async () => {
    const writers = trackedOtlpWriters().filter(({ signal }) => signal !== "metrics");
    let isOver = false;
    const load = writers.map((writer) => writer.run(server, () => isOver, PAUSE_MS));
    const outages: readonly (() => Promise<unknown>)[] = [
      async () => {
        await node.kill();
        await sleep(LOAD_MS);
        await node.start();
      },
      async () => {
        node.signal("SIGSTOP");
        await sleep(2 * LOAD_MS);
        node.signal("SIGCONT");
      },
      () => server.kill().then(() => server.restart()),
      async () => {
        await node.kill();
        await server.kill();
        await server.restart();
        await sleep(LOAD_MS);
        await node.start();
      },
    ];
    for (const outage of outages) {
      await sleep(LOAD_MS);
      await outage();
    }
    await sleep(LOAD_MS);
    isOver = true;
    await Promise.all(load);
    for (const writer of writers) {
      expect(writer.acknowledgedItems).toBeGreaterThan(0);
      await eventually(async () => expect(await writer.violations(server)).toEqual([]), 120_000);
    }
    // All of it is in OpenSearch once, too, however often it was sent there.
    expect(await server.stop()).toBe(0);
    await server.restart();
    for (const writer of writers) await eventually(async () => expect(await writer.violations(server)).toEqual([]));
    expect((await call(`${server.url}/metrics`)).text).not.toMatch(/dead_letter_rows_total [1-9]/);
  });
});
