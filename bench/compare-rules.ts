/** `npm run bench -- rules`: what evaluating rules costs, here and in Prometheus, over the same series. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { freePort } from "@sightline/e2e/harness/free-port.ts";
import { cpuSecondsOf, residentMiBOf } from "@sightline/e2e/harness/process-usage.ts";
import { encodeRemoteWrite1, REMOTE_WRITE_1 } from "@sightline/e2e/harness/remote-write.ts";
import { ServerProcess } from "@sightline/e2e/harness/server-process.ts";
import { compress } from "snappy";

const HELP = `usage: npm run bench -- rules [FLAGS]

Writes 100,000 series over the last ten minutes, then evaluates rules over them once a minute and measures two minutes of
that: CPU time per evaluation, missed turns, and how long a request for nothing takes meanwhile.

  --prometheus FILE  its binary, to be measured in place of this server
  --rules N          half of them record, half alert (default 10000)
  --seconds N        how long is measured (default 120)
`;
const METRICS = 1_000;
const SERIES_PER_METRIC = 100;
const STEP_MS = 15_000;
const FILL_MS = 600_000;
const GROUP_SIZE = 50;
const SETTLE_MS = 15_000;
const PROBE_MS = 50;

type Target = { readonly url: string; readonly pid: number; stop(): Promise<void> };

export async function compareRules(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      prometheus: { type: "string" },
      rules: { type: "string", default: "10000" },
      seconds: { type: "string", default: "120" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const dir = mkdtempSync(join(tmpdir(), "sightline-bench-rules-"));
  const rules = join(dir, "rules.yml");
  writeFileSync(rules, ruleFile(Number(values.rules)));
  const target =
    values.prometheus === undefined ? await sightline(dir, rules) : await prometheus(dir, rules, values.prometheus);
  try {
    await fill(target.url);
    await sleep(SETTLE_MS);
    const figures = await measureRules(target, Number(values.seconds) * 1_000);
    process.stdout.write(`${JSON.stringify(figures, undefined, 2)}\n`);
  } finally {
    await target.stop();
    rmSync(dir, { recursive: true });
  }
}

async function measureRules({ url, pid }: Target, durationMs: number) {
  const before = { cpu: cpuSecondsOf(pid), ...(await ruleCounters(url)) };
  const latencies: number[] = [];
  const end = performance.now() + durationMs;
  while (performance.now() < end) {
    const began = performance.now();
    await (await fetch(`${url}/-/healthy`)).text();
    latencies.push(performance.now() - began);
    await sleep(PROBE_MS);
  }
  const after = { cpu: cpuSecondsOf(pid), ...(await ruleCounters(url)) };
  latencies.sort((a, b) => a - b);
  const percentile = (share: number) =>
    Math.round((latencies[Math.floor(share * (latencies.length - 1))] ?? 0) * 10) / 10;
  const evaluations = after.evaluations - before.evaluations;
  return {
    evaluations,
    failures: after.failures - before.failures,
    missedTurns: after.missed - before.missed,
    cpuMsPerEvaluation: ((after.cpu - before.cpu) / evaluations) * 1_000,
    cpuShareOfOneCore: (after.cpu - before.cpu) / (durationMs / 1_000),
    residentMiB: residentMiBOf(pid),
    probeMs: { p50: percentile(0.5), p99: percentile(0.99), max: percentile(1) },
  };
}

async function ruleCounters(url: string) {
  const text = await (await fetch(`${url}/metrics`)).text();
  const sum = (name: string) => {
    const lines = text.matchAll(new RegExp(`^prometheus_rule_${name}\\{.*\\} (\\S+)$`, "gm"));
    return [...lines].reduce((total, [, value]) => total + Number(value), 0);
  };
  return {
    evaluations: sum("evaluations_total"),
    failures: sum("evaluation_failures_total"),
    missed: sum("group_iterations_missed_total"),
  };
}

function ruleFile(count: number): string {
  const groups: string[] = [];
  for (let first = 0; first < count; first += GROUP_SIZE) {
    const rules = Array.from({ length: Math.min(GROUP_SIZE, count - first) }, (_, i) => ruleOf(first + i));
    groups.push(`- name: group_${first}\n  interval: 1m\n  rules:\n${rules.join("")}`);
  }
  return `groups:\n${groups.join("")}`;
}

/** Every hundredth alert fires for ten jobs. */
function ruleOf(i: number): string {
  const metric = `bench_${i % METRICS}_total`;
  if (i % 2 === 0) return `  - {record: 'job:bench_${i}:rate5m', expr: 'sum by (job) (rate(${metric}[5m]))'}\n`;
  const limit = i % 200 === 1 ? 0 : 1e12;
  const expr = i % 4 === 1 ? `sum by (job) (${metric}) > ${limit}` : `${metric} > ${1e12}`;
  return `  - {alert: Bench${i}, expr: '${expr}', for: 5m, labels: {severity: page}, annotations: {text: '{{ $labels.job }} is at {{ $value }}'}}\n`;
}

async function fill(url: string): Promise<void> {
  const end = Date.now();
  for (let timeMs = end - FILL_MS; timeMs <= end; timeMs += STEP_MS) {
    for (let metric = 0; metric < METRICS; metric += 100) {
      const series = Array.from({ length: 100 * SERIES_PER_METRIC }, (_, i) =>
        seriesOf(metric + Math.floor(i / SERIES_PER_METRIC), i % SERIES_PER_METRIC, timeMs),
      );
      const body = await compress(encodeRemoteWrite1(series));
      const response = await fetch(`${url}/api/v1/write`, {
        method: "POST",
        headers: REMOTE_WRITE_1,
        body: new Uint8Array(body),
      });
      if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    }
  }
}

function seriesOf(metric: number, i: number, timeMs: number) {
  const labels = [
    ["__name__", `bench_${metric}_total`],
    ["instance", `host-${i % 10}:9100`],
    ["job", `job-${Math.floor(i / 10)}`],
  ] as const;
  return { labels, samples: [{ timeMs, value: Math.floor(timeMs / 1_000) % 100_000 }] };
}

async function sightline(dir: string, rules: string): Promise<Target> {
  const config = join(dir, "sightline.json");
  writeFileSync(
    config,
    JSON.stringify({ alerting: { rules: { files: [rules] } }, self_telemetry: { enabled: false } }),
  );
  const server = await ServerProcess.start({ args: ["--config", config] });
  const stop = async () => {
    await server.stop();
    await server.dispose();
  };
  return { url: server.url, pid: server.pid, stop };
}

async function prometheus(dir: string, rules: string, binary: string): Promise<Target> {
  const config = join(dir, "prometheus.yml");
  writeFileSync(config, `global: {evaluation_interval: 1m}\nrule_files: [${rules}]\n`);
  const address = `127.0.0.1:${await freePort()}`;
  const flags = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(dir, "data")}`,
    `--web.listen-address=${address}`,
    "--web.enable-remote-write-receiver",
  ];
  const child = spawn(binary, flags, { stdio: "ignore" });
  const url = `http://${address}`;
  await ready(url, child);
  const stop = async () => {
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill();
    await exited;
  };
  return { url, pid: child.pid ?? 0, stop };
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) throw new Error(`it exited with ${child.exitCode}`);
    const response = await fetch(`${url}/-/ready`).catch(() => undefined);
    if (response?.ok) return;
    await sleep(100);
  }
  throw new Error("it does not become ready");
}
