/** `npm run bench`: figures of what the server takes in and how fast it answers, kept under bench/results/. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compareIngest } from "./compare-ingest.ts";
import { compareLogs } from "./compare-logs.ts";
import { compareQueries } from "./compare-queries.ts";
import { compareRules } from "./compare-rules.ts";
import { loadQuerySet } from "./load-query-set.ts";
import { machine } from "./machine.ts";
import { type Measurement, measure } from "./measure.ts";
import { formatReport } from "./report.ts";
import { WORKLOADS } from "./workloads/registry.ts";

const HELP = `usage: npm run bench -- [FLAGS]
       npm run bench -- load [FLAGS]      writes data for the next to several servers (load --help)
       npm run bench -- queries [FLAGS]   compares how fast they answer (queries --help)
       npm run bench -- logs [FLAGS]      compares how fast log records are found (logs --help)
       npm run bench -- rules [FLAGS]     compares what evaluating rules costs (rules --help)
       npm run bench -- ingest [FLAGS]    compares what is taken in with other servers (ingest --help)

Starts the server on a fresh directory per workload, loads it from a process of its own over 4 connections, restarts it
and asks. Prints JSON and a table; both are kept.

  --only NAME        one workload (repeatable): ${[...WORKLOADS.keys()].join(", ")}
  --scale FACTOR     share of the full size: 2.4M samples, 1M records, 1M spans (default 0.25)
  --rounds N         runs per workload; the one with the median rate is reported (default 1)
  --query-runs N     times each query is asked (default 20)
  --out FILE         where the JSON goes (default bench/results/local-DATE.json)
`;
const FULL_ITEMS = { samples: 2_400_000, records: 1_000_000, spans: 1_000_000 } as const;

const COMMANDS = new Map([
  ["queries", compareQueries],
  ["load", loadQuerySet],
  ["logs", compareLogs],
  ["rules", compareRules],
]);
const command = COMMANDS.get(process.argv[2] ?? "");
if (command) {
  await command(process.argv.slice(3));
  process.exit();
}
if (process.argv[2] === "ingest") {
  await compareIngest(process.argv.slice(3));
  process.exit();
}
const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    scale: { type: "string", default: "0.25" },
    rounds: { type: "string", default: "1" },
    "query-runs": { type: "string", default: "20" },
    out: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

const names = values.only ?? [...WORKLOADS.keys()];
const measurements: Measurement[] = [];
for (const name of names) {
  const workload = WORKLOADS.get(name);
  if (!workload) {
    process.stderr.write(`bench: unknown workload ${name}; there are: ${[...WORKLOADS.keys()].join(", ")}\n`);
    process.exit(2);
  }
  const items = Math.round(FULL_ITEMS[workload.unit] * Number(values.scale));
  const rounds: Measurement[] = [];
  for (let round = 1; round <= Number(values.rounds); round++) {
    process.stderr.write(
      `bench: ${name}, ${items.toLocaleString("en")} ${workload.unit}, round ${round} of ${values.rounds}\n`,
    );
    rounds.push(await measure(name, items, { queryRuns: Number(values["query-runs"]) }));
  }
  rounds.sort((a, b) => a.itemsPerSecond - b.itemsPerSecond);
  measurements.push(rounds[Math.floor(rounds.length / 2)] as Measurement);
}

const result = {
  date: new Date().toISOString(),
  machine: machine(),
  scale: Number(values.scale),
  measurements,
};
const json = `${JSON.stringify(result, null, 2)}\n`;
const out = resolve(
  values.out ?? fileURLToPath(new URL(`results/local-${result.date.replaceAll(":", "-")}.json`, import.meta.url)),
);
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, json);
process.stdout.write(json);
process.stdout.write(`\n${formatReport(measurements)}\nkept in ${out}\n`);
