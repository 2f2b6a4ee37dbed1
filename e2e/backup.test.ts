import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommandLine, ServerProcess } from "./harness/server-process.ts";

const root = mkdtempSync(join(tmpdir(), "sightline-backup-"));
const target = join(root, "target");
let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start({});
});
afterAll(async () => {
  await server.dispose();
  rmSync(root, { recursive: true, force: true });
});

const text = (stringValue: string) => ({ stringValue });
const resource = { attributes: [{ key: "service.name", value: text("web") }] };

async function send(number: number, tenant: string): Promise<void> {
  const timeUnixNano = `${BigInt(Date.now()) * 1_000_000n}`;
  const post = async (signal: string, body: unknown) => {
    const headers = { "content-type": "application/json", "x-scope-orgid": tenant };
    const answer = await fetch(`${server.url}/v1/${signal}`, { method: "POST", headers, body: JSON.stringify(body) });
    expect(answer.status).toBe(200);
  };
  const span = { traceId: `${number}`.repeat(32), spanId: "1".repeat(16), name: "GET /" };
  const times = { startTimeUnixNano: timeUnixNano, endTimeUnixNano: timeUnixNano };
  const gauge = { dataPoints: [{ timeUnixNano, asInt: number }] };
  await post("logs", {
    resourceLogs: [{ resource, scopeLogs: [{ logRecords: [{ timeUnixNano, body: text(`line ${number}`) }] }] }],
  });
  await post("traces", { resourceSpans: [{ resource, scopeSpans: [{ spans: [{ ...span, ...times }] }] }] });
  await post("metrics", { resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [{ name: "cart", gauge }] }] }] });
}

type Result = { readonly values: readonly [string, string][]; readonly value: readonly [number, string] };

/** Lines, the newest sample and the status of the trace. */
async function ask(of: ServerProcess, number: number, tenant: string): Promise<unknown> {
  const get = async (path: string) => fetch(of.url + path, { headers: { "x-scope-orgid": tenant } });
  const json = async (path: string) => ((await (await get(path)).json()) as { data: { result: Result[] } }).data.result;
  const lines = await json(`/loki/api/v1/query_range?query=${encodeURIComponent('{service_name="web"}')}`);
  const samples = await json(`/api/v1/query?query=${encodeURIComponent("last_over_time(cart[1h])")}`);
  const trace = await get(`/api/traces/${`${number}`.repeat(32)}`);
  return [lines.flatMap(({ values }) => values.map(([, line]) => line)).sort(), samples[0]?.value[1], trace.status];
}

async function silence(comment: string): Promise<void> {
  const matchers = [{ name: "alertname", value: "DiskFull", isRegex: false }];
  const times = { startsAt: new Date().toISOString(), endsAt: new Date(Date.now() + 3_600_000).toISOString() };
  const body = JSON.stringify({ matchers, ...times, createdBy: "me", comment });
  const headers = { "content-type": "application/json" };
  expect((await fetch(`${server.url}/api/v2/silences`, { method: "POST", headers, body })).status).toBe(200);
}

const backup = (...words: string[]) => runCommandLine(["backup", ...words]);

test("everything acknowledged before a backup of the running server is in it, of every tenant, and nothing later", async () => {
  await send(1, "shop");
  await send(2, "bank");
  await silence("a disk is changed");
  const made = await backup("create", target, "--url", server.url);
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d{8}T\d{6}\.\d{3}Z\n$/) });
  await send(3, "shop");
  await silence("too late");
  expect(readdirSync(join(server.dataDir, "snapshots"))).toEqual([]);
  const second = await backup("create", target, "--url", server.url);
  expect((await backup("list", target)).stdout.split("\n")).toHaveLength(3);
  expect(await backup("verify", target)).toMatchObject({
    code: 0,
    stderr: expect.stringContaining("every file is as it was"),
  });

  const restoredDir = join(root, "restored");
  expect(await backup("restore", target, made.stdout.trim(), "--data-dir", restoredDir)).toMatchObject({ code: 0 });
  const restored = await ServerProcess.start({ dataDir: restoredDir });
  try {
    expect(await ask(restored, 1, "shop")).toEqual([["line 1"], "1", 200]);
    expect(await ask(restored, 2, "bank")).toEqual([["line 2"], "2", 200]);
    expect(await ask(restored, 3, "shop")).toMatchObject([["line 1"], "1", 404]);
    const silences = (await (await fetch(`${restored.url}/api/v2/silences`)).json()) as { comment: string }[];
    expect(silences.map(({ comment }) => comment)).toEqual(["a disk is changed"]);
  } finally {
    await restored.dispose();
  }
  expect(await backup("remove", target, made.stdout.trim())).toMatchObject({ code: 0 });
  expect((await backup("list", target)).stdout).toContain(second.stdout.trim());
});

test("a restored server takes new data and keeps it over a restart", async () => {
  const dir = join(root, "again");
  await backup("restore", target, "--data-dir", dir);
  const again = await ServerProcess.start({ dataDir: dir });
  const original = server;
  try {
    server = again;
    await send(4, "shop");
    await again.stop();
    await again.restart();
    expect(await ask(again, 4, "shop")).toEqual([["line 1", "line 3", "line 4"], "4", 200]);
  } finally {
    server = original;
    await again.dispose();
  }
});

test.each([
  [["create", "/tmp/x", "--url", "http://127.0.0.1:1"], "no server answers at http://127.0.0.1:1"],
  [["create", "ftp://x"], "is no place for backups"],
  [["restore", "/nowhere/at/all", "--data-dir", "/tmp/x"], "has no backups"],
  [["restore", "/nowhere/at/all"], "needs --data-dir"],
  [["what", "/tmp"], "usage: backup create"],
])("%j says what is wrong", async (words, message) => {
  const { code, stderr } = await backup(...words);
  expect(code).not.toBe(0);
  expect(stderr).toContain(message);
});
