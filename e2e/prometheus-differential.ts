/**
 * Compares answers with those of a Prometheus that has the same data, because it scraped it and remote-wrote it to us.
 *
 *     node e2e/prometheus-differential.ts --prometheus URL --sightline URL [--window SECONDS]
 *     SIGHTLINE_E2E_PROMETHEUS=/path/to/prometheus node e2e/prometheus-differential.ts --message 1|2 [--window SECONDS]
 *
 * The second form starts everything itself. Exit code 1 when anything differs.
 */
import { parseArgs } from "node:util";
import { Ask } from "./harness/ask.ts";
import { eventually } from "./harness/eventually.ts";
import { compareWithPrometheus } from "./harness/prometheus-comparison.ts";
import { startScrapedPair } from "./harness/scraped-pair.ts";

const { values: flags } = parseArgs({
  options: {
    prometheus: { type: "string" },
    sightline: { type: "string" },
    message: { type: "string", default: "2" },
    window: { type: "string", default: "90" },
  },
});
const LOOK_AHEAD_SECONDS = 6;
const windowSeconds = Number(flags.window);

async function compare(prometheus: string, sightline: string): Promise<number> {
  const end = Math.floor(Date.now() / 1000);
  // Both have everything up to `end` once each job's newest sample here is younger, and some queries look 5 s ahead.
  await eventually(async () => {
    const behind = await new Ask(sightline).promql(`timestamp(up) < ${end + LOOK_AHEAD_SECONDS}`);
    if (behind.length > 0) throw new Error(`what was written does not arrive: ${JSON.stringify(behind)}`);
  }, 60_000);
  const result = await compareWithPrometheus({
    prometheus,
    sightline,
    end,
    windowSeconds,
    metadata: flags.message === "1",
    onDifference: (text) => process.stdout.write(`DIFFERENT ${text}\n`),
  });
  for (const query of result.empty) process.stdout.write(`note: no data for ${query}\n`);
  process.stdout.write(`${result.compared} answers compared, ${result.different} different\n`);
  return result.different === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  if (flags.prometheus !== undefined && flags.sightline !== undefined)
    return compare(flags.prometheus, flags.sightline);
  const binary = process.env.SIGHTLINE_E2E_PROMETHEUS;
  if (binary === undefined) {
    process.stderr.write("give --prometheus URL and --sightline URL, or the binary in SIGHTLINE_E2E_PROMETHEUS\n");
    return 2;
  }
  const pair = await startScrapedPair({ binary, message: flags.message === "1" ? 1 : 2 });
  try {
    process.stdout.write(`gathering data for ${windowSeconds + 60} s\n`);
    await pair.generateFor((windowSeconds + 60) * 1000);
    return await compare(pair.prometheusUrl, pair.sightlineUrl);
  } finally {
    await pair.stop();
  }
}

process.exitCode = await main();
