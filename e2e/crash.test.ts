import { afterEach, describe, expect, test } from "vitest";
import { Ask } from "./harness/ask.ts";
import { BUSY_FILES } from "./harness/busy-files.ts";
import { eventually } from "./harness/eventually.ts";
import { patientMs } from "./harness/patience.ts";
import { encodeRemoteWrite2, postRemoteWrite, snappy } from "./harness/remote-write.ts";
import { ServerProcess } from "./harness/server-process.ts";
import { trackedWriters } from "./harness/tracked-loads.ts";

const ROUNDS = Number(process.env.SIGHTLINE_E2E_CRASH_ROUNDS ?? 3);
const ROUND_TIMEOUT_MS = patientMs(30_000);

let server: ServerProcess | undefined;
afterEach(async () => {
  await server?.dispose();
  server = undefined;
});

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts it, and kills it while it starts: replay must be able to die, too. */
async function dieWhileStarting(process: ServerProcess, afterMs: number): Promise<void> {
  const starting = process.restart().catch(() => undefined);
  await sleep(afterMs);
  await process.kill();
  await starting;
}

describe.each<[string, Record<string, string>]>([
  ["default settings", {}],
  ["settings under which blocks are cut and log segments removed all the time", BUSY_FILES],
])("kill -9 under load with %s", (_, env) => {
  test(
    `after each of ${ROUNDS} rounds, everything acknowledged is there exactly once and nothing else is`,
    async () => {
      server = await ServerProcess.start({ env });
      const running = server;
      const writers = trackedWriters();
      for (let round = 1; round <= ROUNDS; round++) {
        let stopped = false;
        const load = writers.map((writer) => writer.run(running, () => stopped));
        await sleep(400 + Math.random() * 1_200);
        await eventually(async () => {
          for (const { name, acknowledgedItems } of writers) {
            expect({ name, some: acknowledgedItems > 50 }).toEqual({ name, some: true });
          }
        });
        stopped = true;
        await running.kill();
        await Promise.all(load);
        if (round % 2 === 0) await dieWhileStarting(running, 200 + Math.random() * 600);
        const restartMs = await running.restart();
        const violations = (await Promise.all(writers.map((writer) => writer.violations(running)))).flat();
        expect(violations.slice(0, 20)).toEqual([]);
        const counts = writers.map(
          ({ name, acknowledgedItems, unknownRequests }) => `${name} ${acknowledgedItems} (${unknownRequests} unknown)`,
        );
        console.info(`round ${round}: ready again after ${Math.round(restartMs)} ms; ${counts.join(", ")}`);
      }
    },
    ROUNDS * ROUND_TIMEOUT_MS,
  );
});

describe("a head of two million samples", () => {
  const [SERIES, SAMPLES, PER_REQUEST] = [20_000, 100, 10];
  const SERIES_PER_REQUEST = 2_000;

  test("is back soon after kill -9", async () => {
    server = await ServerProcess.start();
    const startMs = Date.now() - SAMPLES * 15_000;
    for (let first = 0; first < SAMPLES; first += PER_REQUEST) {
      for (let from = 0; from < SERIES; from += SERIES_PER_REQUEST) {
        const series = Array.from({ length: SERIES_PER_REQUEST }, (_, i) => ({
          labels: [
            ["__name__", `head_${(from + i) % 50}`],
            ["instance", `10.0.0.${(from + i) % 200}:9100`],
            ["job", "node"],
            ["series", String(from + i)],
          ] as const,
          samples: Array.from({ length: PER_REQUEST }, (_, k) => ({
            timeMs: startMs + (first + k) * 15_000,
            value: (from + i) * 1_000 + first + k,
          })),
        }));
        expect((await postRemoteWrite(server.url, 2, snappy(encodeRemoteWrite2(series)))).status).toBe(204);
      }
    }
    await server.kill();
    const restartMs = await server.restart();
    console.info(`${SERIES * SAMPLES} samples in the head: ready again after ${Math.round(restartMs)} ms`);
    expect(restartMs).toBeLessThan(patientMs(3_300));
    const count = await new Ask(server.url).number("sum(count_over_time({__name__=~'head_.+'}[1h]))");
    expect(count).toBe(SERIES * SAMPLES);
  });
});
