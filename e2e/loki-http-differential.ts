/**
 * Sends a Loki and a Sightline the same requests of every kind, right and wrong, and compares what they answer.
 *
 *     node e2e/loki-http-differential.ts --loki URL [--sightline URL] [--only TEXT]
 *
 * Without `--sightline` one is started. Loki must be empty and have `volume_enabled`, a pattern ingester, and retention with a
 * store for requests to delete (`compactor.retention_enabled`, `compactor.delete_request_store`). Prints each answer
 * that differs, but for the deviations of `loki-http/http-deviations.ts`, and ends with `N the same, N deviations, N different`;
 * exit code 1 when any differs.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Answer, call } from "./harness/http-call.ts";
import { ServerProcess } from "./harness/server-process.ts";
import { withinOneHour } from "./logql/within-one-hour.ts";
import { comparable } from "./loki-http/comparable.ts";
import { DELETIONS } from "./loki-http/delete-cases.ts";
import { httpDeviationOf } from "./loki-http/http-deviations.ts";
import { fill, type HttpCase, search } from "./loki-http/http-request.ts";
import { compressedPushes, PUSHES, type PushCase } from "./loki-http/push-cases.ts";
import { DRILLDOWN, INDEX, LABELS, ODD_PATHS, QUERY, QUERY_RANGE, SERIES } from "./loki-http/query-cases.ts";
import { shopPush } from "./loki-http/shop-records.ts";

const { values: flags } = parseArgs({
  options: {
    loki: { type: "string" },
    sightline: { type: "string" },
    only: { type: "string" },
  },
});

const RECORDS_MS = 600_000;
/** What is pushed one by one stands apart from the records. */
const PUSHES_BEFORE_MS = 1_800_000;
const JSON_TYPE = { "content-type": "application/json" };
const FAMILIES: readonly (readonly [string, readonly HttpCase[]])[] = [
  ["query_range", QUERY_RANGE],
  ["query", QUERY],
  ["labels", LABELS],
  ["series", SERIES],
  ["index", INDEX],
  ["drilldown", DRILLDOWN],
  ["odd paths", ODD_PATHS],
  ["deletions", DELETIONS],
];

type Counts = { same: number; deviations: number; different: number };

class Comparison {
  readonly #loki: string;
  readonly #sightline: string;
  readonly #startMs: number;
  readonly #counts: Counts;

  constructor(loki: string, sightline: string, startMs: number, counts: Counts) {
    this.#counts = counts;
    this.#loki = loki;
    this.#sightline = sightline;
    this.#startMs = startMs;
  }

  fill(text: string): string {
    return fill(text, this.#startMs, this.#startMs + RECORDS_MS);
  }

  async #ask(base: string, { path, search: parameters, method, headers = {}, body }: HttpCase): Promise<Answer> {
    const url = base + path + (parameters ? `?${this.fill(parameters)}` : "");
    const filled = typeof body === "string" ? this.fill(body) : body;
    return call(url, { headers, ...(method && { method }), ...(filled !== undefined && { body: filled }) });
  }

  async compare(family: string, name: string, request: HttpCase): Promise<void> {
    const text = `${family}, ${name}: ${request.method ?? "GET"} ${request.path}?${request.search ?? ""}`;
    if (flags.only !== undefined && !text.includes(flags.only)) return;
    const [want, got] = await Promise.all([this.#ask(this.#loki, request), this.#ask(this.#sightline, request)]);
    const [wanted, shown] = [comparable(want), comparable(got)];
    if (wanted === shown) this.#counts.same++;
    else if (httpDeviationOf({ name, request, want, got })) this.#counts.deviations++;
    else {
      this.#counts.different++;
      const body = typeof request.body === "string" ? `\n    ${request.body}` : "";
      process.stdout.write(`DIFFERENT ${readable(text)}${body}\n${aroundDifference(wanted, shown)}`);
    }
  }

  /** What is answered to the push, and what has come of it. */
  async comparePush(push: PushCase): Promise<void> {
    await this.compare("push", push.name, push);
    const query = search({
      query: `{push=${JSON.stringify(push.name)}}`,
      start: "0",
      end: "$END",
      direction: "forward",
    });
    const range = query.replace("start=0", "start=$START");
    await this.compare("pushed", push.name, { path: "/loki/api/v1/query_range", search: range });
  }
}

async function ingest(base: string, startMs: number): Promise<void> {
  const body = shopPush(startMs);
  const answer = await call(`${base}/loki/api/v1/push`, { method: "POST", headers: JSON_TYPE, body });
  if (answer.status !== 204) throw new Error(`${base} refuses the records: ${answer.status} ${answer.text}`);
}

function readable(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Both from a little before they part. */
function aroundDifference(want: string, got: string): string {
  const parted = [...want].findIndex((character, i) => character !== got[i]);
  const from = Math.max(0, parted - 60);
  const shown = (text: string) => text.slice(0, 4) + text.slice(Math.max(4, from)).slice(0, 300);
  return `    want ${shown(want)}\n    got  ${shown(got)}\n`;
}

/** Loki's patterns and detected fields look at what is there; nothing here waits longer than until a line is seen. */
async function settled(base: string, startMs: number): Promise<void> {
  const parameters = { query: 'sum(count_over_time({app=~".+"}[1h]))', time: `${startMs + RECORDS_MS}000000` };
  for (let attempt = 0; attempt < 60; attempt++) {
    const answer = await call(`${base}/loki/api/v1/query?${new URLSearchParams(parameters)}`);
    if (answer.status === 200 && /"value":\[/.test(answer.text)) return;
    await sleep(500);
  }
  throw new Error(`${base} does not show what was pushed`);
}

async function main(): Promise<number> {
  if (flags.loki === undefined) {
    process.stderr.write("give --loki URL of an empty Loki\n");
    return 2;
  }
  const started = flags.sightline === undefined ? await ServerProcess.start() : undefined;
  try {
    const sightline = started?.url ?? (flags.sightline as string);
    const startMs = withinOneHour(Date.now() - RECORDS_MS, RECORDS_MS);
    process.stdout.write(`records from ${startMs}\n`);
    for (const base of [flags.loki, sightline]) {
      await ingest(base, startMs);
      await settled(base, startMs);
    }
    const counts = { same: 0, deviations: 0, different: 0 };
    const comparison = new Comparison(flags.loki, sightline, startMs, counts);
    for (const [family, cases] of FAMILIES) {
      for (const request of cases) await comparison.compare(family, "", request);
    }
    const pushing = new Comparison(flags.loki, sightline, startMs - PUSHES_BEFORE_MS, counts);
    const compressed = compressedPushes((text) => pushing.fill(text));
    for (const push of [...PUSHES, ...compressed]) await pushing.comparePush(push);
    const { same, deviations, different } = counts;
    process.stdout.write(`${same} the same, ${deviations} deviations, ${different} different\n`);
    return different === 0 ? 0 : 1;
  } finally {
    await started?.dispose();
  }
}

process.exitCode = await main();
