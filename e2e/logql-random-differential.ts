/**
 * Sends a Loki and a Sightline the same random records and asks both the same random LogQL.
 *
 *     node e2e/logql-random-differential.ts --loki URL [--sightline URL] [--seed N] [--queries 1000] [--depth 4] [--show 20]
 *         [--records-from START_MS]
 *
 * Without `--sightline` one is started. Loki must be empty, or have the records of the same seed: then `--records-from` names
 * what the first run printed. Of every query whose answers differ the smallest part that still differs is printed, but for the
 * deviations of `logql/deviations.ts`. Ends with `N the same, N deviations, N different`; exit code 1 when any differs.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { call } from "./harness/http-call.ts";
import { ServerProcess } from "./harness/server-process.ts";
import { type Answer, difference, readAnswer } from "./logql/compare-answers.ts";
import { deviationOf } from "./logql/deviations.ts";
import { RandomLogql } from "./logql/random/random-metric-queries.ts";
import { RECORDS_MS, randomStreams } from "./logql/random/random-records.ts";
import { RandomWays, type Way } from "./logql/random/random-ways.ts";
import { withinOneHour } from "./logql/within-one-hour.ts";
import { RandomNumbers } from "./promql-random-numbers.ts";
import { choicesIn, type QueryTree, shrink, textOf, withoutChoices } from "./promql-random-tree.ts";

const { values: flags } = parseArgs({
  options: {
    loki: { type: "string" },
    sightline: { type: "string" },
    seed: { type: "string", default: "1" },
    queries: { type: "string", default: "1000" },
    depth: { type: "string", default: "4" },
    show: { type: "string", default: "20" },
    "records-from": { type: "string" },
  },
});

const SHRINK_ATTEMPTS = 60;

type Outcome = "same" | "deviation" | { readonly text: string };

async function ask(base: string, query: string, { path, parameters, headers }: Way): Promise<Answer> {
  const body = new URLSearchParams({ query, ...parameters }).toString();
  const answer = await call(`${base}/loki/api/v1/${path}`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/x-www-form-urlencoded" },
    body,
  }).catch((error: Error) => error);
  if (answer instanceof Error) return { error: `no answer: ${answer.message}` };
  return readAnswer(answer.status, answer.text);
}

class Comparison {
  readonly #loki: string;
  readonly #sightline: string;

  constructor(loki: string, sightline: string) {
    this.#loki = loki;
    this.#sightline = sightline;
  }

  /** Which of equals `topk` takes is open: such a difference is none if there is none without the choice. */
  async compare(tree: QueryTree, way: Way): Promise<Outcome> {
    const outcome = await this.#compareText(textOf(tree), way);
    if (typeof outcome === "string" || choicesIn(tree).length === 0) return outcome;
    const without = await this.#compareText(textOf(withoutChoices(tree)), way);
    return typeof without === "string" ? without : outcome;
  }

  async #compareText(query: string, way: Way): Promise<Outcome> {
    const [want, got] = await Promise.all([ask(this.#loki, query, way), ask(this.#sightline, query, way)]);
    const text = difference(want, got);
    if (text === undefined) return "same";
    return deviationOf(query, want, got) ? "deviation" : { text };
  }
}

async function ingest(base: string, random: RandomNumbers, startMs: number): Promise<void> {
  const streams = randomStreams(random, startMs);
  const answer = await call(`${base}/loki/api/v1/push`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ streams }),
  });
  if (answer.status >= 300) throw new Error(`${base} refuses the records: ${answer.status} ${answer.text}`);
}

/** Until both count the same lines: what was sent may not be seen at once. */
async function settled(loki: string, sightline: string, startMs: number): Promise<void> {
  const time = String(BigInt(startMs + RECORDS_MS + 1_000) * 1_000_000n);
  const way: Way = { path: "query", parameters: { time }, headers: {} };
  for (let attempt = 0; attempt < 60; attempt++) {
    const [want, got] = await Promise.all(
      [loki, sightline].map((base) => ask(base, 'sum by (app) (count_over_time({app=~".+"}[2h]))', way)),
    );
    if (want && got && "items" in want && want.items.size > 0 && difference(want, got) === undefined) return;
    await sleep(500);
  }
  throw new Error("the servers do not count the same records");
}

async function main(): Promise<number> {
  if (flags.loki === undefined) {
    process.stderr.write("give --loki URL of an empty Loki\n");
    return 2;
  }
  const started = flags.sightline === undefined ? await ServerProcess.start() : undefined;
  try {
    const sightline = started?.url ?? (flags.sightline as string);
    const known = flags["records-from"];
    const startMs = known === undefined ? withinOneHour(Date.now() - RECORDS_MS, RECORDS_MS) : Number(known);
    process.stdout.write(`seed ${flags.seed}, records from ${startMs}\n`);
    const seed = Number(flags.seed);
    if (known === undefined) await ingest(flags.loki, new RandomNumbers(1), startMs);
    if (known === undefined || started) await ingest(sightline, new RandomNumbers(1), startMs);
    await settled(flags.loki, sightline, startMs);
    return (await compareAll(new Comparison(flags.loki, sightline), new RandomNumbers(seed), startMs)) ? 0 : 1;
  } finally {
    await started?.dispose();
  }
}

async function compareAll(comparison: Comparison, random: RandomNumbers, startMs: number): Promise<boolean> {
  const queries = new RandomLogql(random);
  const ways = new RandomWays(random, startMs);
  const counts = { same: 0, deviations: 0, different: 0 };
  const seen = new Set<string>();
  for (let left = Number(flags.queries); left > 0; left--) {
    const tree = queries.query(random.integer(1, Number(flags.depth)));
    const way = ways.way(tree, textOf(tree));
    const outcome = await comparison.compare(tree, way);
    if (outcome === "same") counts.same++;
    else if (outcome === "deviation") counts.deviations++;
    else {
      counts.different++;
      if (seen.size < Number(flags.show)) await report(comparison, tree, way, seen);
    }
  }
  process.stdout.write(`${counts.same} the same, ${counts.deviations} deviations, ${counts.different} different\n`);
  return counts.different === 0;
}

/** Prints the smallest part that differs. */
async function report(comparison: Comparison, tree: QueryTree, way: Way, seen: Set<string>): Promise<void> {
  const differs = async (smaller: QueryTree) => typeof (await comparison.compare(smaller, way)) === "object";
  const smallest = await shrink(tree, differs, SHRINK_ATTEMPTS);
  const query = textOf(smallest);
  if (seen.has(query)) return;
  seen.add(query);
  const outcome = await comparison.compare(smallest, way);
  const found = typeof outcome === "object" ? outcome.text : "not this time";
  process.stdout.write(
    `DIFFERENT ${query}\n  ${way.path} ${JSON.stringify(way.parameters)}\n    ${found.slice(0, 1_200)}\n`,
  );
}

process.exitCode = await main();
