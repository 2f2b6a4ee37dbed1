import { NO_INFO } from "@sightline/model/metric-batch.ts";
import type { SeriesSlice } from "@sightline/model/metric-store.ts";
import { expect, test } from "vitest";
import { SliceCutter } from "./cut-slice.ts";

const timesMs = Float64Array.of(1, 2, 3);
const slice: SeriesSlice = { labels: [], info: NO_INFO, timesMs, values: Float64Array.of(10, 20, 30) };

test.each([
  [0, [10, 20, 30]],
  [2, [20, 30]],
  [2.5, [30]],
])("from %d on %j are left", (fromMs, want) => {
  expect(Array.from(new SliceCutter().cut(slice, fromMs)?.values ?? [])).toEqual(want);
});

test("nothing is left of what is all before", () => {
  expect(new SliceCutter().cut(slice, 4)).toBeUndefined();
});

test("series that share times do so afterwards", () => {
  const cutter = new SliceCutter();
  const other = { ...slice, values: Float64Array.of(1, 2, 3), startsMs: Float64Array.of(0, 1, 1) };
  const [first, second] = [cutter.cut(slice, 2), cutter.cut(other, 2)];
  expect(second?.timesMs).toBe(first?.timesMs);
  expect(Array.from(second?.startsMs ?? [])).toEqual([1, 1]);
});
