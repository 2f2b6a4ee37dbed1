import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../harness/free-port.ts";
import { patientMs } from "../harness/patience.ts";
import { AlertmanagerProcess } from "./alertmanager-process.ts";
import { type Page, WebhookReceiver } from "./webhook-receiver.ts";

/** From the signal until it listens again: what it sent before may arrive in between. */
type Kill = { readonly fromMs: number; readonly untilMs: number };

export type KillReport = {
  readonly rounds: number;
  readonly acknowledged: number;
  /** Acknowledged alerts that nobody was told of. */
  readonly lost: readonly string[];
  /** Told to be firing more than once with no kill between: a replica that is slower than its peer timeout, or a mistake. */
  readonly doubled: readonly string[];
  /** Told twice because the process was killed between telling and remembering it: what at least once means. */
  readonly repeatedByKill: number;
  readonly silences: number;
  readonly lostSilences: number;
};

const POST_PAUSE_MS = 20;
const ROUND_MS = 1_500;
const QUIET_MS = patientMs(60_000);
const PEER_TIMEOUT = "2s";

const CONFIG = (url: string) => `
route: {receiver: hook, group_by: [alertname], group_wait: 200ms, group_interval: 1s, repeat_interval: 1h}
receivers:
- name: hook
  webhook_configs: [{url: '${url}'}]
`;

/** Alerts are posted without pause while the process, or one of two, is killed at random, once per round. */
export async function killRounds(replicas: 1 | 2, rounds: number, random: () => number): Promise<KillReport> {
  const dir = mkdtempSync(join(tmpdir(), "sightline-kills-"));
  const receiver = new WebhookReceiver();
  const configFile = join(dir, "alertmanager.yml");
  writeFileSync(configFile, CONFIG(await receiver.start()));
  const processes = await startAll(replicas, dir, configFile);
  const kills: Kill[] = [];
  const acknowledged = new Set<string>();
  const silences = new Set<string>();
  let isPosting = true;
  const posting = post(processes, acknowledged, silences, () => isPosting);
  try {
    for (let round = 0; round < rounds; round++) {
      await sleep(random() * ROUND_MS);
      const victim = processes[Math.floor(random() * replicas)] as AlertmanagerProcess;
      const fromMs = Date.now();
      await victim.kill();
      await sleep(random() * ROUND_MS);
      await victim.start();
      kills.push({ fromMs, untilMs: Date.now() });
    }
    isPosting = false;
    await posting;
    await untilAllTold(receiver, acknowledged);
    const kept = await Promise.all(processes.map((one) => one.get("/api/v2/silences")));
    const known = kept.map((list) => new Set((list as { id: string }[]).map(({ id }) => id)));
    const lostSilences = [...silences].filter((id) => !known.every((ids) => ids.has(id))).length;
    return { rounds, ...judge(receiver.pages, acknowledged, kills), silences: silences.size, lostSilences };
  } finally {
    isPosting = false;
    for (const one of processes) await one.kill();
    receiver.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function startAll(replicas: number, dir: string, configFile: string): Promise<readonly AlertmanagerProcess[]> {
  const ports = await Promise.all(Array.from({ length: replicas }, () => freePort()));
  const processes = ports.map((port, i) => {
    const peers = ports.filter((other) => other !== port).map((other) => `--cluster.peer=127.0.0.1:${other}`);
    const cluster = [`--cluster.listen-address=127.0.0.1:${port}`, `--cluster.peer-timeout=${PEER_TIMEOUT}`];
    const flags = replicas === 1 ? [] : [...cluster, "--cluster.settle-timeout=5s", ...peers];
    return new AlertmanagerProcess({ configFile, dataDir: join(dir, `data${i}`), flags });
  });
  for (const one of processes) await one.start();
  return processes;
}

/** To all replicas, as Prometheus does. It is acknowledged when one of them has done so. */
async function post(
  processes: readonly AlertmanagerProcess[],
  acknowledged: Set<string>,
  silences: Set<string>,
  goesOn: () => boolean,
): Promise<void> {
  for (let i = 0; goesOn(); i++) {
    const alertname = `alert-${i}`;
    const answers = await Promise.all(processes.map((one) => one.post("/api/v2/alerts", [{ labels: { alertname } }])));
    if (answers.some(({ ok }) => ok)) acknowledged.add(alertname);
    if (i % 10 === 0) {
      const { ok, text } = await (processes[i % processes.length] as AlertmanagerProcess).post("/api/v2/silences", {
        matchers: [{ name: "alertname", value: `none-${i}`, isRegex: false }],
        startsAt: new Date().toISOString(),
        endsAt: new Date(Date.now() + 3_600_000).toISOString(),
        createdBy: "kills",
        comment: "",
      });
      if (ok) silences.add((JSON.parse(text) as { silenceID: string }).silenceID);
    }
    await sleep(POST_PAUSE_MS);
  }
}

async function untilAllTold(receiver: WebhookReceiver, acknowledged: ReadonlySet<string>): Promise<void> {
  const deadline = Date.now() + QUIET_MS;
  while (Date.now() < deadline) {
    const told = new Set(receiver.pages.map(({ alertname }) => alertname));
    if ([...acknowledged].every((name) => told.has(name))) break;
    await sleep(100);
  }
  // A second page would come with the next interval, or when another replica had its turn.
  await sleep(6_000);
}

function judge(pages: readonly Page[], acknowledged: ReadonlySet<string>, kills: readonly Kill[]) {
  const firing = Map.groupBy(
    pages.filter(({ status }) => status === "firing"),
    ({ alertname }) => alertname,
  );
  const twice = [...firing].filter(([, told]) => told.length > 1);
  const straddlesKill = ([first, second]: readonly Page[]) =>
    kills.some(({ fromMs, untilMs }) => untilMs >= (first?.atMs ?? 0) && fromMs <= (second?.atMs ?? 0));
  const doubled = twice.filter(([, told]) => !straddlesKill(told)).map(([name]) => name);
  return {
    acknowledged: acknowledged.size,
    lost: [...acknowledged].filter((name) => !firing.has(name)),
    doubled,
    repeatedByKill: twice.length - doubled.length,
  };
}

if (import.meta.main) {
  const [replicas = "1", rounds = "30"] = process.argv.slice(2);
  const report = await killRounds(replicas === "2" ? 2 : 1, Number(rounds), Math.random);
  process.stdout.write(`${JSON.stringify(report, null, 1)}\n`);
}
