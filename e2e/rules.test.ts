import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Ask } from "./harness/ask.ts";
import { eventually } from "./harness/eventually.ts";
import { patientMs } from "./harness/patience.ts";
import { ServerProcess } from "./harness/server-process.ts";

type Alert = {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
};
type Active = { readonly labels: Readonly<Record<string, string>>; readonly state: string; readonly activeAt: string };

const dir = mkdtempSync(join(tmpdir(), "sightline-e2e-rules-"));
const rules = join(dir, "rules.yml");
const settings = join(dir, "settings.yaml");
const received: Alert[] = [];
let receiver: Server;
let server: ServerProcess | undefined;

beforeAll(async () => {
  receiver = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push(...(JSON.parse(Buffer.concat(chunks).toString()) as Alert[]));
    response.end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const { port } = receiver.address() as AddressInfo;
  const own = {
    files: [rules],
    watch_interval_ms: 100,
    interval_ms: 1_000,
    resend_delay_ms: 1_000,
    for_grace_period_ms: 1_000,
    alertmanagers: [{ url: `http://127.0.0.1:${port}` }],
  };
  writeFileSync(settings, JSON.stringify({ alerting: { rules: own } }));
});
afterEach(async () => {
  await server?.dispose();
  server = undefined;
});
afterAll(async () => {
  receiver.close();
  rmSync(dir, { recursive: true });
});

/** In one step: half of a file may be rules, too. */
function put(text: string): void {
  writeFileSync(`${rules}.new`, text);
  renameSync(`${rules}.new`, rules);
}

async function start(text: string): Promise<ServerProcess> {
  put(text);
  server = await ServerProcess.start({ args: ["--config", settings] });
  return server;
}

async function active(running: ServerProcess, name: string): Promise<Active | undefined> {
  const { data } = await new Ask(running.url).get<{ data: { alerts: Active[] } }>("/api/v1/alerts");
  return data.alerts.find(({ labels }) => labels.alertname === name);
}

const RULES = `groups:
- name: g
  rules:
  - {record: 'one:two', expr: vector(2)}
  - alert: Two
    expr: one:two == 2
    labels: {severity: page}
    annotations: {text: 'is {{ $value }}, {{ with query "one:two" }}{{ . | first | value }}{{ end }}'}
  - {alert: Long, expr: one:two == 2, for: 1h}
  - {alert: Short, expr: one:two == 2, for: 2s}
`;

test("rules of a file are evaluated, shown, written, told, and go when the file changes", {
  timeout: patientMs(60_000),
}, async () => {
  const running = await start(RULES);
  const ask = new Ask(running.url);
  await eventually(async () => {
    const told = received.find(({ labels }) => labels.alertname === "Two");
    expect(told).toMatchObject({ labels: { severity: "page" }, annotations: { text: "is 2, 2" } });
  });
  await eventually(async () => {
    const query = "ALERTS{alertname='Two',alertstate='firing'}";
    const { data } = await ask.get<{ data: { result: object[] } }>("/api/v1/query", { query });
    expect(data.result).toMatchObject([{ metric: { severity: "page" } }]);
  });
  put("groups: [{name: g, rules: [{alert: Bad, expr: 'one:two ==='}]}]");
  await eventually(async () => expect(running.stderr).toContain("the rules stay as they were"));
  expect(await active(running, "Two")).toBeDefined();
  put(RULES.replace("one:two == 2\n", "one:two == 3\n"));
  await eventually(async () => expect(await active(running, "Two")).toBeUndefined());
  await eventually(async () => {
    const last = received.findLast(({ labels }) => labels.alertname === "Two");
    expect(Date.parse(last?.endsAt ?? "")).toBeLessThanOrEqual(Date.now());
  });
});

test("after kill -9 alerts have waited as long as before, and those that fired do so again", {
  timeout: patientMs(120_000),
}, async () => {
  const running = await start(RULES);
  for (let round = 0; round < Number(process.env.SIGHTLINE_E2E_CRASH_ROUNDS ?? 2); round++) {
    await eventually(async () => {
      expect(await active(running, "Short")).toMatchObject({ state: "firing" });
      // It is written, too: what is not may begin anew.
      const query = "ALERTS{alertname='Short',alertstate='firing'}";
      expect(await new Ask(running.url).promql(query)).toHaveLength(1);
    }, 20_000);
    const before = Date.parse((await active(running, "Long"))?.activeAt ?? "");
    const short = Date.parse((await active(running, "Short"))?.activeAt ?? "");
    const killed = Date.now();
    await running.kill();
    await running.restart();
    // Written down in whole seconds, by the evaluation before; and taken up after the second one.
    await eventually(async () => {
      const after = await active(running, "Short");
      expect(after).toMatchObject({ state: "firing" });
      expect(Math.abs(Date.parse(after?.activeAt ?? "") - short)).toBeLessThan(2_000);
    }, 20_000);
    const restored = Date.parse((await active(running, "Long"))?.activeAt ?? "");
    expect(restored - before).toBeLessThan(Date.now() - killed + patientMs(2_000));
  }
});

test("groups come and go through the ruler APIs, and stay over a restart", { timeout: patientMs(60_000) }, async () => {
  const running = await start("groups: []");
  const call = (method: string, path: string, body?: string) =>
    fetch(running.url + path, { method, headers: { "content-type": "application/yaml" }, body: body ?? null });
  const names = async () => {
    const { data } = await new Ask(running.url).get<{ data: { groups: { name: string; file: string }[] } }>(
      "/api/v1/rules",
    );
    return data.groups.map(({ name, file }) => `${file}/${name}`);
  };
  const group = "name: a\ninterval: 1s\nrules:\n  - alert: X\n    expr: vector(1)\n    labels: {a: b}\n";
  expect((await call("POST", "/prometheus/config/v1/rules/ns", group)).status).toBe(202);
  expect(
    (
      await call(
        "POST",
        "/loki/api/v1/rules/logs",
        "name: l\nrules: [{alert: L, expr: 'count_over_time({a=\"b\"}[5m]) > 1'}]",
      )
    ).status,
  ).toBe(202);
  expect(await names()).toEqual(["logs/l", "ns/a"]);
  const bad = await call("POST", "/config/v1/rules/ns", "name: a\nrules: [{alert: X, expr: 'up ='}]");
  expect([bad.status, await bad.json()]).toMatchObject([
    400,
    { error: expect.stringContaining("could not parse expression") },
  ]);
  expect((await call("POST", "/config/v1/rules/ns", group.replace("a: b", "a: c"))).status).toBe(202);
  await running.kill();
  await running.restart();
  expect(await names()).toEqual(["logs/l", "ns/a"]);
  expect(await (await call("GET", "/config/v1/rules/ns/a")).text()).toContain("a: c");
  const { data } = (await (await call("GET", "/config/v1/rules/ns/a/versions")).json()) as {
    data: { version: number }[];
  };
  expect(data.map(({ version }) => version)).toEqual([2, 1]);
  expect((await call("DELETE", "/config/v1/rules/ns/a")).status).toBe(202);
  expect((await call("DELETE", "/loki/api/v1/rules/logs")).status).toBe(202);
  expect(await names()).toEqual([]);
  expect((await call("GET", "/config/v1/rules")).status).toBe(404);
});
