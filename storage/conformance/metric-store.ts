import { STALE_HISTOGRAM } from "@sightline/model/histogram.ts";
import { labelsFrom, labelsKey } from "@sightline/model/labels.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import { type SeriesInfo, SeriesKey } from "@sightline/model/metric-batch.ts";
import type { MetricStore } from "@sightline/model/ports.ts";
import { DEFAULT_TENANT, tenantId } from "@sightline/model/tenant.ts";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sampleHistogram } from "./example-histogram.ts";
import { metricBatchOf, STALE } from "./metric-batch-of.ts";
import { NO_SIGNAL as on, onlySamples, plainSlice, requestOf, selectAll } from "./metric-rows.ts";
import { describeRandomHistories } from "./metric-store-random.ts";

/** A store under test on data of its own. */
export type MetricStoreFixture = {
  readonly store: MetricStore;
  /** Abandons the newest store as `kill -9` would, without flushing, and opens what it kept. */
  reopen(): Promise<MetricStore>;
  dispose(): Promise<void>;
};

const MINUTE = 60_000;
const NOW = Math.floor(Date.now() / MINUTE) * MINUTE;
const T = NOW - 60 * MINUTE;
const OTHER_TENANT = tenantId("other");
const COUNTER: SeriesInfo = { type: "counter", unit: "s", temporality: "cumulative", otelName: "a.b" };
const GAUGE: SeriesInfo = { type: "gauge", unit: "", temporality: "", otelName: "" };

/** What every {@link MetricStore} must do. The store must refuse samples in the year 2100. */
export function describeMetricStore(name: string, make: () => Promise<MetricStoreFixture>): void {
  describe(`${name} as a metric store`, () => {
    let fixture: MetricStoreFixture;
    let store: MetricStore;
    beforeEach(async () => {
      fixture = await make();
      store = fixture.store;
    });
    afterEach(() => fixture.dispose());
    const given = () => ({ store, fixture });

    describeSamples(given);
    describeLabels(given);
    describeOtherData(given);
    describeRestart(given);
    describeRandomHistories(make);
  });
}

type Given = () => { readonly store: MetricStore; readonly fixture: MetricStoreFixture };

