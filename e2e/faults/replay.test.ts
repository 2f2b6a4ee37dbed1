import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Ask } from "../harness/ask.ts";
import { patientMs } from "../harness/patience.ts";
import { remoteWrite } from "../harness/remote-write.ts";
import { ServerProcess } from "../harness/server-process.ts";

const [REQUESTS, SERIES] = [100, 10];
let maxSamples = "100000";
const server = await ServerProcess.start({
  env: () => ({ SIGHTLINE_STORAGE__METRICS__HEAD__MAX_SAMPLES: maxSamples }),
});
let sent = 0;

/** The server ends with so many requests in its log that it has to read again. */
async function leaveRequests(): Promise<void> {
  const startMs = Date.now() - 600_000;
  for (let i = 0; i < REQUESTS; i++) {
    const samples = [{ timeMs: startMs + i * 1_000, value: sent++ }];
    const series = Array.from({ length: SERIES }, (_, i) => ({
      labels: [["__name__", "replayed"] as const, ["series", String(i)] as const],
      samples,
    }));
    expect((await remoteWrite(server.url, 2, series)).status).toBe(204);
  }
  await server.kill();
}
beforeAll(leaveRequests, patientMs(60_000));
afterAll(() => server.dispose());

test("asked to stop while it replays a log, the server ends at once, and loses nothing", async () => {
  const stopWhileItStarts = async () => {
    // One file per request, and a tenth of a second at least.
    maxSamples = "1";
    const starting = server.restart().catch((error: Error) => error.message);
    while (!server.stderr.includes('"memory"')) await setTimeout(1);
    expect(await server.stop()).toBe(0);
    return starting;
  };
  let outcome = await stopWhileItStarts();
  // It may be ready before this process has its next turn: then once more.
  while (typeof outcome === "number") {
    maxSamples = "100000";
    await server.restart();
    await leaveRequests();
    outcome = await stopWhileItStarts();
  }
  expect(outcome).toContain("exited with 0 before it was ready");
  expect(server.stderr).toContain("SIGTERM before it was ready: the next start goes on with the log");
});

test("a log of many times what the memory may hold is in the store when the server is ready", async () => {
  maxSamples = "200";
  await server.restart();
  expect(await new Ask(server.url).number("sum(count_over_time(replayed[1h]))")).toBe(sent * SERIES);
});
