import { compareLabels, labelsFrom } from "@sightline/model/labels.ts";
import { NO_INFO } from "@sightline/model/metric-batch.ts";
import type { Queryable, SeriesRequest, SeriesSlice } from "@sightline/model/metric-store.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { DEFAULT_PROM_LIMITS } from "./config.ts";
import { PromEngine } from "./engine.ts";

/**
 * What evaluating costs when storage costs nothing: 1,000 counters of 10 jobs, a sample every 15 s, from memory.
 * Prints per query the median CPU time (all threads) and that per sample of the selected range.
 *
 *     node query/promql/promql-engine.bench.ts [RUNS]
 */
const SERIES = 1_000;
const INTERVAL_MS = 15_000;
const HOUR_MS = 3_600_000;
const END_MS = 1_700_000_000_000;
const QUERIES: readonly (readonly [text: string, hours: number, stepMs: number])[] = [
  ["sum by (job) (rate(x_total[5m]))", 24, 60_000],
  ["sum by (job) (rate(x_total[5m]))", 1, 15_000],
  ["sum by (job) (rate(x_total[5m]))", 0, 0],
  ["sum by (job) (x_total)", 24, 60_000],
  ["avg by (job) (avg_over_time(x_total[5m]))", 24, 60_000],
  ["max by (job) (max_over_time(x_total[1h]))", 24, 60_000],
  ["topk(5, rate(x_total[5m]))", 24, 60_000],
  ["x_total / on (instance) group_left x_total", 24, 60_000],
  ["quantile by (job) (0.9, x_total)", 24, 60_000],
];

const slices = Array.from({ length: SERIES }, (_, i): SeriesSlice => {
  const length = (24 * HOUR_MS) / INTERVAL_MS + 41;
  const timesMs = new Float64Array(length);
  const values = new Float64Array(length);
  for (let at = 0, value = 0; at < length; at++) {
    timesMs[at] = END_MS - (length - 1 - at) * INTERVAL_MS + (i % 1_000);
    value = at % 2_000 === 1_999 ? 0 : value + ((at * 7 + i) % 13);
    values[at] = value;
  }
  const labels = labelsFrom({ __name__: "x_total", instance: `host-${i}`, job: `job-${i % 10}`, zone: "a" });
  return { labels, info: NO_INFO, timesMs, values };
}).sort((a, b) => compareLabels(a.labels, b.labels));

let selected = 0;
const queryable: Queryable = {
  async *select({ range }: SeriesRequest) {
    const first = slices[0] as SeriesSlice;
    const from = first.timesMs.findIndex((timeMs) => timeMs + 1_000 >= range.startMs);
    const past = first.timesMs.findIndex((timeMs) => timeMs > range.endMs);
    const to = past === -1 ? first.timesMs.length : past;
    selected += SERIES * (to - from);
    yield slices.map((slice) => ({
      ...slice,
      timesMs: slice.timesMs.subarray(from, to),
      values: slice.values.subarray(from, to),
    }));
  },
  series: async () => [],
  labelNames: async () => [],
  labelValues: async () => [],
};

const runs = Number(process.argv[2] ?? 7);
const engine = new PromEngine({ queryable, limits: DEFAULT_PROM_LIMITS });
const { signal } = new AbortController();
for (const [text, hours, stepMs] of QUERIES) {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    selected = 0;
    const started = process.cpuUsage();
    const startMs = END_MS - hours * HOUR_MS;
    if (hours === 0) await engine.instant(text, { tenant: DEFAULT_TENANT, timeMs: END_MS, signal });
    else await engine.range(text, { tenant: DEFAULT_TENANT, startMs, endMs: END_MS, stepMs, signal });
    const used = process.cpuUsage(started);
    times.push((used.user + used.system) / 1_000);
  }
  const median = times.sort((a, b) => a - b)[runs >> 1] as number;
  const perSample = ((median * 1e6) / selected).toFixed(1);
  const range = hours === 0 ? "instant" : `${hours} h at ${stepMs / 1_000} s`;
  process.stdout.write(`${text}, ${range}: ${median.toFixed(1)} ms, ${perSample} ns/sample\n`);
}
