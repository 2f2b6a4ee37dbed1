import { setTimeout as sleep } from "node:timers/promises";
import { residentMiBOf } from "../harness/process-usage.ts";
import { ServerProcess } from "../harness/server-process.ts";
import { Canary } from "./canary.ts";
import { Load } from "./load.ts";
import type { LoadLedger, LoadProgress, PerSignal } from "./load-plan.ts";
import { metricOf, serviceOf } from "./payloads.ts";
import { type Verdict, verify } from "./verify.ts";

export type OverloadOptions = {
  readonly seconds: number;
  /** What is sent, in multiples of what the server took in a trial. */
  readonly factor: number;
  readonly memoryLimitBytes: number;
  readonly trialSeconds: number;
  /** Of each signal. */
  readonly clients: number;
  readonly dataDir?: string | undefined;
  readonly say: (line: string) => void;
};

export type OverloadResult = {
  readonly capacity: PerSignal;
  readonly ledger: LoadLedger;
  readonly verdict: Verdict;
  /** In MiB, every second from the beginning of the overload on. */
  readonly residentMib: readonly number[];
  readonly canaryP50Ms: number;
  readonly canaryP99Ms: number;
  readonly canarySlowest: Canary["slowest"];
  readonly canaryFailures: readonly string[];
  readonly alive: boolean;
};

const SAMPLE_MS = 1_000;
const SAY_EVERY_S = 30;
/** Far beyond what any server takes, so that the trial finds its limit. */
const TRIAL_RATE: PerSignal = { metrics: 400_000, logs: 60_000, traces: 60_000 };
const TRIAL_CLIENTS = 8;
/** Of the trial, that is not counted: what runs for the first time is slow. */
const WARM_UP = 1 / 3;

/** Finds out what a server takes, sends it `factor` times that, and asks it afterwards for all that it acknowledged. */
export async function runOverload(options: OverloadOptions): Promise<OverloadResult> {
  const { say, memoryLimitBytes, dataDir } = options;
  const server = await ServerProcess.start({ dataDir, args: ["--memory-limit", String(memoryLimitBytes)] });
  let load: Load | undefined;
  try {
    say(`started: ${server.url}, process ${server.pid}`);
    const addresses = { http: server.url, grpc: server.otlpGrpc };
    const fromMs = Date.now();
    const trial = new Load({ ...addresses, firstClient: 10_000, clients: TRIAL_CLIENTS, itemsPerSecond: TRIAL_RATE });
    await sleep(WARM_UP * options.trialSeconds * 1_000);
    const { metrics = 0, logs = 0, traces = 0 } = trial.progress?.acknowledged ?? {};
    await sleep((1 - WARM_UP) * options.trialSeconds * 1_000);
    const { acknowledged } = (await trial.stop()).totals;
    const taken = {
      metrics: acknowledged.metrics - metrics,
      logs: acknowledged.logs - logs,
      traces: acknowledged.traces - traces,
    };
    const capacity = scaled(taken, 1 / ((1 - WARM_UP) * options.trialSeconds));
    say(`takes ${describe(capacity)} a second`);

    load = new Load({
      ...addresses,
      firstClient: 0,
      clients: options.clients,
      itemsPerSecond: scaled(capacity, options.factor),
    });
    const canary = new Canary(server.url, canaryQueries());
    const residentMib = await watch(server, load, options);
    const ledger = await load.stop();
    await canary.stop();
    const [p50, p99] = [0.5, 0.99].map((q) => Math.round(canary.quantileMs(q)));
    say(
      `queries beside it: p50 ${p50} ms, p99 ${p99} ms, ${canary.failures.length} of ${canary.latenciesMs.length} failed`,
    );
    say(`stopped: ${describe(ledger.totals.acknowledged)} acknowledged, counting`);
    const verdict = await verify(server.url, ledger, fromMs, Date.now());
    for (const complaint of complaintsIn(server.stderr)) say(complaint);
    return {
      capacity,
      ledger,
      verdict,
      residentMib,
      canaryP50Ms: canary.quantileMs(0.5),
      canaryP99Ms: canary.quantileMs(0.99),
      canarySlowest: canary.slowest,
      canaryFailures: canary.failures,
      alive: server.isAlive,
    };
  } finally {
    load?.kill();
    if (!server.isAlive) say(`the server is gone; its last words:\n${server.stderr.slice(-4_000)}`);
    await server.dispose();
  }
}

async function watch(server: ServerProcess, load: Load, { seconds, say }: OverloadOptions): Promise<number[]> {
  const residentMib: number[] = [];
  const beganMs = performance.now();
  for (let tick = 1; performance.now() - beganMs < seconds * 1_000; tick++) {
    await sleep(SAMPLE_MS);
    if (!server.isAlive) throw new Error("the server died under the load");
    residentMib.push(residentMiBOf(server.pid));
    if (tick % SAY_EVERY_S === 0) say(`${tick} s: ${residentMib.at(-1)} MiB, ${progressOf(load.progress)}`);
  }
  return residentMib;
}

/** What the server logged as a warning or worse, each text once with its number. */
function complaintsIn(log: string): string[] {
  const counts = new Map<string, number>();
  for (const line of log.split("\n")) {
    if (!/^\{"level":[456]0/.test(line)) continue;
    const { msg, error } = JSON.parse(line) as { msg: string; error?: { message?: string } };
    const text = error?.message === undefined ? msg : `${msg}: ${error.message.replace(/\d+/g, "#").slice(0, 200)}`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([text, count]) => `logged ${count} ×: ${text}`);
}

function canaryQueries(): string[] {
  const prom = (query: string) => `/api/v1/query?${new URLSearchParams({ query })}`;
  const lines = new URLSearchParams({ query: `{service_name="${serviceOf("logs", 0)}"} |= "completed"`, limit: "20" });
  return [
    prom(`sum(rate(${metricOf(0)}[1m]))`),
    prom("sum by (outcome) (rate(sightline_ingest_requests_total[5m]))"),
    `/loki/api/v1/query_range?${lines}`,
  ];
}

function scaled({ metrics, logs, traces }: PerSignal, by: number): PerSignal {
  return { metrics: metrics * by, logs: logs * by, traces: traces * by };
}

function describe({ metrics, logs, traces }: PerSignal): string {
  return `${Math.round(metrics)} samples, ${Math.round(logs)} records, ${Math.round(traces)} spans`;
}

function progressOf(progress: LoadProgress | undefined): string {
  if (!progress) return "nothing sent";
  const statuses = Object.entries(progress.statuses).map(([status, count]) => `${count} × ${status}`);
  return `${describe(progress.acknowledged)} acknowledged; ${statuses.join(", ")}`;
}
