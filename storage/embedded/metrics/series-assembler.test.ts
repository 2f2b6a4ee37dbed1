import { expect, test } from "vitest";
import { SeriesAssembler } from "./series-assembler.ts";

function add(assembler: SeriesAssembler, timesMs: Float64Array, values: readonly number[]): void {
  const at = assembler.reserve(values.length);
  assembler.values.set(values, at);
  assembler.add(timesMs, 0, values.length, 0);
}

function assemble(assembler: SeriesAssembler, ...fragments: [timesMs: Float64Array, values: readonly number[]][]) {
  assembler.begin();
  for (const [timesMs, values] of fragments) add(assembler, timesMs, values);
  const series = assembler.finish();
  return { times: [...(series?.timesMs ?? [])], values: [...(series?.values ?? [])], timesMs: series?.timesMs };
}

const times = (...all: number[]) => Float64Array.from(all);

test.each([
  ["one after the other", [times(1, 2), [1, 2]], [times(3), [3]], [1, 2, 3], [1, 2, 3]],
  ["interleaved", [times(1, 3), [1, 3]], [times(2, 4), [2, 4]], [1, 2, 3, 4], [1, 2, 3, 4]],
  ["the same time twice: the first counts", [times(1, 2), [1, 2]], [times(2, 3), [9, 3]], [1, 2, 3], [1, 2, 3]],
  ["the later ones first", [times(5), [5]], [times(1), [1]], [1, 5], [1, 5]],
] as const)("puts fragments together: %s", (_, a, b, wantTimes, wantValues) => {
  const { times, values } = assemble(new SeriesAssembler(), [...a], [...b]);
  expect([times, values]).toEqual([wantTimes, wantValues]);
});

test("series with the same times share one array of them", () => {
  const assembler = new SeriesAssembler();
  const [a, b] = [times(1, 2), times(3, 4)];
  const first = assemble(assembler, [a, [1, 2]], [b, [3, 4]]);
  const second = assemble(assembler, [a, [5, 6]], [b, [7, 8]]);
  expect(second.timesMs).toBe(first.timesMs);
  expect(second.values).toEqual([5, 6, 7, 8]);
  expect(first.values).toEqual([1, 2, 3, 4]);
});

test("results stay as they were when a later series needs a new slab", () => {
  const assembler = new SeriesAssembler();
  const long = Array.from({ length: 20_000 }, (_, i) => i);
  const first = assemble(assembler, [Float64Array.from(long), long]);
  const half = Float64Array.from(long, (time) => time + 20_000);
  const second = assemble(assembler, [Float64Array.from(long), long], [half, long]);
  expect(first.values).toEqual(long);
  expect(second.values).toEqual([...long, ...long]);
});
