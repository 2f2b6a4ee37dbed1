/**
 * Asks a Prometheus and a Sightline that hold the same data the same random queries and compares the answers.
 *
 *     node e2e/promql-random-differential.ts --prometheus URL --sightline URL --queries 20000 --seed N
 *         [--start SECONDS --end SECONDS] [--depth 5] [--concurrency 2] [--show 20]
 *
 * Where inputs that agree to 1e-12, but not to the last bit, become results that differ by less than a millionth, the difference
 * was only magnified, as `cos` of a large number or the difference of nearly equal ones do: such queries pass, and are counted.
 * So do deviations of what has much in common, as times have, by as much as the order of series decides about them.
 * Of every other query whose answers differ the smallest part that still differs is printed. Ends with `N passed, N failed, N skipped`
 * (skipped: Prometheus ran out of time or samples); exit code 1 when any failed.
 */
import { parseArgs } from "node:util";
import { call } from "./harness/http-call.ts";
import {
  type Difference,
  firstDifference,
  largestValue,
  type PromAnswer,
  sameButForSeries,
  TOLERANCE,
} from "./promql-random-compare.ts";
import { commonMetrics, type Window } from "./promql-random-metrics.ts";
import { RandomNumbers } from "./promql-random-numbers.ts";
import { RandomQueries } from "./promql-random-queries.ts";
import { choicesIn, descendants, type QueryTree, shrink, textOf, withoutChoices } from "./promql-random-tree.ts";

const { values: flags } = parseArgs({
  options: {
    prometheus: { type: "string" },
    sightline: { type: "string" },
    queries: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    start: { type: "string" },
    end: { type: "string" },
    depth: { type: "string", default: "5" },
    concurrency: { type: "string", default: "2" },
    show: { type: "string", default: "20" },
  },
});

const SHRINK_ATTEMPTS = 200;
/** More than this is no rounding. */
const MAX_MAGNIFIED = 1e-6;
/** A few roundings of each value, which is so much larger than what lies between them. */
const ORDER_ERROR = 8 * Number.EPSILON;
const DEFAULT_WINDOW_SECONDS = 600;
/** Samples that were just scraped may not have been written to the other yet, and negative offsets look ahead. */
const DELAY_SECONDS = 120;
/** Prometheus gave up or fell over: it says nothing about the answer. */
const NO_ANSWER = /too many samples|timed out|context deadline|exceeded maximum resolution|unexpected error/;

/** When a query is asked for; without `step` at one moment. Seconds. */
type Times = { readonly start: number; readonly end: number; readonly step?: number };
type Outcome = { readonly difference?: Difference; readonly skipped: boolean };

class Comparison {
  readonly #prometheus: string;
  readonly #sightline: string;

  constructor(prometheus: string, sightline: string) {
    this.#prometheus = prometheus;
    this.#sightline = sightline;
  }

  /**
   * Which of equals `topk` takes, and which series `limitk`, follows from the order in which Prometheus happened to see them:
   * such a difference is none if there is none without the choice, and the choice itself has the right values.
   */
  async compare(tree: QueryTree, times: Times): Promise<Outcome> {
    const outcome = await this.#compareText(textOf(tree), times);
    const choices = choicesIn(tree);
    if (outcome.difference === undefined || choices.length === 0) return outcome;
    if ((await this.#compareText(textOf(withoutChoices(tree)), times)).difference !== undefined) return outcome;
    for (const choice of choices) {
      const [want, got] = await this.#askBoth(textOf(choice), times);
      if (!sameButForSeries(want, got, choice.chooses === "any")) return outcome;
    }
    return { skipped: false };
  }

  #askBoth(query: string, times: Times): Promise<[PromAnswer, PromAnswer]> {
    return Promise.all([this.#ask(this.#prometheus, query, times), this.#ask(this.#sightline, query, times)]);
  }

  /** Are the inputs of the outermost operation alike, but not to the last bit? */
  async isMagnified(tree: QueryTree, times: Times, { relative }: Difference): Promise<boolean> {
    if (relative === undefined || relative > MAX_MAGNIFIED) return false;
    let isRounded = false;
    for (const part of descendants(tree)) {
      if (part.type !== "vector" && part.type !== "scalar") continue;
      // What is in a subquery was asked for at other times.
      for (const when of [times, { start: times.start - 300, end: times.end, step: 5 }]) {
        const [want, got] = await this.#askBoth(textOf(part), when);
        if (firstDifference(want, got, TOLERANCE)) return false;
        isRounded ||= firstDifference(want, got, 0) !== undefined;
      }
    }
    return isRounded;
  }

  /** Is the difference one that another order of series makes? */
  async isOfOrder(tree: QueryTree, times: Times, { relative }: Difference): Promise<boolean> {
    if (relative === undefined || relative > MAX_MAGNIFIED || tree.common === undefined) return false;
    const ratios = await this.#ask(this.#prometheus, tree.common(tree.children.map(textOf)), times);
    return relative < ORDER_ERROR * largestValue(ratios);
  }

  async #compareText(query: string, times: Times): Promise<Outcome> {
    const [want, got] = await this.#askBoth(query, times);
    if (want.error !== undefined && NO_ANSWER.test(want.error)) return { skipped: true };
    const difference = firstDifference(want, got);
    return { skipped: false, ...(difference !== undefined && { difference }) };
  }

  async #ask(base: string, query: string, { start, end, step }: Times): Promise<PromAnswer> {
    const [path, parameters] =
      step === undefined
        ? ["query", { query, time: end.toFixed(3) }]
        : ["query_range", { query, start: start.toFixed(3), end: end.toFixed(3), step: String(step) }];
    const { text, status } = await call(`${base}/api/v1/${path}`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(parameters).toString(),
    });
    try {
      return JSON.parse(text) as PromAnswer;
    } catch {
      return { status: "error", error: `status ${status}, not JSON: ${text.slice(0, 200)}` };
    }
  }
}

