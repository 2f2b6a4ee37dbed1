/**
 * Prints what writing, packing and selecting cost in a database, on data like that of a scrape every 15 s:
 *
 *     PGPASSWORD=… node storage/timescale/metrics/timescale-metric-store.bench.ts --port 5432 [--series 2000] [--hours 24]
 */
import { parseArgs } from "node:util";
import { type Labels, labelsFrom } from "@sightline/model/labels.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { type MetricBatch, SeriesKey } from "@sightline/model/metric-batch.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { Registry } from "prom-client";
import { timescaleMetricsConfig } from "../config.ts";
import { Database } from "../database/database.ts";
import { insertPages } from "./page-table.ts";
import { createPartitions, WINDOW_MS } from "./partitions.ts";
import { seriesIdentity } from "./series-id.ts";
import { TimescaleMetricStore } from "./timescale-metric-store.ts";

const { values: flags } = parseArgs({
  options: {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "5432" },
    user: { type: "string", default: "sightline" },
    database: { type: "string", default: "postgres" },
    series: { type: "string", default: "2000" },
    hours: { type: "string", default: "24" },
    /** Also so many more series, written for so long, for the speed of writing alone. */
    writeSeries: { type: "string", default: "20000" },
    writeSteps: { type: "string", default: "100" },
  },
});
const INTERVAL_MS = 15_000;
const PER_TARGET = 50;

const schema = `bench_${process.pid}`;
const config = timescaleMetricsConfig.parse({
  ...{ host: flags.host, port: Number(flags.port), user: flags.user, database: flags.database, schema },
  pack_after: "1ms",
});
const shared = { config, logger: SILENT_LOGGER, registry: new Registry() };
const database = new Database({ ...shared, purpose: "bench" });
await database.start();
const store = new TimescaleMetricStore({ ...shared, database, writer: "bench" });
await store.start();
let position = 0;
try {
  await timeWrites(Number(flags.writeSeries), Number(flags.writeSteps));
  await fill(Number(flags.series), Number(flags.hours));
  await timeSelects(Number(flags.hours), "rows of the last ten minutes, pages before");
  await reportSize();
} finally {
  await store.stop();
  await database.write("dropping", async (client) => {
    const { rows } = await client.query(
      "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND relnamespace = to_regnamespace($1)",
      [schema],
    );
    for (const { relname } of rows) await client.query(`DROP TABLE ${schema}.${relname}`);
    await client.query(`DROP SCHEMA ${schema} CASCADE`);
  });
  await database.stop();
}

/** As fast as it goes, in requests of 5,000 samples. */
async function timeWrites(count: number, steps: number): Promise<void> {
  const series = seriesNamed("written", count);
  const startMs = Date.now() - 600_000;
  const began = performance.now();
  const usage = process.cpuUsage();
  for (let step = 0; step < steps; step++) {
    for (let from = 0; from < count; from += 5_000) {
      await store.append(
        DEFAULT_TENANT,
        scrape(series, from, Math.min(count, from + 5_000), startMs + step * 5_000, step),
        ++position,
      );
    }
  }
  await store.flush();
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(usage);
  report("written", (count * steps) / seconds, "samples/s");
  report("CPU of this process", (user + system) / (count * steps), "µs/sample");
  const packing = performance.now();
  await store.maintain();
  report("packing", ((performance.now() - packing) * 1_000) / (count * steps), "µs/sample");
}

/** Pages are written as they are, all but the last ten minutes: packing them first would take minutes. */
async function fill(count: number, hours: number): Promise<void> {
  const series = seriesNamed("filled", count);
  const now = Date.now();
  const first = Math.floor((now - hours * 3_600_000) / WINDOW_MS);
  const last = Math.floor(now / WINDOW_MS);
  await store.append(DEFAULT_TENANT, scrape(series, 0, count, first * WINDOW_MS, 0), ++position);
  await store.flush();
  const ids = series.map(({ labels }) => seriesIdentity(DEFAULT_TENANT, labels).id);
  const order = ids.map((_, i) => i).sort((a, b) => ((ids[a] as bigint) < (ids[b] as bigint) ? -1 : 1));
  const steps = WINDOW_MS / INTERVAL_MS;
  for (let window = first; window < last; window++) {
    const scrapes = Array.from({ length: steps }, (_, i) => scrape(series, 0, count, 0, (window - first) * steps + i));
    const timesMs = Float64Array.from({ length: steps }, (_, i) => window * WINDOW_MS + i * INTERVAL_MS + 1);
    const packed = order.map((n) => {
      const values = Float64Array.from(scrapes, (one) => one.values[n] as number);
      return { id: ids[n] as bigint, timesMs, values, startsMs: undefined };
    });
    await database.transaction("filling", async (client) => {
      await createPartitions(client, "pages", [window], now);
      await insertPages(client, 1, packed);
    });
  }
  for (let timeMs = last * WINDOW_MS; timeMs < now; timeMs += INTERVAL_MS) {
    await store.append(DEFAULT_TENANT, scrape(series, 0, count, timeMs, timeMs / INTERVAL_MS), ++position);
  }
  await store.flush();
}

