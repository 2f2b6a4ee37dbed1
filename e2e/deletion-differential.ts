/**
 * Deletes series at random here and in a Prometheus that has the same samples, and compares what is left:
 *
 *     node e2e/deletion-differential.ts http://127.0.0.1:9090 [ROUNDS] [SEED]
 *
 * The Prometheus must be empty and run with --web.enable-admin-api and --web.enable-remote-write-receiver.
 */
import { isDeepStrictEqual } from "node:util";
import { call, getJson } from "./harness/http-call.ts";
import { remoteWrite, type Series } from "./harness/remote-write.ts";
import { ServerProcess } from "./harness/server-process.ts";

const [prometheus = "http://127.0.0.1:9090", rounds = "200", seedText = "1"] = process.argv.slice(2);
const STEP_MS = 15_000;
const SAMPLES_PER_ROUND = 4;
const BEGIN_MS =
  Math.floor(Date.now() / STEP_MS) * STEP_MS - STEP_MS * 8 - Number(rounds) * SAMPLES_PER_ROUND * STEP_MS;
const NAMES = ["a", "b", "c"];
const JOBS = ["x", "y", "z"];
const SELECTORS = [
  "a",
  '{job=~"x|y"}',
  'b{job!="x"}',
  '{__name__=~"a|c",job="z"}',
  '{job=""}',
  "nothing",
  '{__name__!="b"}',
];

let seed = Number(seedText);
function random(below: number): number {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed % below;
}

const server = await ServerProcess.start();
const both = [server.url, prometheus];
let written = 0;
let differences = 0;

function batch(): Series[] {
  const times = Array.from({ length: SAMPLES_PER_ROUND }, (_, i) => BEGIN_MS + (written + i) * STEP_MS);
  written += SAMPLES_PER_ROUND;
  const present = NAMES.flatMap((name) => JOBS.map((job) => [name, job] as const)).filter(() => random(4) > 0);
  return present.map(([name, job]) => ({
    labels: [
      ["__name__", name],
      ["job", job],
    ],
    samples: times.map((timeMs) => ({ timeMs, value: random(100) })),
  }));
}

/** A parameter, which may be absent. */
function time(name: string): string {
  const text = String((BEGIN_MS + random(written + 1) * STEP_MS - random(2)) / 1000);
  return random(3) === 0 ? "" : `&${name}=${text}`;
}

async function compare(path: string, after: string): Promise<void> {
  const [ours, theirs] = await Promise.all(
    both.map((url) =>
      getJson<{ data: unknown }>(`${url}/api/v1/${path}`).then(
        ({ data }) => JSON.stringify(data),
        (error: unknown) => `["${String(error)}"]`,
      ),
    ),
  );
  const [got, want] = [sorted(ours as string), sorted(theirs as string)];
  // A Prometheus lists series as long as one chunk is not deleted as a whole, and those in its head for longer.
  const isSame = path.startsWith("query") ? isDeepStrictEqual(got, want) : got.every((entry) => want.includes(entry));
  if (isSame) return;
  differences++;
  process.stdout.write(
    `${path}\n  after ${after}\n  ours   ${ours?.slice(0, 400)}\n  theirs ${theirs?.slice(0, 400)}\n`,
  );
}

function sorted(json: string): string[] {
  const data = JSON.parse(json) as { result?: unknown[] } | unknown[];
  const list = Array.isArray(data) ? data : (data.result ?? []);
  return list.map((entry) => JSON.stringify(entry)).sort();
}

async function ask(after: string): Promise<void> {
  const end = (BEGIN_MS + written * STEP_MS) / 1000;
  const start = BEGIN_MS / 1000;
  await compare(
    `query_range?query={job=~".*",__name__=~"[abc]"}&start=${start}&end=${end}&step=15&lookback_delta=1s`,
    after,
  );
  await compare(`query?query=count_over_time(a[${Math.ceil(end - start)}s])&time=${end}`, after);
  await compare(`series?match[]={__name__=~"[abc]"}`, after);
  await compare(`label/job/values?match[]={__name__=~"[abc]"}`, after);
}

try {
  for (let round = 0; round < Number(rounds); round++) {
    const series = batch();
    for (const url of both) {
      const answer = await remoteWrite(url, 1, series);
      if (answer.status >= 300) throw new Error(`${url}: ${answer.status} ${answer.text}`);
    }
    const what = `delete_series?match[]=${encodeURIComponent(SELECTORS[random(SELECTORS.length)] as string)}${time("start")}${time("end")}`;
    const statuses = await Promise.all(
      both.map(async (url) => (await call(`${url}/api/v1/admin/tsdb/${what}`, { method: "POST" })).status),
    );
    if (statuses[0] !== statuses[1]) process.stdout.write(`${what}: ${statuses.join(" and ")}\n`);
    await ask(what);
    if (random(20) === 0) {
      for (const url of both) await call(`${url}/api/v1/admin/tsdb/clean_tombstones`, { method: "POST" });
      await ask("clean_tombstones");
    }
  }
  process.stdout.write(`${rounds} rounds, ${differences} differences\n`);
} finally {
  await server.dispose();
}
process.exitCode = differences === 0 ? 0 : 1;
