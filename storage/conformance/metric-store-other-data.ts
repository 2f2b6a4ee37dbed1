import { STALE_HISTOGRAM } from "@sightline/model/histogram.ts";
import { labelsFrom, labelsKey } from "@sightline/model/labels.ts";
import type { SeriesInfo } from "@sightline/model/metric-batch.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { expect, test } from "vitest";
import { sampleHistogram } from "./example-histogram.ts";
import { metricBatchOf } from "./metric-batch-of.ts";
import { NO_SIGNAL as on, plainSlice, requestOf, selectAll } from "./metric-rows.ts";
import { type Given, OTHER_TENANT, T } from "./metric-store-fixture.ts";

const COUNTER: SeriesInfo = { type: "counter", unit: "s", temporality: "cumulative", otelName: "a.b" };
const GAUGE: SeriesInfo = { type: "gauge", unit: "", temporality: "", otelName: "" };

export function describeOtherData(given: Given): void {
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
    await write({ ...GAUGE, unit: "\u0000" }, 3);
    await store.flush();
    await write(COUNTER, 4);
    await store.flush();
    const [last] = (await selectAll(store)).values();
    expect(last?.info).toEqual(COUNTER);
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
