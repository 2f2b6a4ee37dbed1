import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Ask } from "../harness/ask.ts";
import { eventually } from "../harness/eventually.ts";
import { call, getJson } from "../harness/http-call.ts";
import { encodeLogs, encodeSpans } from "../harness/otlp.ts";
import { patientMs } from "../harness/patience.ts";
import { remoteWrite } from "../harness/remote-write.ts";
import { runCommandLine, ServerProcess } from "../harness/server-process.ts";
import { trackedWriters } from "../harness/tracked-loads.ts";
import { type Answer, difference, readAnswer } from "../logql/compare-answers.ts";
import { QUERY_FAMILIES } from "../logql/queries.ts";
import { otlpRequest, RECORDS_MS } from "../logql/records.ts";
import { Cluster, clusterMissing } from "./cluster.ts";

const START_MS = Math.floor((Date.now() - RECORDS_MS) / 60_000) * 60_000;
const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const STEP_MS = 15_000;
const SAMPLES = 40;
/** Of each family of queries. */
const LOGQL_QUERIES = 3;
const LOAD_MS = 1_500;

const PROMQL = [
  "cluster_requests_total",
  "sum by (job) (rate(cluster_requests_total[2m]))",
  "histogram_quantile(0.9, sum by (le) (rate(cluster_latency_bucket[3m])))",
  "max_over_time(cluster_temperature[5m]) - on (job, instance) min_over_time(cluster_temperature[5m])",
  'topk(3, cluster_requests_total{instance=~"i[0-4]"})',
  "absent(cluster_nothing)",
  "count({__name__=~'cluster_.+'}) by (__name__)",
];

function series() {
  const times = Array.from({ length: SAMPLES }, (_, i) => START_MS + i * STEP_MS);
  const of = (name: string, labels: Record<string, string>, value: (i: number) => number) => ({
    labels: Object.entries({ __name__: name, ...labels }).sort(([a], [b]) => (a < b ? -1 : 1)),
    samples: times.map((timeMs, i) => ({ timeMs, value: value(i) })),
  });
  return Array.from({ length: 20 }, (_, n) => {
    const labels = { job: `job${n % 3}`, instance: `i${n}` };
    const les = ["0.1", "1", "+Inf"];
    return [
      of("cluster_requests_total", labels, (i) => i * (n + 1)),
      of("cluster_temperature", labels, (i) => Math.sin(i + n) * 20),
      ...les.map((le, k) => of("cluster_latency_bucket", { ...labels, le }, (i) => i * (k + 1) * (n + 1))),
    ];
  }).flat();
}

/** Everything that is compared, sent in many requests, so that each of several collectors gets some. */
async function feed(url: string): Promise<void> {
  const expectOk = ({ status }: { readonly status: number }) => expect(status).toBeLessThan(300);
  const all = series();
  for (let i = 0; i < all.length; i += 7) expectOk(await remoteWrite(url, 2, all.slice(i, i + 7) as never));
  const json = { "content-type": "application/json" };
  expectOk(await call(`${url}/v1/logs`, { method: "POST", headers: json, body: otlpRequest(START_MS) }));
  for (let item = 0; item < 10; item++) {
    const body = encodeSpans(`service-${item % 3}`, [
      {
        traceId: Buffer.from(TRACE_ID, "hex"),
        spanId: Buffer.from(String(item + 1).padStart(16, "0"), "hex"),
        name: `span ${item}`,
        startNs: BigInt(START_MS + item) * 1_000_000n,
        endNs: BigInt(START_MS + item + 5) * 1_000_000n,
      },
    ]);
    const headers = { "content-type": "application/x-protobuf" };
    expectOk(await call(`${url}/v1/traces`, { method: "POST", headers, body }));
  }
}

function lokiPath(query: string): string {
  const ns = (ms: number) => String(BigInt(ms) * 1_000_000n);
  const range = { start: ns(START_MS), end: ns(START_MS + RECORDS_MS), step: "60s", limit: "4000" };
  return `/loki/api/v1/query_range?${new URLSearchParams({ query, ...range })}`;
}

async function askLoki(url: string, query: string): Promise<Answer> {
  const answer = await call(`${url}${lokiPath(query)}`);
  return readAnswer(answer.status, answer.text, false);
}

