/**
 * Prints what appending, cutting, keeping and selecting cost on data like that of real scrapes:
 *
 *     node storage/embedded/metrics/embedded-metric-store.bench.ts [--series 2000] [--hours 24] [--interval 15]
 */
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import { type MetricBatch, SeriesKey } from "@sightline/model/metric-batch.ts";
import type { MetricStore } from "@sightline/model/metric-store.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { Registry } from "prom-client";
import { embeddedMetricsConfig } from "../config.ts";
import { EmbeddedMetricStore } from "./embedded-metric-store.ts";
import { ScrapeTarget, SERIES_PER_TARGET } from "./otel-like-metrics.ts";

const { values: flags } = parseArgs({
  options: {
    series: { type: "string", default: "2000" },
    hours: { type: "string", default: "24" },
    interval: { type: "string", default: "15" },
  },
});
const TARGETS = Math.ceil(Number(flags.series) / SERIES_PER_TARGET);
const INTERVAL_MS = Number(flags.interval) * 1000;
const STEPS = Math.round((Number(flags.hours) * 3_600_000) / INTERVAL_MS);
const END_MS = Math.floor(Date.now() / INTERVAL_MS) * INTERVAL_MS;
const SAMPLES = TARGETS * SERIES_PER_TARGET * STEPS;

const dir = await mkdtemp(join(tmpdir(), "metric-store-bench-"));
const stalls = watchEventLoop();
try {
  const store = openStore();
  await store.start();
  await appendAll(store);
  reportHold("append and cut");
  await reportDirectory("after cuts");
  await timeSelects(store, "blocks as cut");
  reportHold("select");
  const merging = performance.now();
  await store.maintain();
  report("merge", ((performance.now() - merging) * 1e6) / SAMPLES, "ns/sample");
  reportHold("merge");
  await reportDirectory("after merging");
  await timeSelects(store, "merged blocks");
  await store.stop();
  const starting = performance.now();
  const again = openStore();
  await again.start();
  report("start", performance.now() - starting, "ms");
  report("peak RSS", process.resourceUsage().maxRSS / 1024, "MiB");
} finally {
  stalls.stop();
  await rm(dir, { recursive: true });
}

function openStore(): EmbeddedMetricStore {
  const config = embeddedMetricsConfig.parse({});
  return new EmbeddedMetricStore({ dir, config, logger: SILENT_LOGGER, registry: new Registry() });
}

/** One batch per scrape of some targets, as a decoder would hand it over, and a cut every two hours of data. */
async function appendAll(store: MetricStore): Promise<void> {
  const targets = Array.from({ length: TARGETS }, (_, n) => new ScrapeTarget(n, INTERVAL_MS));
  const series = targets.flatMap(({ labels }) => labels.map((one) => new SeriesKey(one)));
  const perBatch = Math.min(20, TARGETS);
  const stepsPerCut = Math.ceil((2 * 3_600_000) / INTERVAL_MS);
  let appendMs = 0;
  let cutMs = 0;
  let position = 0;
  for (let step = 0; step < STEPS; step++) {
    for (let from = 0; from < TARGETS; from += perBatch) {
      const batch = scrape(targets.slice(from, from + perBatch), from, END_MS - (STEPS - step) * INTERVAL_MS, series);
      const started = performance.now();
      await store.append(DEFAULT_TENANT, batch, ++position);
      appendMs += performance.now() - started;
      await new Promise((resolve) => setImmediate(resolve));
    }
    if ((step + 1) % stepsPerCut !== 0 && step + 1 < STEPS) continue;
    const started = performance.now();
    await store.flush();
    cutMs += performance.now() - started;
  }
  report("append", (appendMs * 1e6) / SAMPLES, "ns/sample");
  report("cut", (cutMs * 1e6) / SAMPLES, "ns/sample");
}

function scrape(targets: readonly ScrapeTarget[], first: number, timeMs: number, series: SeriesKey[]): MetricBatch {
  const length = targets.length * SERIES_PER_TARGET;
  const batch = {
    length,
    series,
    refs: Uint32Array.from({ length }, (_, i) => first * SERIES_PER_TARGET + i),
    timesMs: new Float64Array(length),
    values: new Float64Array(length),
    histograms: [],
    exemplars: [],
    metadata: [],
  };
  targets.forEach((target, n) => {
    const at = n * SERIES_PER_TARGET;
    batch.timesMs.fill(target.advance(timeMs), at, at + SERIES_PER_TARGET);
    batch.values.set(target.values, at);
  });
  return batch;
}

async function timeSelects(store: MetricStore, state: string): Promise<void> {
  const counters: Matcher[] = [{ name: "__name__", op: "=", value: "http_requests_total" }];
  const one: Matcher[] = [
    ...counters,
    { name: "pod", op: "=~", value: "checkout.*" },
    { name: "method", op: "=", value: "GET" },
  ];
  for (const [name, matchers, hours] of [
    ["counters, 5 m", counters, 1 / 12],
    ["counters, 1 h", counters, 1],
    ["counters, all", counters, 24 * 365],
    ["few, all", one, 24 * 365],
    ["everything, 1 h", [], 1],
  ] as const) {
    const runs: number[] = [];
    let samples = 0;
    let series = 0;
    for (let run = 0; run < 5; run++) {
      samples = 0;
      series = 0;
      const started = performance.now();
      const range = { startMs: END_MS - hours * 3_600_000, endMs: END_MS };
      const request = { tenant: DEFAULT_TENANT, range, matchers };
      for await (const group of store.select(request, new AbortController().signal)) {
        for (const { timesMs } of group) samples += timesMs.length;
        series += group.length;
      }
      runs.push(performance.now() - started);
    }
    const [first] = runs as [number];
    const median = runs.sort((a, b) => a - b)[2] as number;
    const detail = `first ${first.toFixed(1)} ms, ${series} series, ${((median * 1e6) / samples).toFixed(1)} ns/sample`;
    report(`select ${name} (${state})`, median, `ms (${detail})`);
  }
}

async function reportDirectory(state: string): Promise<void> {
  let bytes = 0;
  const files = await readdir(dir, { recursive: true });
  for (const file of files) {
    const info = await stat(join(dir, file));
    if (info.isFile()) bytes += info.size;
  }
  report(`directory ${state}`, bytes / SAMPLES, `bytes/sample (${files.length} files)`);
}

/** Says how long the event loop was held at most since this was called before. */
function reportHold(what: string): void {
  report(`longest hold of the event loop, ${what}`, stalls.takeLongestMs(), "ms of CPU");
}

function report(what: string, value: number, unit: string): void {
  console.log(`${what.padEnd(46)} ${value.toFixed(value < 10 ? 3 : 1).padStart(10)} ${unit}`);
}

/** The most CPU time of this thread between two turns of the event loop: what others take from it does not count. */
function watchEventLoop(): { takeLongestMs(): number; stop(): void } {
  let last = process.threadCpuUsage();
  let longest = 0;
  const timer = setInterval(() => {
    const { user, system } = process.threadCpuUsage(last);
    last = process.threadCpuUsage();
    longest = Math.max(longest, (user + system) / 1000);
  }, 1);
  return {
    takeLongestMs() {
      const taken = longest;
      longest = 0;
      return taken;
    },
    stop: () => clearInterval(timer),
  };
}