function describeSamples(given: Given): void {
  test("gives back what was written, in the range asked for, both ends included", async () => {
    const { store } = given();
    const samples = [0, 1, 2, 3].map((i) => [T + i, i * 1.5] as const);
    const result = await store.append(DEFAULT_TENANT, metricBatchOf([{ labels: { __name__: "a" }, samples }]), 1);
    expect(result).toEqual({ accepted: 4, rejected: [] });
    expect(await onlySamples(store)).toEqual(samples);
    expect(await onlySamples(store, { range: { startMs: T + 1, endMs: T + 2 } })).toEqual(samples.slice(1, 3));
    expect(await onlySamples(store, { range: { startMs: T + 4, endMs: T + 9 } })).toEqual([]);
  });

  test("finds a known series by the ref in its key, in batches that share the key", async () => {
    const { store } = given();
    const keys = new Map<string, SeriesKey>();
    for (let i = 0; i < 5; i++) {
      const row = { labels: { __name__: "a" }, samples: [[T + i, i]] as const };
      await store.append(DEFAULT_TENANT, metricBatchOf([row], { keys }), i + 1);
    }
    expect(await onlySamples(store)).toEqual([0, 1, 2, 3, 4].map((i) => [T + i, i]));
  });

  test("is not misled by a ref that another store or tenant has set", async () => {
    const { store } = given();
    const keys = ["a", "b", "c"].map((metric) => new SeriesKey(labelsFrom({ __name__: metric })));
    const batch = (values: number[]) => ({
      ...metricBatchOf(values.map((value) => ({ labels: {}, samples: [[T, value]] }))),
      series: keys,
    });
    await store.append(DEFAULT_TENANT, batch([1, 2, 3]), 1);
    (keys[0] as SeriesKey).ref = 1_000_000;
    (keys[1] as SeriesKey).ref = 1;
    const [a, b, c] = keys as [SeriesKey, SeriesKey, SeriesKey];
    const swapped = { ...batch([10, 20, 30]), series: [c, b, a], timesMs: Float64Array.of(T + 1, T + 1, T + 1) };
    await store.append(OTHER_TENANT, swapped, 2);
    await store.append(DEFAULT_TENANT, swapped, 3);
    const of = (metric: string): Matcher[] => [{ name: "__name__", op: "=", value: metric }];
    expect(await onlySamples(store, { matchers: of("a") })).toEqual([
      [T, 1],
      [T + 1, 30],
    ]);
    expect(await onlySamples(store, { matchers: of("c") })).toEqual([
      [T, 3],
      [T + 1, 10],
    ]);
    expect(await onlySamples(store, { tenant: OTHER_TENANT, matchers: of("a") })).toEqual([[T + 1, 30]]);
  });

  test("keeps tenants apart", async () => {
    const { store } = given();
    await store.append(DEFAULT_TENANT, metricBatchOf([{ labels: { a: "1" }, samples: [[T, 1]] }]), 1);
    await store.append(OTHER_TENANT, metricBatchOf([{ labels: { a: "1" }, samples: [[T, 2]] }]), 2);
    await store.flush();
    expect(await onlySamples(store)).toEqual([[T, 1]]);
    expect(await onlySamples(store, { tenant: OTHER_TENANT })).toEqual([[T, 2]]);
    expect(await onlySamples(store, { tenant: tenantId("nobody") })).toEqual([]);
  });

  test("keeps the first of several values at one time, and says so when they differ", async () => {
    const { store } = given();
    const write = (value: number, position: number) =>
      store.append(DEFAULT_TENANT, metricBatchOf([{ labels: { __name__: "a" }, samples: [[T, value]] }]), position);
    await write(1, 1);
    expect(await write(1, 2)).toEqual({ accepted: 1, rejected: [] });
    const refused = await write(2, 3);
    expect(refused).toMatchObject({ accepted: 0, rejected: [{ reason: "duplicate", count: 1 }] });
    expect(refused.rejected[0]?.message).toContain("a");
    expect(await onlySamples(store)).toEqual([[T, 1]]);
  });

  test("merges data older than what is flushed, where the first of one time still wins", async () => {
    const { store } = given();
    const row = (...samples: [number, number][]) => metricBatchOf([{ labels: { a: "1" }, samples }]);
    const day = 24 * 60 * MINUTE;
    await store.append(DEFAULT_TENANT, row([T, 1], [T + 10, 2]), 1);
    await store.flush();
    await store.append(DEFAULT_TENANT, row([T + 5, 3], [T - 2 * day, 4], [T, 99], [T - 5, 5]), 2);
    const want = [
      [T - 2 * day, 4],
      [T - 5, 5],
      [T, 1],
      [T + 5, 3],
      [T + 10, 2],
    ];
    expect(await onlySamples(store)).toEqual(want);
    await store.flush();
    expect(await onlySamples(store)).toEqual(want);
  });

  test("keeps every double bit by bit, the staleness marker too", async () => {
    const { store } = given();
    const values = [
      0,
      -0,
      STALE,
      Number.NaN,
      Infinity,
      -Infinity,
      5e-324,
      0.1 + 0.2,
      2 ** 53,
      -1e308,
      1e15 + 0.5,
    ] as const;
    const samples = values.map((value, i) => [T + i, value] as const);
    const batch = metricBatchOf([{ labels: { a: "1" }, samples }]);
    const bits = Array.from(new BigUint64Array(batch.values.buffer));
    await store.append(DEFAULT_TENANT, batch, 1);
    for (const state of ["unflushed", "flushed"]) {
      const [slice] = (await selectAll(store)).values();
      expect(slice && Array.from(BigUint64Array.from(new BigUint64Array(slice.values.slice().buffer))), state).toEqual(
        bits,
      );
      await store.flush();
    }
  });

  test("refuses the year 2100, naming the setting, and keeps the rest of the request", async () => {
    const { store } = given();
    const samples = [
      [T, 1],
      [Date.UTC(2100, 0), 2],
      [T + 1, 3],
    ] as const;
    const result = await store.append(DEFAULT_TENANT, metricBatchOf([{ labels: { a: "1" }, samples }]), 1);
    expect(result).toMatchObject({ accepted: 2, rejected: [{ reason: "too_new", count: 1 }] });
    expect(await onlySamples(store)).toEqual([
      [T, 1],
      [T + 1, 3],
    ]);
  });

  test("stops when asked to, throwing the reason", async () => {
    const { store } = given();
    const rows = Array.from({ length: 200 }, (_, i) => ({ labels: { i: `${i}` }, samples: [[T, i]] as const }));
    await store.append(DEFAULT_TENANT, metricBatchOf(rows), 1);
    const controller = new AbortController();
    controller.abort(new Error("enough"));
    const select = async () => {
      for await (const _ of store.select(requestOf({}), controller.signal));
    };
    await expect(select()).rejects.toThrow("enough");
    await expect(store.series(requestOf({}), controller.signal)).rejects.toThrow("enough");
  });
}

