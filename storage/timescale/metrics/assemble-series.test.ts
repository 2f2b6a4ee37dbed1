import fc from "fast-check";
import { expect, test } from "vitest";
import { assembleSeries, SampleArena } from "./assemble-series.ts";
import { decodePage, encodePage } from "./page-codec.ts";
import { SampleCollector } from "./sample-collector.ts";

type Run = { readonly times: readonly number[]; readonly value: number; readonly start: number };

/** Two series: each has pages, and runs of rows that were written after them, in the order of the list. */
const run = fc.record({
  times: fc
    .uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 })
    .map((all) => all.sort((a, b) => a - b)),
  value: fc.integer({ min: 0, max: 100 }),
  start: fc.constantFrom(0, 0, 5),
});
const series = fc.record({ rows: fc.array(run, { maxLength: 3 }), pages: fc.array(run, { maxLength: 2 }) });
const columns = ({ times, value, start }: Run) => ({
  timesMs: Float64Array.from(times),
  values: Float64Array.from(times, (time) => value + time / 8),
  startsMs: start > 0 ? new Float64Array(times.length).fill(start) : undefined,
});

/** Time, value and start of what must be there. */
function wantedOf(runs: readonly Run[], from: number, to: number): [number, number, number][] {
  const want = new Map<number, [number, number, number]>();
  for (const { times, value, start } of runs) {
    for (const time of times) {
      if (time >= from && time <= to && !want.has(time)) want.set(time, [time, value + time / 8, start]);
    }
  }
  return [...want.values()].sort(([a], [b]) => a - b);
}

test("of several samples at one time the first written counts, and pages were written before rows", () => {
  fc.assert(
    fc.property(
      fc.tuple(series, series),
      fc.integer({ min: 0, max: 15 }),
      fc.integer({ min: 10, max: 31 }),
      (both, from, to) => {
        const collector = new SampleCollector(2, 4);
        for (const [n, { rows }] of both.entries()) for (const one of rows) collector.addRun(n, columns(one));
        for (const [n, { pages }] of both.entries()) {
          for (const one of pages)
            decodePage(encodePage([{ id: BigInt(n), ...columns(one) }]), collector, (_, rest) => rest);
        }
        const arena = new SampleArena(collector);
        for (const [n, { rows, pages }] of both.entries()) {
          const sorted = wantedOf([...pages, ...rows], from, to);
          const got = assembleSeries(collector, n, { startMs: from, endMs: to }, arena);
          expect([...got.timesMs]).toEqual(sorted.map(([time]) => time));
          expect([...got.values]).toEqual(sorted.map(([, value]) => value));
          const starts = sorted.map(([, , start]) => start);
          expect(got.startsMs && [...got.startsMs]).toEqual(starts.some((start) => start > 0) ? starts : undefined);
        }
      },
    ),
  );
});