function promqlPath(query: string): string {
  const range = { start: String(START_MS / 1_000), end: String((START_MS + RECORDS_MS) / 1_000), step: "30" };
  return `/api/v1/query_range?${new URLSearchParams({ query, ...range })}`;
}

/** Series in an order of their own. */
async function askPrometheus(url: string, query: string, more = ""): Promise<unknown> {
  const { data } = await getJson<{ data: { result: { metric: object }[] } }>(`${url}${promqlPath(query)}${more}`);
  return data.result.map((one) => JSON.stringify(one)).sort();
}

async function spansOf(url: string): Promise<readonly string[] | undefined> {
  const trace = await new Ask(url).trace(TRACE_ID);
  return trace?.spans.map((span) => `${span.spanID} ${span.operationName} ${trace.processes[span.processID]?.serviceName}`).sort(); // biome-ignore format: one line
}

/** 0 when it is not there. */
async function metricOf(url: string, name: string): Promise<number> {
  const { text } = await call(`${url}/metrics`);
  const line = text.split("\n").find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length) ?? 0);
}

type Dependencies = { data: { dependencies: { name: string; purpose: string; state: string; error?: string }[] } };
const dependencies = async (url: string) =>
  (await getJson<Dependencies>(`${url}/api/v1/status/dependencies`)).data.dependencies;
const statesOf = async (url: string) =>
  Object.fromEntries((await dependencies(url)).map(({ purpose, state }) => [purpose, state]));

