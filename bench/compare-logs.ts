/** `npm run bench -- logs`: the same log records to this server and to others, and the same questions in turns. */
import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ServerProcess } from "@sightline/e2e/harness/server-process.ts";
import { logQueries } from "./log-queries.ts";
import { machine } from "./machine.ts";
import { runLoad } from "./measure.ts";
import { type QueryTiming, timeQuery, warmTimer } from "./query-timer.ts";
import { table } from "./report.ts";

const HELP = `usage: npm run bench -- logs [FLAGS]

Writes log records over OTLP to a fresh server of ours and to the others, restarts ours, and asks all of them the questions of
bench/log-queries.ts: once right after the start, and then, when they have had a while, several times in turns.

  --records N         (default 1000000)
  --peer NAME=URL     another server that runs and is empty (repeatable); known are
                      victorialogs=http://127.0.0.1:9428 and loki=http://127.0.0.1:3100
  --rounds N          (default 3)
  --runs N            times each question is asked per round (default 15)
  --settle MS         pause before the rounds (default 15000)
  --out FILE          where the JSON goes (default bench/results/local-logs-DATE.json)
`;
const OURS = "sightline";
/** What is known of other servers: where they take OTLP, and what they are asked in. */
const PEERS: ReadonlyMap<string, { readonly ingestPath: string; readonly language: string }> = new Map([
  ["victorialogs", { ingestPath: "/insert/opentelemetry/v1/logs", language: "logsql" }],
  ["loki", { ingestPath: "/otlp/v1/logs", language: "logql" }],
]);

type Contestant = { readonly name: string; readonly url: string; readonly language: string };
/** By server, then question; the first of each list is from right after the start. */
type Timings = Map<string, Map<string, QueryTiming[]>>;

/** Runs the command line after the word `logs`. */
export async function compareLogs(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      records: { type: "string", default: "1000000" },
      peer: { type: "string", multiple: true, default: [] },
      rounds: { type: "string", default: "3" },
      runs: { type: "string", default: "15" },
      settle: { type: "string", default: "15000" },
      out: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const endSeconds = Math.floor(Date.now() / 1_000);
  const peers = values.peer.map(peerOf);
  const dataDir = await mkdtemp(join(tmpdir(), "bench-logs-"));
  let server = await ServerProcess.start({ dataDir });
  try {
    const load = (url: string) => runLoad("otlp-logs", url, Number(values.records), endSeconds * 1_000);
    process.stderr.write(`bench: ${OURS} took ${(await load(server.url)).seconds.toFixed(1)} s\n`);
    for (const { name, url, ingestPath } of peers) {
      process.stderr.write(`bench: ${name} took ${(await load(new URL(ingestPath, url).href)).seconds.toFixed(1)} s\n`);
    }
    await server.stop();
    await warmTimer();
    server = await ServerProcess.start({ dataDir });
    const contestants = [{ name: OURS, url: server.url, language: "logql" }, ...peers];
    const timings: Timings = new Map(contestants.map(({ name }) => [name, new Map()]));
    for (const contestant of contestants) await ask(contestant, endSeconds, 1, timings);
    await sleep(Number(values.settle));
    for (let round = 1; round <= Number(values.rounds); round++) {
      for (const contestant of contestants) await ask(contestant, endSeconds, Number(values.runs), timings);
    }
    report(timings, Number(values.records), values.out);
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

function peerOf(text: string): Contestant & { readonly ingestPath: string } {
  const at = text.indexOf("=");
  const [name, url] = [text.slice(0, at), text.slice(at + 1)];
  const known = PEERS.get(name);
  if (!known) throw new Error(`write NAME=URL with a name of ${[...PEERS.keys()].join(", ")}, not ${text}`);
  return { name, url, ...known };
}

async function ask({ name, url, language }: Contestant, endSeconds: number, runs: number, timings: Timings) {
  const ofServer = timings.get(name) as Map<string, QueryTiming[]>;
  for (const query of logQueries(language, endSeconds)) {
    const timing = await timeQuery(url, query, runs);
    ofServer.set(query.name, [...(ofServer.get(query.name) ?? []), timing]);
  }
}

function report(timings: Timings, records: number, out: string | undefined): void {
  const date = new Date().toISOString();
  const file = resolve(
    out ?? fileURLToPath(new URL(`results/local-logs-${date.replaceAll(":", "-")}.json`, import.meta.url)),
  );
  const servers = Object.fromEntries([...timings].map(([name, ofServer]) => [name, Object.fromEntries(ofServer)]));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ date, machine: machine(), records, servers }, null, 1)}\n`);
  const names = [...timings.keys()];
  const questions = [...(timings.get(OURS) as Map<string, QueryTiming[]>).keys()];
  const rows = questions.map((question) => [question, ...names.map((name) => cell(timings.get(name)?.get(question)))]);
  process.stdout.write(`${table(["first / p50 / p99, ms", ...names], rows)}\nkept in ${file}\n`);
}

/** The answer after the start, and the medians of the rounds. */
function cell(timings: readonly QueryTiming[] = []): string {
  const [first, ...rounds] = timings;
  const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
  return [
    first?.firstMs ?? Number.NaN,
    median(rounds.map(({ p50Ms }) => p50Ms)),
    median(rounds.map(({ p99Ms }) => p99Ms)),
  ]
    .map((ms) => ms.toFixed(ms < 9.95 ? 1 : 0))
    .join(" / ");
}
