/** `npm run bench -- queries`: the same questions to this server and to others that hold the same data, in turns. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ServerProcess } from "@sightline/e2e/harness/server-process.ts";
import { median, nameAndRest } from "./compare.ts";
import { machine } from "./machine.ts";
import { querySet } from "./query-set.ts";
import { type QueryTiming, timeQuery, warmTimer } from "./query-timer.ts";
import { table } from "./report.ts";

const HELP = `usage: npm run bench -- queries --data DIR --end UNIX_SECONDS [FLAGS]

Asks the 22 questions of bench/query-set.ts of this server and of others that were loaded with the same data (load --help). In every round
each is started anew and asked for itself, so that the first answer of each round is one after a start. Result caches are
off, except in an additional run of this server.

  --data DIR           data directory of this server
  --end SECONDS        when the newest of the data was written, Unix time
  --peer NAME=URL      another server with Prometheus' API (repeatable)
  --cached-peer NAME=URL  as --peer, with its results cache
  --command NAME=CMD   how to start that server, in a shell; without, it must run, and goes on running
  --rounds N           (default 3)
  --runs N             times each question is asked per round at most (default 20); slow ones less often, but 5 times
  --settle MS          pause between the start of a server and the first question (default 3000)
  --only TEXT          questions whose name has this text in it
  --out FILE           where the JSON goes (default bench/results/local-queries-DATE.json)
`;
const READY_TIMEOUT_MS = 120_000;
const MIN_RUNS = 5;
const ENOUGH_MS = 500;
const OURS = "sightline";
const OURS_CACHED = "sightline, results cache";

/** A server under test: `start` gives its address and what stops it again. */
type Contestant = {
  readonly name: string;
  readonly params: Readonly<Record<string, string>>;
  start(): Promise<{ readonly url: string; stop(): Promise<unknown> }>;
};
/** By name of the server, then of the question: a timing per round. */
type Timings = Map<string, Map<string, QueryTiming[]>>;

/** Runs the command line after the word `queries`. */
export async function compareQueries(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      data: { type: "string" },
      end: { type: "string" },
      peer: { type: "string", multiple: true, default: [] },
      "cached-peer": { type: "string", multiple: true, default: [] },
      command: { type: "string", multiple: true, default: [] },
      rounds: { type: "string", default: "3" },
      runs: { type: "string", default: "20" },
      settle: { type: "string", default: "3000" },
      only: { type: "string", default: "" },
      out: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help || values.data === undefined || values.end === undefined) {
    process.stdout.write(HELP);
    return;
  }
  const commands = new Map(values.command.map(nameAndRest));
  const contestants = [
    // VictoriaMetrics' word for what we call the results cache; Prometheus has none, and ignores it.
    ...values.peer.map((text) => peer(...nameAndRest(text), commands, { nocache: "1" })),
    ...values["cached-peer"].map((text) => peer(...nameAndRest(text), commands, {})),
    ours(OURS, values.data, { nocache: "1" }),
    ours(OURS_CACHED, values.data, {}),
  ];
  const queries = querySet(Number(values.end)).filter(({ name }) => name.includes(values.only));
  const timings: Timings = new Map(contestants.map(({ name }) => [name, new Map()]));
  const maxRuns = Number(values.runs);
  const runs = { minRuns: Math.min(MIN_RUNS, maxRuns), maxRuns, enoughMs: ENOUGH_MS };
  await warmTimer();
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const contestant of contestants) {
      process.stderr.write(`bench: round ${round} of ${values.rounds}, ${contestant.name}\n`);
      const { url, stop } = await contestant.start();
      await sleep(Number(values.settle));
      try {
        for (const query of queries) {
          const params = { ...query.params, ...contestant.params };
          const timing = await timeQuery(url, { ...query, params }, runs);
          const ofServer = timings.get(contestant.name) as Map<string, QueryTiming[]>;
          ofServer.set(query.name, [...(ofServer.get(query.name) ?? []), timing]);
        }
      } finally {
        await stop();
      }
    }
  }
  report(timings, values.out);
}

function ours(name: string, dataDir: string, params: Contestant["params"]): Contestant {
  // As everybody has it: the harness has other defaults.
  const env = { SIGHTLINE_QUERY__WARM_UP: "true" };
  return {
    name,
    params,
    start: async () => {
      const server = await ServerProcess.start({ dataDir, env });
      return { url: server.url, stop: () => server.stop() };
    },
  };
}

function peer(
  name: string,
  url: string,
  commands: ReadonlyMap<string, string>,
  params: Contestant["params"],
): Contestant {
  return {
    name,
    params,
    start: async () => {
      const command = commands.get(name);
      const child = command === undefined ? undefined : spawn(`exec ${command}`, { shell: true, stdio: "ignore" });
      await ready(name, url, child);
      return { url, stop: async () => child && stopped(child) };
    },
  };
}

async function ready(name: string, url: string, child: ChildProcess | undefined): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    if (child && child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
    const response = await fetch(new URL("/api/v1/query?query=1", url)).catch(() => undefined);
    if (response?.status === 200) return;
    if (performance.now() > deadline) throw new Error(`${name} does not answer at ${url}`);
    await sleep(50);
  }
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}

function report(timings: Timings, out: string | undefined): void {
  const date = new Date().toISOString();
  const file = resolve(
    out ?? fileURLToPath(new URL(`results/local-queries-${date.replaceAll(":", "-")}.json`, import.meta.url)),
  );
  const servers = Object.fromEntries([...timings].map(([name, ofServer]) => [name, Object.fromEntries(ofServer)]));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ date, machine: machine(), servers }, null, 1)}\n`);
  process.stdout.write(`${comparison(timings)}\nkept in ${file}\n`);
}

/** One row per question: of every server the median over the rounds of its first answer and of its p50, in ms. */
function comparison(timings: Timings): string {
  const names = [...timings.keys()];
  const questions = [...((timings.get(OURS) as Map<string, unknown>).keys() as Iterable<string>)];
  const rows = questions.map((question) => [
    question,
    ...names.map((name) => {
      const rounds = timings.get(name)?.get(question) ?? [];
      return `${ms(median(rounds.map(({ firstMs }) => firstMs)))} / ${ms(median(rounds.map(({ p50Ms }) => p50Ms)))}`;
    }),
  ]);
  return table(["first / p50, ms", ...names], rows);
}

function ms(value: number): string {
  return value < 9.95 ? value.toFixed(1) : value.toFixed(0);
}
