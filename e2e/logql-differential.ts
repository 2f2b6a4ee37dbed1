/**
 * Sends a Loki and a Sightline the same records and asks both the same LogQL queries.
 *
 *     node e2e/logql-differential.ts --loki URL [--sightline URL] [--only TEXT] [--skip-ingest START_MS]
 *
 * Without `--sightline` one is started. Loki must take OTLP with structured metadata and have no other data. Prints each
 * answer that differs, but for the deviations of `logql/deviations.ts`, and ends with `N the same, N deviations, N different`;
 * exit code 1 when any differs.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { call } from "./harness/http-call.ts";
import { ServerProcess } from "./harness/server-process.ts";
import { type Answer, difference, readAnswer } from "./logql/compare-answers.ts";
import { deviationOf } from "./logql/deviations.ts";
import { QUERY_FAMILIES } from "./logql/queries.ts";
import { otlpRequest, RECORDS_MS, SERVICES } from "./logql/records.ts";

const { values: flags } = parseArgs({
  options: {
    loki: { type: "string" },
    sightline: { type: "string" },
    only: { type: "string" },
    "skip-ingest": { type: "string" },
  },
});

type Server = { readonly name: string; readonly url: string; readonly otlpPath: string };
type Way = {
  readonly name: string;
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
};

const ns = (ms: number) => String(BigInt(ms) * 1_000_000n);

/** The ways in which a query is asked: lines in both encodings and directions, samples at a moment and over time. */
function waysOf(query: string, startMs: number): readonly Way[] {
  const endMs = startMs + RECORDS_MS;
  const isLog = /^[\s({]*\{/.test(query) && !/[+] 1$|> 1$/.test(query);
  if (isLog) {
    const range = { start: ns(startMs), end: ns(endMs), limit: "4000" };
    return [
      { name: "lines", path: "query_range", parameters: { ...range, direction: "forward" } },
      {
        name: "newest",
        path: "query_range",
        parameters: { ...range, limit: "7", direction: "backward" },
        headers: { "X-Loki-Response-Encoding-Flags": "categorize-labels" },
      },
    ];
  }
  return [
    { name: "instant", path: "query", parameters: { time: ns(startMs + 300_000) } },
    {
      name: "range",
      path: "query_range",
      parameters: { start: ns(startMs + 60_500), end: ns(endMs - 1_000), step: "30s" },
    },
    { name: "sparse", path: "query_range", parameters: { start: ns(startMs), end: ns(endMs), step: "137s" } },
  ];
}

async function ingest(servers: readonly Server[], startMs: number): Promise<void> {
  const body = otlpRequest(startMs);
  for (const { name, url, otlpPath } of servers) {
    const answer = await call(url + otlpPath, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    if (answer.status >= 300) throw new Error(`${name} refuses the records: ${answer.status} ${answer.text}`);
  }
}

async function ask({ url }: Server, query: string, { path, parameters, headers = {} }: Way): Promise<Answer> {
  const text = new URLSearchParams({ query, ...parameters }).toString();
  const answer = await call(`${url}/loki/api/v1/${path}?${text}`, { headers }).catch((error: Error) => error);
  if (answer instanceof Error) return { error: `no answer: ${answer.message}` };
  return readAnswer(answer.status, answer.text, /^sort/.test(query) && path === "query");
}

/** Until a server has all records: what was sent may not be seen at once. */
async function settled(server: Server, startMs: number): Promise<void> {
  const expected = SERVICES.reduce((sum, { records }) => sum + records.length, 0);
  const way: Way = { name: "", path: "query", parameters: { time: ns(startMs + RECORDS_MS + 1_000) } };
  for (let attempt = 0; attempt < 60; attempt++) {
    const answer = await ask(server, 'sum(count_over_time({service_name=~".+"}[1h]))', way);
    const [points] = "items" in answer ? [...answer.items.values()] : [];
    if (points?.[0]?.endsWith(` ${expected}`)) return;
    await sleep(500);
  }
  throw new Error(`${server.name} does not have the ${expected} records`);
}

async function compareAll(loki: Server, sightline: Server, startMs: number): Promise<boolean> {
  const counts = { same: 0, deviations: 0, different: 0, queries: 0 };
  for (const { name: family, queries } of QUERY_FAMILIES) {
    for (const query of queries) {
      if (flags.only !== undefined && !`${family}: ${query}`.includes(flags.only)) continue;
      counts.queries++;
      for (const way of waysOf(query, startMs)) {
        const [want, got] = await Promise.all([ask(loki, query, way), ask(sightline, query, way)]);
        const found = difference(want, got);
        if (found === undefined) counts.same++;
        else if (deviationOf(query, want, got)) counts.deviations++;
        else {
          counts.different++;
          process.stdout.write(`DIFFERENT ${family}, ${way.name}: ${query}\n    ${found.slice(0, 1_500)}\n`);
        }
      }
    }
  }
  process.stdout.write(
    `${counts.queries} queries: ${counts.same} the same, ${counts.deviations} deviations, ${counts.different} different\n`,
  );
  return counts.different === 0;
}

async function main(): Promise<number> {
  if (flags.loki === undefined) {
    process.stderr.write("give --loki URL of an empty Loki\n");
    return 2;
  }
  const started = flags.sightline === undefined ? await ServerProcess.start() : undefined;
  try {
    const loki: Server = { name: "Loki", url: flags.loki, otlpPath: "/otlp/v1/logs" };
    const sightline: Server = {
      name: "Sightline",
      url: started?.url ?? (flags.sightline as string),
      otlpPath: "/v1/logs",
    };
    const known = flags["skip-ingest"];
    const startMs = known === undefined ? Math.floor((Date.now() - RECORDS_MS) / 60_000) * 60_000 : Number(known);
    process.stdout.write(`records from ${startMs}\n`);
    await ingest(known === undefined ? [loki, sightline] : [sightline], startMs);
    await settled(loki, startMs);
    await settled(sightline, startMs);
    return (await compareAll(loki, sightline, startMs)) ? 0 : 1;
  } finally {
    await started?.dispose();
  }
}

process.exitCode = await main();