describe.skipIf(clusterMissing() !== undefined)("two collectors and two queriers over databases", () => {
  let cluster: Cluster;
  let single: ServerProcess;
  let dir: string;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "sightline-cluster-"));
    const overrides = join(dir, "overrides.yaml");
    writeFileSync(overrides, "limited:\n  limits: { logs: { items_per_second: 1, items_burst: 100 } }\n");
    cluster = await Cluster.start({
      SIGHTLINE_COLLECTOR__OVERRIDES_FILE: overrides,
      // Everything is kept, however new.
      SIGHTLINE_QUERY__RESULTS_CACHE__RECENT_MS: "0",
    });
    single = await ServerProcess.start();
    for (const { url } of [cluster.senders, single]) await feed(url);
    await eventually(async () => {
      expect((await spansOf(cluster.readers.url))?.length).toBe(10);
      const all = '{service_name=~".+"}';
      const [want, got] = await Promise.all([askLoki(single.url, all), askLoki(cluster.readers.url, all)]);
      expect(difference(want, got)).toBeUndefined();
    }, 60_000);
  }, 600_000);
  afterAll(async () => {
    await single?.dispose();
    await cluster?.dispose();
    rmSync(dir, { recursive: true, force: true });
  });

  test("each collector took a part", async () => {
    for (const { url } of cluster.collectors) {
      expect((await call(`${url}/metrics`)).text).toMatch(/sightline_metric_store_appended_samples_total [1-9]/);
    }
  });

  test.each(PROMQL)("%s is what one process says", async (query) => {
    const want = await askPrometheus(single.url, query);
    // Twice as many times as there are queriers: also from what was kept the first time.
    for (let i = 0; i < 4; i++) expect(await askPrometheus(cluster.readers.url, query)).toEqual(want);
  });

  test.each(QUERY_FAMILIES)("LogQL: $name, as one process says", async ({ queries }) => {
    for (const query of queries.slice(0, LOGQL_QUERIES)) {
      const [want, got] = await Promise.all([askLoki(single.url, query), askLoki(cluster.readers.url, query)]);
      expect(difference(want, got), query).toBeUndefined();
    }
  });

  test("what one querier kept another one has, too, and late samples and deletions count at once", async () => {
    const [one, two] = cluster.queriers as [ServerProcess, ServerProcess];
    const query = "sum by (job) (cluster_temperature) + 1";
    const hits = async () => metricOf(two.url, 'sightline_redis_cache_requests_total{cache="results",result="hit"}');
    const kept = () => cluster.redis.cli("--scan", "--pattern", "sightline:results:*").match(/\S+/g)?.length ?? 0;
    const keptBefore = kept();
    const before = await hits();
    const first = await askPrometheus(one.url, query);
    // Nobody waits for it to be there.
    await eventually(async () => expect(kept()).toBeGreaterThan(keptBefore));
    expect(await askPrometheus(two.url, query)).toEqual(first);
    expect(await hits()).toBeGreaterThan(before);
    const late = {
      labels: [
        ["__name__", "cluster_temperature"],
        ["job", "job0"],
        ["instance", "late"],
      ],
    } as const;
    const samples = [{ timeMs: START_MS + 20_000, value: 1_000 }];
    await remoteWrite(cluster.senders.url, 2, [{ ...late, samples }] as never);
    await eventually(async () => expect(await askPrometheus(two.url, query)).not.toEqual(first));
    const anew = await askPrometheus(one.url, query, "&nocache=1");
    expect(anew).not.toEqual(first);
    for (const { url } of [one, two]) expect(await askPrometheus(url, query)).toEqual(anew);
    const selector = new URLSearchParams({ "match[]": 'cluster_temperature{instance="late"}' });
    const path = `/api/v1/admin/tsdb/delete_series?${selector}`;
    expect((await call(`${one.url}${path}`, { method: "POST" })).status).toBe(204);
    for (const { url } of [one, two]) expect(await askPrometheus(url, query)).toEqual(first);
  });

  test("a tenant's rate is that of all collectors together", async () => {
    const send = ({ url }: { readonly url: string }, records: number) => {
      const many = Array.from({ length: records }, (_, i) => ({
        timeNs: BigInt(START_MS + i) * 1_000_000n,
        body: "x",
      }));
      const headers = { "content-type": "application/x-protobuf", "x-scope-orgid": "limited" };
      return call(`${url}/v1/logs`, { method: "POST", headers, body: encodeLogs("limited", many as never) });
    };
    const [one, two] = cluster.collectors as [ServerProcess, ServerProcess];
    expect((await send(one, 1)).status).toBe(200);
    expect((await send(two, 5_000)).status).toBe(200);
    await eventually(async () => expect((await send(one, 1)).status).toBe(429));
  });

  test("who tails at a querier gets what comes to any collector", { timeout: patientMs(60_000) }, async () => {
    const query = new URLSearchParams({ query: '{service_name="tailed"}' });
    const socket = new WebSocket(`${cluster.readers.url.replace("http", "ws")}/loki/api/v1/tail?${query}`);
    const lines = new Set<string>();
    socket.addEventListener("message", ({ data }) => {
      const { streams } = JSON.parse(String(data)) as { streams: { values: [string, string][] }[] };
      for (const { values } of streams) for (const [, line] of values) lines.add(line);
    });
    await new Promise((resolve) => socket.addEventListener("open", resolve, { once: true }));
    let sent = 0;
    await eventually(async () => {
      for (const { url } of cluster.collectors) {
        const record = { timeNs: BigInt(Date.now()) * 1_000_000n, body: `line ${sent++}` };
        const headers = { "content-type": "application/x-protobuf" };
        await call(`${url}/v1/logs`, { method: "POST", headers, body: encodeLogs("tailed", [record] as never) });
      }
      // Of both collectors; the first ones may be too soon to be handed on.
      const numbers = [...lines].map((line) => Number(line.split(" ")[1]) % 2);
      expect(new Set(numbers).size).toBe(2);
    }, 30_000);
    socket.close();
  });

  test("without Redis everything is as before, also when it comes back empty", async () => {
    const answers = () => Promise.all(PROMQL.map((query) => askPrometheus(cluster.readers.url, query)));
    const before = await answers();
    await cluster.redis.kill();
    const [querier] = cluster.queriers as [ServerProcess];
    await eventually(async () => expect(await statesOf(querier.url)).toMatchObject({ cache: "down", metrics: "up" }));
    expect(await answers()).toEqual(before);
    const body = encodeSpans("without-redis", [
      { traceId: Buffer.alloc(16, 7), spanId: Buffer.alloc(8, 7), name: "a", startNs: 1n, endNs: 2n },
    ] as never);
    const headers = { "content-type": "application/x-protobuf" };
    expect((await call(`${cluster.senders.url}/v1/traces`, { method: "POST", headers, body })).status).toBe(200);
    await cluster.redis.start();
    await eventually(async () => expect(await statesOf(querier.url)).toMatchObject({ cache: "up" }));
    expect(await answers()).toEqual(before);
  });

  test("log records that a client sends again, to the other collector, are there once, and equal ones as often as they came", async () => {
    const equal = { timeNs: BigInt(START_MS) * 1_000_000n, body: "the same" };
    const request = encodeLogs("resent", [equal, equal, { ...equal, body: "another" }] as never);
    const headers = { "content-type": "application/x-protobuf" };
    const [one, two] = cluster.collectors as [ServerProcess, ServerProcess];
    const send = async ({ url }: ServerProcess, body: Buffer) =>
      expect((await call(`${url}/v1/logs`, { method: "POST", headers, body })).status).toBe(200);
    for (const collector of [one, two, one, two]) await send(collector, request);
    for (const { url } of [one, two]) {
      await eventually(async () => expect(await metricOf(url, "sightline_logs_store_hot_rows")).toBe(0));
    }
    // In another request they are others.
    await send(two, encodeLogs("resent", [equal] as never));
    await eventually(async () => {
      const lines = await new Ask(cluster.readers.url).logs('{service_name="resent"}', 0n, equal.timeNs + 1n);
      expect(lines.map(({ line }) => line).sort()).toEqual(["another", "the same", "the same", "the same"]);
    });
  });

  test("a trace by its id, whichever collector took its spans", async () => {
    const want = await spansOf(single.url);
    for (const { url } of cluster.queriers) expect(await spansOf(url)).toEqual(want);
  });

  test("a collector answers no queries, and a querier takes nothing and keeps nothing", async () => {
    const [collector, querier] = [cluster.collectors[0] as ServerProcess, cluster.queriers[0] as ServerProcess];
    expect((await call(`${collector.url}/api/v1/query?query=1`)).status).toBe(404);
    expect((await call(`${collector.url}/loki/api/v1/labels`)).status).toBe(404);
    expect((await call(`${querier.url}/v1/logs`, { method: "POST", body: "" })).status).toBe(404);
    expect((await call(`${querier.url}/api/v1/write`, { method: "POST", body: "" })).status).toBe(404);
    for (const name of ["wal", "lock", "writer-id", "metrics", "catalog.db"]) {
      expect([name, existsSync(join(querier.dataDir, name))]).toEqual([name, false]);
    }
  });

  test("an API key from the command line is good for every process, until it is revoked", async () => {
    const env = { SIGHTLINE_AUTH__MODE: "keys" };
    const [collector, querier] = await Promise.all([
      cluster.startServer("collector", env),
      cluster.startServer("query", env),
    ]);
    try {
      const keys = (...args: readonly string[]) => runCommandLine(["keys", ...args], cluster.settings);
      const { stdout } = await keys("create", "--tenant", "keyed", "--scope", "ingest,read");
      const token = stdout.trim();
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const send = async () =>
        (await call(`${collector.url}/v1/logs`, { method: "POST", headers, body: '{"resourceLogs":[]}' })).status;
      const ask = async () => (await call(`${querier.url}/api/v1/labels`, { headers })).status;
      await eventually(async () => expect([await send(), await ask()]).toEqual([200, 200]));
      expect((await keys("revoke", token.split("_")[1] as string)).code).toBe(0);
      await eventually(async () => expect([await send(), await ask()]).toEqual([401, 401]));
    } finally {
      await Promise.all([collector.dispose(), querier.dispose()]);
    }
  });

  test("rules are evaluated by a process of its own, which takes and answers nothing", async () => {
    const rules = join(dir, "rules.yaml");
    const expr = "sum(count_over_time(cluster_temperature[2h]))";
    writeFileSync(
      rules,
      `groups: [{ name: g, interval: 1s, rules: [{ record: "cluster:samples", expr: "${expr}" }, { alert: Always, expr: vector(1) }] }]`,
    );
    const alerting = await cluster.startServer("alerting", {
      SIGHTLINE_ALERTING__RULES__FILES: JSON.stringify([rules]),
    });
    try {
      const recorded = async () => new Ask(cluster.readers.url).number("cluster:samples");
      await eventually(async () => expect(await recorded()).toBe(20 * SAMPLES), 30_000);
      for (const { url } of cluster.queriers) {
        await eventually(async () => {
          const shown = await getJson<{ data: { groups: unknown[] } }>(`${url}/api/v1/rules`);
          expect(shown.data.groups).toMatchObject([
            { name: "g", file: rules, rules: [{ name: "cluster:samples", health: "ok" }, { state: "firing" }] },
          ]);
          const { data } = await getJson<{ data: { alerts: unknown[] } }>(`${url}/api/v1/alerts`);
          expect(data.alerts).toMatchObject([{ labels: { alertname: "Always" }, state: "firing" }]);
        }, 30_000);
      }
      expect((await call(`${alerting.url}/api/v1/query?query=1`)).status).toBe(404);
      expect((await call(`${alerting.url}/v1/logs`, { method: "POST", body: "" })).status).toBe(404);
      await alerting.kill();
      await alerting.restart();
      expect((await call(`${alerting.url}/-/ready`)).status).toBe(200);
    } finally {
      await alerting.dispose();
    }
  });

  test("a database that is away is named, what does not need it goes on, and comes back by itself", {
    timeout: patientMs(180_000),
  }, async () => {
    const [collector, querier] = [cluster.collectors[0] as ServerProcess, cluster.queriers[0] as ServerProcess];
    expect(await statesOf(collector.url)).toMatchObject({ metrics: "up", logs: "up", traces: "up" });
    await cluster.openSearch.kill();
    await eventually(async () => expect(await statesOf(querier.url)).toMatchObject({ metrics: "up", logs: "down" }));
    const ready = await call(`${querier.url}/-/ready`);
    expect(ready.status).toBe(200);
    expect(ready.text).toMatch(/^Sightline is Ready\.\nOpenSearch 127\.0\.0\.1:\d+ \(logs\) does not answer since /);
    expect(await askPrometheus(querier.url, PROMQL[0] as string)).toEqual(
      await askPrometheus(single.url, PROMQL[0] as string),
    );
    expect((await call(`${querier.url}${lokiPath('{service_name=~".+"}')}`)).status).toBe(503);
    const late = await cluster.startServer("query");
    const { url } = late;
    // Started without OpenSearch: the rest of it works, too.
    expect((await call(`${url}/-/ready`)).status).toBe(200);
    expect((await call(`${url}${promqlPath("cluster_temperature")}`)).status).toBe(200);
    await cluster.openSearch.start();
    for (const where of [querier.url, url]) {
      await eventually(async () => expect(await statesOf(where)).toMatchObject({ logs: "up" }), 60_000);
      await eventually(async () => expect(await spansOf(where)).toEqual(await spansOf(single.url)), 60_000);
    }
    await late.dispose();
  });

  test("whoever is killed or frozen, collector or database, everything acknowledged is there once", {
    timeout: patientMs(300_000),
  }, async () => {
    const writers = trackedWriters().filter(({ name }) => !name.includes("grpc"));
    let isOver = false;
    const load = writers.map((writer) => writer.run(cluster.senders, () => isOver, 20));
    const [first, second] = cluster.collectors as [ServerProcess, ServerProcess];
    const outages: readonly (() => Promise<unknown>)[] = [
      () => first.kill().then(() => first.restart()),
      async () => {
        await cluster.postgres.kill();
        await second.kill();
        await second.restart();
        await sleep(LOAD_MS);
        await cluster.postgres.start();
      },
      async () => {
        cluster.postgres.signal("SIGSTOP");
        cluster.openSearch.signal("SIGSTOP");
        await sleep(2 * LOAD_MS);
        await first.kill();
        cluster.postgres.signal("SIGCONT");
        cluster.openSearch.signal("SIGCONT");
        await first.restart();
      },
      async () => {
        await cluster.openSearch.kill();
        await Promise.all([first.kill(), second.kill()]);
        await Promise.all([first.restart(), second.restart()]);
        await cluster.openSearch.start();
      },
    ];
    for (const outage of outages) {
      await sleep(LOAD_MS);
      await outage();
    }
    await sleep(LOAD_MS);
    isOver = true;
    await Promise.all(load);
    for (const writer of writers) {
      expect(writer.acknowledgedItems).toBeGreaterThan(0);
      await eventually(async () => expect(await writer.violations(cluster.readers)).toEqual([]), 120_000);
    }
    for (const { url } of cluster.collectors) {
      expect((await call(`${url}/metrics`)).text).not.toMatch(/dead_letter\w*\{[^}]*\} [1-9]/);
    }
  });
});
