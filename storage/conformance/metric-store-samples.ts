import { compareLabels, labelsFrom } from "@sightline/model/labels.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import { SeriesKey } from "@sightline/model/metric-batch.ts";
import { DEFAULT_TENANT, tenantId } from "@sightline/model/tenant.ts";
import { expect, test } from "vitest";
import { metricBatchOf, STALE } from "./metric-batch-of.ts";
import { onlySamples, requestOf, selectAll } from "./metric-rows.ts";
import { type Given, MINUTE, OTHER_TENANT, T } from "./metric-store-fixture.ts";

export function describeSamples(given: Given): void {
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

  test("gives series in the order of their labels when asked to, wherever they are kept", async () => {
    const { store } = given();
    const rows = (numbers: readonly number[]) =>
      metricBatchOf(numbers.map((i) => ({ labels: { a: i % 3 ? "x" : "", i: `${i}` }, samples: [[T + i, i]] })));
    const odd = Array.from({ length: 300 }, (_, i) => ((i * 7) % 600) | 1);
    const all = Array.from({ length: 600 }, (_, i) => (i * 7) % 600);
    const steps = [() => store.append(DEFAULT_TENANT, rows(odd), 1), () => store.flush()];
    steps.push(() => store.append(DEFAULT_TENANT, rows(all.slice(0, 400)), 2));
    steps.push(() => store.append(DEFAULT_TENANT, rows(all), 3));
    for (const step of steps) {
      await step();
      const labels = [...(await selectAll(store, { sorted: true })).values()].map((slice) => slice.labels);
      expect(labels).toEqual([...labels].sort(compareLabels));
    }
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