function describeLabels(given: Given): void {
  const rows = [
    { __name__: "a", job: "x" },
    { __name__: "a", job: "y", zone: "1" },
    { __name__: "b", job: "y", zone: "2" },
    { __name__: "b", "dotted.näme": 'q"\n' },
  ];
  const fill = async ({ store }: ReturnType<Given>, flushed: boolean) => {
    const written = rows.map((labels, i) => ({ labels, samples: [[T + i, i]] as const }));
    await store.append(DEFAULT_TENANT, metricBatchOf(written), 1);
    if (flushed) await store.flush();
  };
  const cases: [matchers: Matcher[], want: number[]][] = [
    [[], [0, 1, 2, 3]],
    [[{ name: "__name__", op: "=", value: "a" }], [0, 1]],
    [[{ name: "__name__", op: "!=", value: "a" }], [2, 3]],
    [[{ name: "job", op: "=", value: "" }], [3]],
    [[{ name: "zone", op: "!=", value: "" }], [1, 2]],
    [[{ name: "zone", op: "!=", value: "1" }], [0, 2, 3]],
    [[{ name: "job", op: "=~", value: "x|y" }], [0, 1, 2]],
    [[{ name: "job", op: "=~", value: "x|" }], [0, 3]],
    [[{ name: "zone", op: "=~", value: ".*" }], [0, 1, 2, 3]],
    [[{ name: "zone", op: "=~", value: ".+" }], [1, 2]],
    [[{ name: "zone", op: "=~", value: "1?" }], [0, 1, 3]],
    [[{ name: "zone", op: "!~", value: "[12]" }], [0, 3]],
    [[{ name: "zone", op: "!~", value: "" }], [1, 2]],
    [[{ name: "absent", op: "!~", value: "x.*" }], [0, 1, 2, 3]],
    [[{ name: "dotted.näme", op: "=", value: 'q"\n' }], [3]],
    [
      [
        { name: "__name__", op: "=", value: "b" },
        { name: "zone", op: "!=", value: "2" },
      ],
      [3],
    ],
    [
      [
        { name: "__name__", op: "=", value: "a" },
        { name: "__name__", op: "=", value: "b" },
      ],
      [],
    ],
  ];

  describe.each([
    ["unflushed", false],
    ["flushed", true],
  ] as const)("with %s data", (_, flushed) => {
    test("applies every kind of matcher; a missing label has the empty value", async () => {
      await fill(given(), flushed);
      for (const [matchers, want] of cases) {
        const found = await selectAll(given().store, { matchers });
        const keys = want.map((i) => labelsKey(labelsFrom(rows[i] as Record<string, string>)));
        expect([...found.keys()].sort(), JSON.stringify(matchers)).toEqual(keys.sort());
        const series = await given().store.series(requestOf({ matchers }), on);
        expect(series.map(labelsKey).sort(), JSON.stringify(matchers)).toEqual(keys.sort());
      }
    });

    test("lists names and values, sorted, of the matching series only", async () => {
      await fill(given(), flushed);
      const { store } = given();
      const matchers: Matcher[] = [{ name: "job", op: "=~", value: "y" }];
      expect(await store.labelNames(requestOf({}), on)).toEqual(["__name__", "dotted.näme", "job", "zone"]);
      expect(await store.labelNames(requestOf({ matchers }), on)).toEqual(["__name__", "job", "zone"]);
      expect(await store.labelValues("__name__", requestOf({ matchers }), on)).toEqual(["a", "b"]);
      expect(await store.labelValues("zone", requestOf({}), on)).toEqual(["1", "2"]);
      expect(await store.labelValues("absent", requestOf({}), on)).toEqual([]);
      expect(await store.labelNames({ ...requestOf({}), limit: 2 }, on)).toEqual(["__name__", "dotted.näme"]);
      expect(await store.labelValues("zone", { ...requestOf({}), limit: 1 }, on)).toEqual(["1"]);
      expect(await store.series({ ...requestOf({}), limit: 3 }, on)).toHaveLength(3);
    });
  });

  test("refuses a regular expression that is none", async () => {
    await fill(given(), false);
    const matchers: Matcher[] = [{ name: "job", op: "=~", value: "(" }];
    await expect(selectAll(given().store, { matchers })).rejects.toThrow("invalid regular expression");
  });
}

