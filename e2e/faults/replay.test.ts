import { afterAll, expect, test } from "vitest";
import { Ask } from "../harness/ask.ts";
import { remoteWrite } from "../harness/remote-write.ts";
import { ServerProcess } from "../harness/server-process.ts";

const [REQUESTS, SERIES] = [100, 10];
let maxSamples = "100000";
const server = await ServerProcess.start({
  env: () => ({ SIGHTLINE_STORAGE__METRICS__HEAD__MAX_SAMPLES: maxSamples }),
});
afterAll(() => server.dispose());

test("a log of many times what the memory may hold is in the store when the server is ready", async () => {
  const startMs = Date.now() - 600_000;
  for (let request = 0; request < REQUESTS; request++) {
    const samples = [{ timeMs: startMs + request * 1_000, value: request }];
    const series = Array.from({ length: SERIES }, (_, i) => ({
      labels: [["__name__", "replayed"] as const, ["series", String(i)] as const],
      samples,
    }));
    expect((await remoteWrite(server.url, 2, series)).status).toBe(204);
  }
  await server.kill();
  maxSamples = "200";
  await server.restart();
  expect(await new Ask(server.url).number("sum(count_over_time(replayed[1h]))")).toBe(REQUESTS * SERIES);
});