async function timeSelects(hours: number, what: string): Promise<void> {
  const now = Date.now();
  const queries = [
    ["all series, all of it", hours, [{ name: "__name__", op: "=", value: "filled" }]],
    ["all series, 1 h", 1, [{ name: "__name__", op: "=", value: "filled" }]],
    [
      "one series, all of it",
      hours,
      [
        { name: "__name__", op: "=", value: "filled" },
        { name: "target", op: "=", value: "7" },
        { name: "part", op: "=", value: "7" },
      ],
    ],
  ] as const;
  for (const [name, range, matchers] of queries) {
    const times: number[] = [];
    let samples = 0;
    let cpuMs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3; i++) {
      samples = 0;
      const began = performance.now();
      const usage = process.cpuUsage();
      const request = { tenant: DEFAULT_TENANT, range: { startMs: now - range * 3_600_000, endMs: now }, matchers };
      for await (const group of store.select(request, new AbortController().signal)) {
        for (const { timesMs } of group) samples += timesMs.length;
      }
      times.push(performance.now() - began);
      const { user, system } = process.cpuUsage(usage);
      cpuMs = Math.min(cpuMs, (user + system) / 1_000);
    }
    report(`${what}: ${name} (${samples} samples), first`, times[0] as number, "ms");
    report(`${what}: ${name}, best of 3`, Math.min(...times), "ms");
    report(`${what}: ${name}, CPU of this process`, cpuMs, "ms");
  }
}

async function reportSize(): Promise<void> {
  const { rows } = await database.write("measuring", (client) =>
    client.query(
      `SELECT sum(pg_total_relation_size(p.oid))::float8 AS bytes, (SELECT sum(samples) FROM pages)::float8 AS samples
       FROM pg_class p WHERE relnamespace = to_regnamespace($1) AND relname LIKE 'pages_%' AND relkind = 'r'`,
      [schema],
    ),
  );
  report("pages", rows[0].bytes / rows[0].samples, "bytes/sample");
}

function seriesNamed(name: string, count: number): SeriesKey[] {
  return Array.from({ length: count }, (_, i): SeriesKey => {
    const labels: Labels = labelsFrom({
      __name__: name,
      job: "bench",
      target: String(Math.floor(i / PER_TARGET)),
      part: String(i % PER_TARGET),
      cluster: "one",
    });
    return new SeriesKey(labels);
  });
}

/** Counters, gauges with two decimals, and measured values in turn. */
function scrape(series: SeriesKey[], from: number, to: number, timeMs: number, step: number): MetricBatch {
  const length = to - from;
  const values = new Float64Array(length);
  const refs = new Uint32Array(length);
  for (let i = 0; i < length; i++) {
    const n = from + i;
    refs[i] = n;
    if (n % 3 === 0) values[i] = step * (n % 97) + (n % 7);
    else if (n % 3 === 1) values[i] = Math.round(Math.sin(step / 50 + n) * 10_000) / 100;
    else values[i] = n % 30 === 2 ? Math.random() : (step * 7 + n) % 41;
  }
  return {
    length,
    series,
    refs,
    timesMs: new Float64Array(length).fill(timeMs),
    values,
    histograms: [],
    exemplars: [],
    metadata: [],
  };
}

function report(what: string, value: number, unit: string): void {
  process.stdout.write(`${what}: ${value >= 100 ? Math.round(value) : value.toFixed(2)} ${unit}\n`);
}
