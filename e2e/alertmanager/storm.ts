import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuSecondsOf, residentMiBOf } from "../harness/process-usage.ts";
import { AlertmanagerProcess } from "./alertmanager-process.ts";
import { WebhookReceiver } from "./webhook-receiver.ts";

export type StormReport = {
  readonly alerts: number;
  readonly groups: number;
  readonly postSeconds: number;
  readonly notifiedAfterSeconds: number;
  /** Milliseconds, by request. */
  readonly p99: Readonly<Record<string, number>>;
  readonly max: Readonly<Record<string, number>>;
  readonly listSeconds: number;
  readonly residentMib: number;
  readonly cpuSeconds: number;
};

/** So many does Prometheus put into one request. */
const BATCH = 256;
const PROBE_PAUSE_MS = 20;

/** `alerts` alerts in `groups` groups at once, while people look at the API. */
export async function storm(alerts: number, groups: number): Promise<StormReport> {
  const dir = mkdtempSync(join(tmpdir(), "sightline-storm-"));
  const receiver = new WebhookReceiver();
  const configFile = join(dir, "alertmanager.yml");
  const hook = await receiver.start();
  writeFileSync(
    configFile,
    `route: {receiver: hook, group_by: [g], group_wait: 5s, group_interval: 10s, repeat_interval: 1h}
receivers: [{name: hook, webhook_configs: [{url: '${hook}', max_alerts: 10}]}]
inhibit_rules: [{source_matchers: [severity=critical], target_matchers: [severity=warning], equal: [g]}]
`,
  );
  const server = new AlertmanagerProcess({ configFile, dataDir: join(dir, "data") });
  try {
    await server.start();
    for (let i = 0; i < 100; i++) await server.post("/api/v2/silences", silence(i));
    let isOver = false;
    const latencies = new Map<string, number[]>();
    const probing = probe(server, latencies, () => !isOver);
    const began = performance.now();
    await Promise.all([0, 1, 2, 3].map((lane) => postLane(server, alerts, groups, lane, 4)));
    const postSeconds = (performance.now() - began) / 1_000;
    const told = () => new Set(receiver.pages.map(({ alertname }) => alertname)).size;
    while (told() < groups && performance.now() - began < 120_000) await sleep(100);
    const notifiedAfterSeconds = (performance.now() - began) / 1_000;
    isOver = true;
    await probing;
    const listBegan = performance.now();
    const listed = (await server.get("/api/v2/alerts")) as readonly unknown[];
    // One more is posted meanwhile.
    if (listed.length < alerts) throw new Error(`${listed.length} of ${alerts} alerts are listed`);
    const of = (share: number) =>
      Object.fromEntries([...latencies].map(([name, all]) => [name, Math.round(quantile(all, share))]));
    return {
      alerts,
      groups,
      postSeconds: round(postSeconds),
      notifiedAfterSeconds: round(notifiedAfterSeconds),
      p99: of(0.99),
      max: of(1),
      listSeconds: round((performance.now() - listBegan) / 1_000),
      residentMib: residentMiBOf(server.pid),
      cpuSeconds: round(cpuSecondsOf(server.pid)),
    };
  } finally {
    await server.kill();
    receiver.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

function silence(i: number): unknown {
  const times = { startsAt: new Date().toISOString(), endsAt: new Date(Date.now() + 3_600_000).toISOString() };
  return { ...times, matchers: [{ name: "n", value: `${i}`, isRegex: false }], createdBy: "storm", comment: "" };
}

async function postLane(server: AlertmanagerProcess, alerts: number, groups: number, lane: number, lanes: number) {
  for (let start = lane * BATCH; start < alerts; start += lanes * BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, alerts - start) }, (_, i) => {
      const n = start + i;
      const labels = {
        alertname: `g${n % groups}`,
        g: `${n % groups}`,
        n: `${n}`,
        instance: `host-${n}:9100`,
        job: "node",
      };
      return {
        labels: { ...labels, severity: n % 7 === 0 ? "critical" : "warning" },
        annotations: { summary: `instance host-${n} is down`, runbook: "https://runbooks.example/down" },
      };
    });
    const { ok, text } = await server.post("/api/v2/alerts", batch);
    if (!ok) throw new Error(text);
  }
}

async function probe(server: AlertmanagerProcess, latencies: Map<string, number[]>, goesOn: () => boolean) {
  const requests: readonly (readonly [string, () => Promise<unknown>])[] = [
    ["status", () => server.get("/api/v2/status")],
    ["silences", () => server.get("/api/v2/silences")],
    ["alerts of one group", () => server.get("/api/v2/alerts?filter=g=7")],
    ["groups of one receiver, filtered", () => server.get("/api/v2/alerts/groups?filter=n=7")],
    ["post one alert", () => server.post("/api/v2/alerts", [{ labels: { alertname: "g7", g: "7", n: "7" } }])],
    ["post a silence", () => server.post("/api/v2/silences", silence(7))],
  ];
  while (goesOn()) {
    for (const [name, request] of requests) {
      const began = performance.now();
      await request();
      const list = latencies.get(name) ?? [];
      list.push(performance.now() - began);
      latencies.set(name, list);
    }
    await sleep(PROBE_PAUSE_MS);
  }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

const round = (value: number) => Math.round(value * 10) / 10;

if (import.meta.main) {
  const [alerts = "50000", groups = "1000"] = process.argv.slice(2);
  process.stdout.write(`${JSON.stringify(await storm(Number(alerts), Number(groups)), null, 1)}\n`);
}
