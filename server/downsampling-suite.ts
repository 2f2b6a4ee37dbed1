import { NO_INFO, type SeriesInfo } from "@sightline/model/metric-batch.ts";
import type { MetricStore } from "@sightline/model/metric-store.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { queryConfig } from "@sightline/query/config.ts";
import { PromEngine } from "@sightline/query/promql/engine.ts";
import { metricBatchOf, type SeriesRows } from "@sightline/storage-conformance/metric-batch-of.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

export type DownsamplingSettings = {
  readonly retention: string;
  readonly downsampling: "off" | readonly { readonly resolution: string; readonly after: string }[];
};
export type DownsamplingFixture<Store extends MetricStore> = {
  readonly store: Store;
  /** Downsamples what is due. */
  readonly maintain: () => Promise<void>;
  readonly dispose: () => Promise<void>;
};
/** The same samples in a store as they came and in one that was downsampled, and what compares others with the first. */
export type Downsampled<Store extends MetricStore> = {
  readonly raw: Store;
  readonly coarse: Store;
  readonly nowMs: () => number;
  /** Of what does not depend on where in windows ranges end. */
  readonly expectSame: (store: Store) => Promise<void>;
};

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Two days ago a day began: it is downsampled to five minutes when the clock says so. */
const DAY_BEGAN = Math.floor(Date.now() / DAY) * DAY - 2 * DAY;
const FROM = DAY_BEGAN + 2 * 60 * MINUTE;
const SAMPLES = 4 * 60 * 12;
const INTERVAL_MS = 15_000;
const signal = new AbortController().signal;

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

const METRICS = ["requests_total", "untyped_total", "temperature", "rare", "sent"];
const OVER_TIME = ["avg", "min", "max", "sum", "count", "last", "present"].flatMap((name) =>
  METRICS.map((metric) => `${name}_over_time(${metric}[10m])`),
);
const COUNTERS = ["rate", "increase", "resets"].flatMap((name) =>
  ["requests_total", "untyped_total", "sent"].map((metric) => `${name}(${metric}[10m])`),
);

const count = (before: number) => before + Math.floor(random() * 10);
const ROWS = [
  rowsOf("requests_total", (before) => (random() < 0.01 ? 0 : count(before)), info("counter")),
  rowsOf("untyped_total", (before) => (random() < 0.005 ? 1 : count(before)), NO_INFO),
  rowsOf("temperature", () => Math.floor(random() * 400) / 10 - 10, info("gauge")),
  rowsOf("rare", () => Math.floor(random() * 100), info("gauge"), 8),
  rowsOf("sent", () => Math.floor(random() * 10), info("counter", "delta")),
];

/** No database in a test has to take all of it at once. */
const PARTS = ROWS.flatMap((row) =>
  Array.from({ length: Math.ceil(row.samples.length / 480) }, (_, part) => {
    const samples = row.samples.slice(part * 480, (part + 1) * 480);
    return { ...row, samples };
  }),
);

/** What queries answer about a day that was downsampled, beside what they answer about one that was not. */
export function describeDownsampling<Store extends MetricStore>(
  name: string,
  make: (settings: DownsamplingSettings, nowMs: () => number) => Promise<DownsamplingFixture<Store>>,
  more: (given: () => Downsampled<Store>) => void = () => {},
): void {
  describe(`${name}: downsampling`, () => {
    let nowMs: number;
    let fixtures: DownsamplingFixture<Store>[] = [];
    let raw: Store;
    let coarse: Store;

    beforeAll(async () => {
      nowMs = DAY_BEGAN + 1.1 * DAY;
      const tiers = [
        { resolution: "1m", after: "12h" },
        { resolution: "5m", after: "1d" },
      ];
      const settings = (["off", tiers] as const).map((downsampling) => ({ retention: "30d", downsampling }));
      fixtures = [];
      for (const one of settings) fixtures.push(await make(one, () => nowMs));
      [raw, coarse] = fixtures.map(({ store }) => store) as [Store, Store];
      for (const { store, maintain } of fixtures) {
        for (const [i, row] of PARTS.entries()) {
          await store.append(DEFAULT_TENANT, metricBatchOf([row]), i + 1);
          await store.flush();
        }
        await maintain();
      }
      nowMs += 2 * DAY;
      for (const { maintain } of fixtures) await maintain();
    });
    afterAll(async () => {
      for (const { dispose } of fixtures) await dispose();
    });

    async function range(store: Store, query: string, stepMs = 5 * MINUTE, startMs = FROM + 60 * MINUTE) {
      const engine = new PromEngine({ queryable: store, limits: queryConfig.parse({}), nowMs: () => nowMs });
      const window = { startMs, endMs: FROM + 11 * 60 * MINUTE, stepMs };
      const { value } = await engine.range(query, { tenant: DEFAULT_TENANT, signal, ...window });
      if (value.type !== "matrix") throw new Error(value.type);
      return value.series.flatMap((series) => Array.from(series.values));
    }

    async function expectSame(store: Store) {
      for (const query of [
        "count_over_time(temperature[10m])",
        "sum_over_time(temperature[1h])",
        "rate(requests_total[10m])",
      ]) {
        const [want, got] = [await range(raw, query), await range(store, query)];
        expect(got).toHaveLength(want.length);
        for (let i = 0; i < want.length; i++) expect(got[i]).toBeCloseTo(want[i] as number, 9);
      }
    }

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
      for (const { store, maintain } of fixtures) {
        await store.append(DEFAULT_TENANT, late, PARTS.length + 1);
        await store.flush();
        await maintain();
      }
      expect(await range(coarse, query)).toEqual(await range(raw, query));
    });

    test("a deletion of whole windows changes nothing else", async ({ skip }) => {
      const matchers = [{ name: "__name__", op: "=", value: "temperature" }] as const;
      const whole = { startMs: FROM + 180 * MINUTE + 1, endMs: FROM + 240 * MINUTE };
      for (const { administration } of [raw, coarse]) {
        await (administration ?? skip()).deleteSamples({ tenant: DEFAULT_TENANT, range: whole, matchers });
      }
      await expectSame(coarse);
      await coarse.administration?.purgeDeleted(DEFAULT_TENANT);
      await expectSame(coarse);
    });

    test("what was downsampled is found, and the samples that stayed are as they were", async () => {
      const before = await pointsOf(raw, "requests_total");
      const after = await pointsOf(coarse, "requests_total");
      expect(after.size).toBeLessThan(before.size / 3);
      for (const [timeMs, value] of after) expect(before.get(timeMs)).toBe(value);
    });

    more(() => ({ raw, coarse, nowMs: () => nowMs, expectSame }));
  });
}

async function pointsOf(store: MetricStore, name: string): Promise<ReadonlyMap<number, number>> {
  const points = new Map<number, number>();
  const matchers = [{ name: "__name__", op: "=", value: name }] as const;
  const all = { startMs: FROM - DAY, endMs: FROM + DAY };
  for await (const group of store.select({ tenant: DEFAULT_TENANT, matchers, range: all }, signal)) {
    for (const { timesMs, values } of group)
      for (const [i, timeMs] of timesMs.entries()) points.set(timeMs, values[i] as number);
  }
  return points;
}
