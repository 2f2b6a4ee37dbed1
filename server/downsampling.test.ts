import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { NO_INFO, type SeriesInfo } from "@sightline/model/metric-batch.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { queryConfig } from "@sightline/query/config.ts";
import { PromEngine } from "@sightline/query/promql/engine.ts";
import { metricBatchOf, type SeriesRows } from "@sightline/storage-conformance/metric-batch-of.ts";
import { embeddedMetricsConfig } from "@sightline/storage-embedded/config.ts";
import { EmbeddedMetricStore } from "@sightline/storage-embedded/metrics/embedded-metric-store.ts";
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Two days ago a day began: it is downsampled to five minutes when the clock says so. */
const DAY_BEGAN = Math.floor(Date.now() / DAY) * DAY - 2 * DAY;
const FROM = DAY_BEGAN + 2 * 60 * MINUTE;
const SAMPLES = 4 * 60 * 12;
const INTERVAL_MS = 15_000;
const signal = new AbortController().signal;

let root: string;
let nowMs: number;
const stores: EmbeddedMetricStore[] = [];
/** What was sent, as it came and downsampled. */
let raw: EmbeddedMetricStore;
let coarse: EmbeddedMetricStore;

async function open(name: string, downsampling: "off" | { resolution: string; after: string }[]) {
  const store = new EmbeddedMetricStore({
    dir: join(root, name),
    config: embeddedMetricsConfig.parse({ retention: "30d", downsampling }),
    logger: SILENT_LOGGER,
    registry: new Registry(),
    nowMs: () => nowMs,
  });
  await store.start();
  stores.push(store);
  return store;
}

/** Repeatable. */
let seed = 1;
function random(): number {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed / 2_147_483_647;
}

const info = (type: SeriesInfo["type"], temporality: SeriesInfo["temporality"] = ""): SeriesInfo => ({
  ...NO_INFO,
  type,
  temporality,
});
function rowsOf(name: string, next: (before: number) => number, of: SeriesInfo, every = 1): SeriesRows {
  let value = 0;
  const samples: [number, number][] = [];
  for (let i = 0; i < SAMPLES; i++) {
    value = next(value);
    if (i % every === 0) samples.push([FROM + 5_000 + i * INTERVAL_MS, value]);
  }
  return { labels: { __name__: name }, info: of, samples };
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "downsampling-"));
  nowMs = DAY_BEGAN + 1.1 * DAY;
  const count = (before: number) => before + Math.floor(random() * 10);
  const rows = [
    rowsOf("requests_total", (before) => (random() < 0.01 ? 0 : count(before)), info("counter")),
    rowsOf("untyped_total", (before) => (random() < 0.005 ? 1 : count(before)), NO_INFO),
    rowsOf("temperature", () => Math.floor(random() * 400) / 10 - 10, info("gauge")),
    rowsOf("rare", () => Math.floor(random() * 100), info("gauge"), 8),
    rowsOf("sent", () => Math.floor(random() * 10), info("counter", "delta")),
  ];
  raw = await open("raw", "off");
  coarse = await open("coarse", [
    { resolution: "1m", after: "12h" },
    { resolution: "5m", after: "1d" },
  ]);
  for (const store of [raw, coarse]) {
    await store.append(DEFAULT_TENANT, metricBatchOf(rows), 1);
    await store.flush();
  }
  nowMs += 2 * DAY;
  await coarse.maintain();
});

test("the block takes less, and its windows are in a file beside it", async () => {
  const files = async (name: string) => {
    const dir = join(root, name, DEFAULT_TENANT);
    const found = (await readdir(dir)).filter((file) => file.includes(".block"));
    return Promise.all(found.map(async (file) => ({ file, bytes: (await stat(join(dir, file))).size })));
  };
  const size = (of: readonly { bytes: number }[]) => of.reduce((sum, { bytes }) => sum + bytes, 0);
  const [before, after] = [await files("raw"), await files("coarse")];
  expect(after.map(({ file }) => file.replace(/.*\.block/, ""))).toEqual(["", ".windows"]);
  expect(size(after)).toBeLessThan(size(before) * 0.8);
});

afterAll(async () => {
  for (const store of stores) await store.stop();
  await rm(root, { recursive: true });
});

async function range(store: EmbeddedMetricStore, query: string, stepMs = 5 * MINUTE, startMs = FROM + 60 * MINUTE) {
  const engine = new PromEngine({ queryable: store, limits: queryConfig.parse({}), nowMs: () => nowMs });
  const window = { startMs, endMs: FROM + 11 * 60 * MINUTE, stepMs };
  const { value } = await engine.range(query, { tenant: DEFAULT_TENANT, signal, ...window });
  if (value.type !== "matrix") throw new Error(value.type);
  return value.series.flatMap((series) => Array.from(series.values));
}