function describeOtherData(given: Given): void {
  test("gives native histograms, stale ones and start times back as they were", async () => {
    const { store } = given();
    const rows = [
      {
        labels: { h: "1" },
        samples: [
          [T, sampleHistogram(1), T - 9],
          [T + 1, sampleHistogram(2)],
          [T + 2, STALE_HISTOGRAM],
        ],
      },
      {
        labels: { c: "1" },
        info: COUNTER,
        samples: [
          [T, 1, T - 5],
          [T + 1, 2, T - 5],
          [T + 2, 1, T + 1],
          [T + 3, 4],
        ],
      },
      { labels: { g: "1" }, samples: [[T, 1]] },
    ] as const;
    await store.append(DEFAULT_TENANT, metricBatchOf(rows), 1);
    const before = [...(await selectAll(store)).values()].map(plainSlice);
    const counter = before.find(({ labels }) => labels[0]?.[0] === "c");
    expect(counter?.info).toEqual(COUNTER);
    expect(counter?.samples.map(([timeMs, , startMs]) => [timeMs, startMs])).toEqual([
      [T, T - 5],
      [T + 1, T - 5],
      [T + 2, T + 1],
      [T + 3, 0],
    ]);
    await store.flush();
    const slices = await selectAll(store);
    expect(new Set([...slices.values()].map(plainSlice))).toEqual(new Set(before));
    const histograms = slices.get(labelsKey([["h", "1"]]))?.histograms;
    expect(histograms?.values[2]).toBe(STALE_HISTOGRAM);
    expect(histograms?.values[1]).toEqual(sampleHistogram(2));
    expect(histograms?.startsMs).toEqual(Float64Array.of(T - 9, 0, 0));
    expect(slices.get(labelsKey([["g", "1"]]))?.startsMs).toBeUndefined();
  });

  test("the newest info of a series wins", async () => {
    const { store } = given();
    const write = (info: SeriesInfo, position: number) =>
      store.append(
        DEFAULT_TENANT,
        metricBatchOf([{ labels: { a: "1" }, info, samples: [[T + position, 1]] }]),
        position,
      );
    await write(COUNTER, 1);
    await store.flush();
    await write(GAUGE, 2);
    const [slice] = (await selectAll(store)).values();
    expect(slice?.info).toEqual(GAUGE);
  });

  test("keeps exemplars of matching series, ascending and each once, through a restart", async () => {
    const { store, fixture } = given();
    const exemplar = (timeMs: number) => ({ timeMs, value: 0.5, labels: labelsFrom({ trace_id: `t${timeMs}` }) });
    const batch = metricBatchOf([
      { labels: { a: "1" }, samples: [[T, 1]], exemplars: [exemplar(T + 2), exemplar(T), exemplar(T)] },
      { labels: { a: "2" }, samples: [[T, 1]], exemplars: [exemplar(T + 1)] },
    ]);
    await store.append(DEFAULT_TENANT, batch, 1);
    const request = requestOf({ matchers: [{ name: "a", op: "=", value: "1" }] });
    const want = [{ labels: [["a", "1"]], exemplars: [exemplar(T), exemplar(T + 2)] }];
    expect(await store.exemplars(request, on)).toEqual(want);
    await store.flush();
    const reopened = await fixture.reopen();
    expect(await reopened.exemplars(request, on)).toEqual(want);
    expect(await reopened.exemplars({ ...request, range: { startMs: T + 3, endMs: T + 9 } }, on)).toEqual([]);
  });

  test("keeps the newest metadata per metric, through a restart", async () => {
    const { store, fixture } = given();
    const metadata = (metric: string, help: string) => ({ metric, type: "counter", unit: "s", help }) as const;
    await store.append(DEFAULT_TENANT, metricBatchOf([], { metadata: [metadata("a", "old"), metadata("b", "b")] }), 1);
    await store.append(DEFAULT_TENANT, metricBatchOf([], { metadata: [metadata("a", "new")] }), 2);
    expect(await store.metadata(DEFAULT_TENANT, "a")).toEqual([metadata("a", "new")]);
    await store.flush();
    const reopened = await fixture.reopen();
    expect(new Set(await reopened.metadata(DEFAULT_TENANT))).toEqual(
      new Set([metadata("a", "new"), metadata("b", "b")]),
    );
    expect(await reopened.metadata(OTHER_TENANT)).toEqual([]);
  });
}

