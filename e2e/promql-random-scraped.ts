/**
 * Collects data for an hour, from a Prometheus that scrapes itself, a Sightline and odd targets and from the demo shop, and
 * then asks both random queries about it.
 *
 *     SIGHTLINE_E2E_PROMETHEUS=… SIGHTLINE_E2E_OTELCOL=… node e2e/promql-random-scraped.ts [--minutes 60] [--queries 20000] [--seed 1]
 *
 * Without SIGHTLINE_E2E_OTELCOL the shop stays closed; SIGHTLINE_E2E_AVALANCHE adds series that come and go.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startScrapedPair } from "./harness/scraped-pair.ts";

const { values: flags } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    queries: { type: "string", default: "20000" },
    seed: { type: "string", default: "1" },
  },
});

/** What was scraped just now may not have been written to the other yet. */
const SETTLE_MS = 30_000;

async function main(): Promise<number> {
  const binary = process.env.SIGHTLINE_E2E_PROMETHEUS;
  if (binary === undefined) {
    process.stderr.write("set SIGHTLINE_E2E_PROMETHEUS to the path of Prometheus 3.14\n");
    return 2;
  }
  const pair = await startScrapedPair({
    binary,
    message: 2,
    scrapeSeconds: 5,
    shopThrough: process.env.SIGHTLINE_E2E_OTELCOL,
  });
  try {
    const start = Math.ceil(Date.now() / 1_000);
    process.stdout.write(`${pair.prometheusUrl} and ${pair.sightlineUrl} collect for ${flags.minutes} minutes\n`);
    await pair.generateFor(Number(flags.minutes) * 60_000);
    const end = Math.floor(Date.now() / 1_000);
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return await compare(pair, start, end);
  } finally {
    await pair.stop();
  }
}

function compare(pair: { prometheusUrl: string; sightlineUrl: string }, start: number, end: number): Promise<number> {
  const program = fileURLToPath(new URL("promql-random-differential.ts", import.meta.url));
  const servers = ["--prometheus", pair.prometheusUrl, "--sightline", pair.sightlineUrl];
  const window = ["--start", String(start), "--end", String(end)];
  const child = spawn(
    process.execPath,
    [program, ...servers, ...window, "--queries", flags.queries, "--seed", flags.seed],
    { stdio: "inherit" },
  );
  return new Promise((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
}

process.exitCode = await main();