const METRICS = ["requests_total", "untyped_total", "temperature", "rare", "sent"];
const OVER_TIME = ["avg", "min", "max", "sum", "count", "last", "present"].flatMap((name) =>
  METRICS.map((metric) => `${name}_over_time(${metric}[10m])`),
);
const COUNTERS = ["rate", "increase", "resets"].flatMap((name) =>
  ["requests_total", "untyped_total", "sent"].map((metric) => `${name}(${metric}[10m])`),
);

describe("at steps and ranges of whole windows, nothing but the last digits differs:", () => {
  test.each([
    ...OVER_TIME,
    ...COUNTERS,
    ...METRICS,
    "delta(temperature[5m])",
    "rate(requests_total[5m])",
    "increase(requests_total[3h])",
    "avg_over_time(temperature[3h])",
    "increase(untyped_total[5m] offset 5m)",
    "first_over_time(temperature[5m])",
    "sum(avg_over_time(temperature[5m] offset 10m)) by (x)",
    "max_over_time(temperature[1h] @ end())",
    "count_over_time(temperature[10m]) > 1",
  ])("%s", async (query) => {
    const [want, got] = [await range(raw, query), await range(coarse, query)];
    expect(got).toHaveLength(want.length);
    expect(want.length).toBeGreaterThan(0);
    for (let i = 0; i < want.length; i++) expect(got[i]).toBeCloseTo(want[i] as number, 9);
  });
});

describe("at other steps, what is at the two ends of a range may be off by a window:", () => {
  const worst = async (query: string) => {
    const at = FROM + 61 * MINUTE + 7_000;
    const [want, got] = [await range(raw, query, 7 * MINUTE, at), await range(coarse, query, 7 * MINUTE, at)];
    expect(got).toHaveLength(want.length);
    return Math.max(...want.map((value, i) => Math.abs((got[i] as number) - value) / Math.max(1, Math.abs(value))));
  };
  test.each<[string, number]>([
    ["rate(requests_total[1h])", 0.03],
    ["increase(requests_total[5m])", 0.3],
    ["sum_over_time(temperature[1h])", 0.09],
    ["count_over_time(temperature[1h])", 0.09],
    ["avg_over_time(temperature[3h])", 0.05],
    ["max_over_time(temperature[1h])", 0.02],
    ["count_over_time(rare[1h])", 0],
    ["rate(sent[1h])", 0],
  ])("%s by at most a share of %d", async (query, share) => {
    expect(await worst(query)).toBeLessThanOrEqual(share);
  });
});

test("late samples count beside what was downsampled", async () => {
  const labels = { __name__: "temperature" };
  const late = metricBatchOf([{ labels, samples: [[FROM + 120 * MINUTE + 1, 1_000]] }]);
  const query = "count_over_time(temperature[10m]) + max_over_time(temperature[10m])";
  for (const store of [raw, coarse]) {
    await store.append(DEFAULT_TENANT, late, 2);
    await store.flush();
    await store.maintain();
  }
  expect(await range(coarse, query)).toEqual(await range(raw, query));
});

test("a restart and a purge of deleted samples change nothing else", async () => {
  const matchers = [{ name: "__name__", op: "=", value: "temperature" }] as const;
  const whole = { startMs: FROM + 180 * MINUTE + 1, endMs: FROM + 240 * MINUTE };
  for (const store of [raw, coarse]) {
    await store.administration.deleteSamples({ tenant: DEFAULT_TENANT, range: whole, matchers });
  }
  const queries = ["count_over_time(temperature[10m])", "sum_over_time(temperature[1h])", "rate(requests_total[10m])"];
  const expectSame = async (store: EmbeddedMetricStore) => {
    for (const query of queries) {
      const [want, got] = [await range(raw, query), await range(store, query)];
      expect(got).toHaveLength(want.length);
      for (let i = 0; i < want.length; i++) expect(got[i]).toBeCloseTo(want[i] as number, 9);
    }
  };
  await expectSame(coarse);
  await coarse.administration.purgeDeleted(DEFAULT_TENANT);
  await expectSame(coarse);
  await coarse.administration.snapshot(DEFAULT_TENANT, join(root, "copy"), { skipMemory: false });
  await expectSame(await open("copy", "off"));
  await coarse.stop();
  await expectSame(await open("coarse", "off"));
});