function describeRestart(given: Given): void {
  const batch = (i: number) => metricBatchOf([{ labels: { a: "1" }, samples: [[T + i, i]] }]);

  test("what is flushed survives, and a replay doubles nothing and loses nothing", async () => {
    const { store, fixture } = given();
    expect(store.firstUnflushedPosition()).toBeUndefined();
    await store.append(DEFAULT_TENANT, batch(1), 11);
    await store.append(DEFAULT_TENANT, batch(2), 12);
    expect(store.firstUnflushedPosition()).toBe(11);
    await store.flush();
    expect(store.firstUnflushedPosition() ?? 13).toBeGreaterThan(12);
    await store.append(DEFAULT_TENANT, batch(3), 13);
    await store.append(OTHER_TENANT, batch(4), 14);
    expect(store.firstUnflushedPosition()).toBe(13);

    const reopened = await fixture.reopen();
    expect(await onlySamples(reopened)).toEqual([
      [T + 1, 1],
      [T + 2, 2],
    ]);
    // Other content under a durable position is not looked at: the position says that it is known.
    expect(await reopened.append(DEFAULT_TENANT, batch(99), 11)).toEqual({ accepted: 1, rejected: [] });
    await reopened.append(DEFAULT_TENANT, batch(2), 12);
    await reopened.append(DEFAULT_TENANT, batch(3), 13);
    await reopened.append(OTHER_TENANT, batch(4), 14);
    expect(await onlySamples(reopened)).toEqual([1, 2, 3].map((i) => [T + i, i]));
    expect(await onlySamples(reopened, { tenant: OTHER_TENANT })).toEqual([[T + 4, 4]]);
  });

  test("stop flushes, and is safe to call again", async () => {
    const { store, fixture } = given();
    await store.append(DEFAULT_TENANT, batch(1), 1);
    await store.stop();
    await store.stop();
    expect(await onlySamples(await fixture.reopen())).toEqual([[T + 1, 1]]);
  });
}
