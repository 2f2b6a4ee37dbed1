import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, getJson } from "./harness/http-call.ts";
import { remoteWrite } from "./harness/remote-write.ts";
import { ServerProcess } from "./harness/server-process.ts";

const END_MS = Math.floor(Date.now() / 60_000) * 60_000 - 1_800_000;
const SAMPLES = 60;
const servers: ServerProcess[] = [];
let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start();
  servers.push(server);
});
afterAll(async () => {
  for (const started of servers.toReversed()) await started.dispose();
});

const write = (to: ServerProcess, name: string, times: readonly number[]) =>
  remoteWrite(to.url, 1, [
    { labels: [["__name__", name]], samples: times.map((i) => ({ timeMs: END_MS - i * 15_000, value: i })) },
  ]);
const everyTime = Array.from({ length: SAMPLES }, (_, i) => SAMPLES - 1 - i);
const admin = (what: string) => call(`${server.url}/api/v1/admin/tsdb/${what}`, { method: "POST" });
async function points(of: ServerProcess, name: string): Promise<number> {
  type Answer = { data: { result: { values: unknown[] }[] } };
  const range = `start=${(END_MS - (SAMPLES - 1) * 15_000) / 1000}&end=${END_MS / 1000}&step=15&lookback_delta=1s`;
  const { data } = await getJson<Answer>(`${of.url}/api/v1/query_range?query=${name}&${range}`);
  return data.result[0]?.values.length ?? 0;
}
const names = async (of: ServerProcess) =>
  (await getJson<{ data: string[] }>(`${of.url}/api/v1/label/__name__/values?match[]={__name__=~"gone|kept|part"}`))
    .data;

test("what is deleted is gone at once and after kill -9; a server starts on a snapshot of before", async () => {
  for (const name of ["gone", "kept", "part"]) expect((await write(server, name, everyTime)).status).toBe(204);
  // Answers that were kept must not outlive what they were made of.
  expect([await points(server, "gone"), await points(server, "part")]).toEqual([SAMPLES, SAMPLES]);
  const snapshot = JSON.parse((await admin("snapshot")).text) as { data: { name: string } };
  expect(snapshot.data.name).toMatch(/^\d{8}T\d{6}Z-[0-9a-f]{16}$/);

  expect((await admin("delete_series?match[]=gone")).status).toBe(204);
  const half = `start=${(END_MS - 29 * 15_000) / 1000}`;
  expect((await admin(`delete_series?match[]=part&${half}`)).status).toBe(204);
  const expectDeleted = async () => {
    expect([await points(server, "gone"), await points(server, "part"), await points(server, "kept")]).toEqual([
      0,
      SAMPLES - 30,
      SAMPLES,
    ]);
    expect(await names(server)).toEqual(["kept", "part"]);
  };
  await expectDeleted();
  await server.kill();
  await server.restart();
  await expectDeleted();
  expect((await admin("clean_tombstones")).status).toBe(204);
  await expectDeleted();
  await write(server, "gone", [0, 1]);
  expect(await points(server, "gone")).toBe(2);

  expect(readdirSync(join(server.dataDir, "snapshots"))).toEqual([snapshot.data.name]);
  const copy = await ServerProcess.start({ dataDir: join(server.dataDir, "snapshots", snapshot.data.name) });
  servers.push(copy);
  expect(await names(copy)).toEqual(["gone", "kept", "part"]);
  expect(await points(copy, "gone")).toBe(SAMPLES);
  await write(copy, "kept", [-1]);
  await copy.kill();
  await copy.restart();
  const { data } = await getJson<{ data: { result: { value: [number, string] }[] } }>(
    `${copy.url}/api/v1/query?query=count_over_time(kept[1h])&time=${(END_MS + 60_000) / 1000}`,
  );
  expect(data.result[0]?.value[1]).toBe(String(SAMPLES + 1));
});