function randomTimes(random: RandomNumbers, { start, end }: Window, type: QueryTree["type"]): Times {
  const moment = () => start + random.fraction() * (end - start);
  const at = random.chance(0.7) ? Math.floor(moment()) : moment();
  if (type === "matrix" || type === "string" || random.chance(0.5)) return { start: at, end: at };
  const step = random.one([1, 3, 5, 10, 15, 30, 60, 0.5, 7.25]);
  return { start: at, end: Math.min(at + step * random.integer(0, 40), end), step };
}

const queryLine = (query: string, { start, end, step }: Times) =>
  step === undefined
    ? `${query}   at ${end.toFixed(3)}`
    : `${query}   from ${start.toFixed(3)} to ${end.toFixed(3)} step ${step}`;

async function main(): Promise<number> {
  const { prometheus, sightline } = flags;
  if (prometheus === undefined || sightline === undefined) {
    process.stderr.write("give --prometheus URL and --sightline URL of two servers with the same data\n");
    return 2;
  }
  const end = flags.end === undefined ? Math.floor(Date.now() / 1000) - DELAY_SECONDS : Number(flags.end);
  const window = { start: flags.start === undefined ? end - DEFAULT_WINDOW_SECONDS : Number(flags.start), end };
  const { metrics, odd } = await commonMetrics({ prometheus, sightline }, window);
  if (metrics.length === 0) throw new Error("the servers have no metric in common");
  process.stdout.write(
    `${metrics.length} metrics in common from ${window.start} to ${window.end}, seed ${flags.seed}\n`,
  );
  if (odd.length > 0)
    process.stdout.write(`${odd.length} not the same on both, left out: ${odd.slice(0, 5).join(" ")} …\n`);

  const random = new RandomNumbers(Number(flags.seed));
  const queries = new RandomQueries({ random, metrics, window });
  const comparison = new Comparison(prometheus, sightline);
  const counts = { passed: 0, failed: 0, skipped: 0, magnified: 0 };
  const seen = new Set<string>();
  const one = async (): Promise<void> => {
    const tree = queries.query(random.integer(1, Number(flags.depth)));
    const times = randomTimes(random, window, tree.type);
    const { difference, skipped } = await comparison.compare(tree, times);
    if (skipped) counts.skipped++;
    else if (difference === undefined) counts.passed++;
    else if (seen.size >= Number(flags.show)) counts.failed++;
    else if (await reportIfWrong(comparison, tree, times, seen)) counts.failed++;
    else {
      counts.passed++;
      counts.magnified++;
    }
  };
  let left = Number(flags.queries);
  const worker = async () => {
    while (left-- > 0) await one();
  };
  await Promise.all(Array.from({ length: Number(flags.concurrency) }, worker));
  if (counts.magnified > 0)
    process.stdout.write(`of the passed, ${counts.magnified} magnify a difference of rounding or of order\n`);
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  return counts.failed === 0 ? 0 : 1;
}

/** Prints the smallest part that differs; false when that is only rounding. */
async function reportIfWrong(
  comparison: Comparison,
  tree: QueryTree,
  times: Times,
  seen: Set<string>,
): Promise<boolean> {
  const differs = async (smaller: QueryTree) => (await comparison.compare(smaller, times)).difference !== undefined;
  const smallest = await shrink(tree, differs, SHRINK_ATTEMPTS);
  const query = textOf(smallest);
  const { difference } = await comparison.compare(smallest, times);
  if (difference && (await comparison.isMagnified(smallest, times, difference))) return false;
  if (difference && (await comparison.isOfOrder(smallest, times, difference))) return false;
  if (seen.has(query)) return true;
  seen.add(query);
  process.stdout.write(`DIFFERENT ${queryLine(query, times)}\n  ${difference?.text ?? "not this time"}\n`);
  if (query !== textOf(tree)) process.stdout.write(`  found as ${textOf(tree).slice(0, 400)}\n`);
  return true;
}

process.exitCode = await main();
