/** `npm run bench -- ingest`: the same load for this server and for others, in turns. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cpuSecondsOf, peakMiBOf } from "@sightline/e2e/harness/process-usage.ts";
import { ServerProcess } from "@sightline/e2e/harness/server-process.ts";
import { median, nameAndRest } from "./compare.ts";
import type { LoadResult } from "./load-generator.ts";
import { machine } from "./machine.ts";
import { runLoad } from "./measure.ts";
import { table } from "./report.ts";
import { WORKLOADS } from "./workloads/registry.ts";

const HELP = `usage: npm run bench -- ingest [FLAGS]

Loads this server and others with the same data, every time on a fresh directory; in every round each has its turn with each
workload. CPU time is read some seconds after the last answer, so that work after the answer counts. This server answers when
a request is on disk; know what the others do before comparing.

  --command NAME=CMD        how to start another server, in a shell; {dir} stands for its fresh directory
  --ready NAME=URL          answers 200 when that server can be loaded
  --target NAME:LOAD=URL    where it takes a workload (repeatable); it is left out of the others
  --only LOAD               one workload (repeatable): ${[...WORKLOADS.keys()].join(", ")}
  --scale FACTOR            share of the full size: 2.4M samples, 1M records, 1M spans (default 1)
  --rounds N                (default 3)
  --settle MS               until the CPU time is read (default 10000)
  --out FILE                where the JSON goes (default bench/results/local-ingest-DATE.json)
`;
const FULL_ITEMS = { samples: 2_400_000, records: 1_000_000, spans: 1_000_000 } as const;
const READY_TIMEOUT_MS = 60_000;
const OURS = "sightline";

/** A server that was started on a fresh directory; `stop` also removes that. */
type Running = { readonly pid: number; readonly url: (workload: string) => string; stop(): Promise<unknown> };
type Contestant = { readonly name: string; takes(workload: string): boolean; start(): Promise<Running> };
type Turn = LoadResult & {
  readonly perSecond: number;
  readonly cpuSecondsPerMillion: number;
  readonly peakMiB: number;
};
/** By workload, then by name of the server: a turn per round. */
type Turns = Map<string, Map<string, Turn[]>>;

/** Runs the command line after the word `ingest`. */
export async function compareIngest(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      command: { type: "string", multiple: true, default: [] },
      ready: { type: "string", multiple: true, default: [] },
      target: { type: "string", multiple: true, default: [] },
      only: { type: "string", multiple: true, default: [...WORKLOADS.keys()] },
      scale: { type: "string", default: "1" },
      rounds: { type: "string", default: "3" },
      settle: { type: "string", default: "10000" },
      out: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const readyUrls = new Map(values.ready.map(nameAndRest));
  const targets = new Map(values.target.map(nameAndRest));
  const contestants = [
    ours(),
    ...values.command.map(nameAndRest).map(([name, command]) => peer(name, command, readyUrls.get(name), targets)),
  ];
  const turns: Turns = new Map();
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const workload of values.only) {
      for (const contestant of contestants.filter((one) => one.takes(workload))) {
        process.stderr.write(`bench: round ${round} of ${values.rounds}, ${workload}, ${contestant.name}\n`);
        const turn = await load(contestant, workload, Number(values.scale), Number(values.settle));
        const byName = turns.get(workload) ?? new Map<string, Turn[]>();
        turns.set(workload, byName.set(contestant.name, [...(byName.get(contestant.name) ?? []), turn]));
      }
    }
  }
  report(turns, values.out);
}

async function load(contestant: Contestant, name: string, scale: number, settleMs: number): Promise<Turn> {
  const workload = WORKLOADS.get(name);
  if (!workload) throw new Error(`unknown workload ${name}; there are: ${[...WORKLOADS.keys()].join(", ")}`);
  const items = Math.round(FULL_ITEMS[workload.unit] * scale);
  const endMs = Math.floor(Date.now() / 60_000) * 60_000;
  const { pid, url, stop } = await contestant.start();
  try {
    const cpuBefore = cpuSecondsOf(pid);
    const result = await runLoad(name, url(name), items, endMs);
    await sleep(settleMs);
    return {
      ...result,
      perSecond: result.accepted / result.seconds,
      cpuSecondsPerMillion: ((cpuSecondsOf(pid) - cpuBefore) / result.accepted) * 1e6,
      peakMiB: peakMiBOf(pid),
    };
  } finally {
    await stop();
  }
}

function ours(): Contestant {
  return {
    name: OURS,
    takes: () => true,
    start: async () => {
      const server = await ServerProcess.start({ env: { SIGHTLINE_SELF_TELEMETRY__ENABLED: "false" } });
      return { pid: server.pid, url: () => server.url, stop: () => server.dispose() };
    },
  };
}

function peer(
  name: string,
  command: string,
  readyUrl: string | undefined,
  targets: ReadonlyMap<string, string>,
): Contestant {
  const urlOf = (workload: string) => targets.get(`${name}:${workload}`);
  return {
    name,
    takes: (workload) => urlOf(workload) !== undefined,
    start: async () => {
      const dir = mkdtempSync(join(tmpdir(), "bench-ingest-"));
      const child = spawn(`exec ${command.replaceAll("{dir}", dir)}`, { shell: true, stdio: "ignore" });
      const stop = async () => {
        if (child.exitCode === null && child.kill("SIGTERM")) await once(child, "exit");
        rmSync(dir, { recursive: true, force: true });
      };
      const deadline = performance.now() + READY_TIMEOUT_MS;
      while (readyUrl && (await fetch(readyUrl).catch(() => undefined))?.status !== 200) {
        if (child.exitCode === null && performance.now() < deadline) await sleep(50);
        else throw new Error(`${name} does not answer at ${readyUrl}`);
      }
      return { pid: child.pid as number, url: (workload) => urlOf(workload) as string, stop };
    },
  };
}

/** User and system time of all threads, from /proc/PID/stat; 100 ticks a second on every Linux. */

function report(turns: Turns, out: string | undefined): void {
  const date = new Date().toISOString();
  const file = resolve(
    out ?? fileURLToPath(new URL(`results/local-ingest-${date.replaceAll(":", "-")}.json`, import.meta.url)),
  );
  const workloads = Object.fromEntries([...turns].map(([name, byName]) => [name, Object.fromEntries(byName)]));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ date, machine: machine(), workloads }, null, 1)}\n`);
  const rows = [...turns].flatMap(([workload, byName]) =>
    [...byName].map(([name, rounds]) => [
      workload,
      name,
      spread(rounds.map(({ perSecond }) => perSecond / 1000)),
      median(rounds.map(({ cpuSecondsPerMillion }) => cpuSecondsPerMillion)).toFixed(2),
      String(median(rounds.map((turn) => turn.peakMiB))),
      `${median(rounds.map((turn) => turn.requestP50Ms)).toFixed(1)} / ${median(rounds.map((turn) => turn.requestP99Ms)).toFixed(0)}`,
      String(rounds.reduce((sum, { refused }) => sum + refused, 0)),
    ]),
  );
  const head = ["load", "server", "1,000 items/s", "CPU-s / million", "peak MiB", "request p50 / p99 ms", "refused"];
  process.stdout.write(`${table(head, rows)}\nkept in ${file}\n`);
}

function spread(numbers: readonly number[]): string {
  return `${median(numbers).toFixed(0)} (${Math.min(...numbers).toFixed(0)}–${Math.max(...numbers).toFixed(0)})`;
}
