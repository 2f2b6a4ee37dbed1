import { metricBatchOf } from "@sightline/storage-conformance/metric-batch-of.ts";
import { expect, test } from "vitest";
import { ChangeLog } from "./change-log.ts";

const MINUTE = 60_000;
const ALL = { startMs: 0, endMs: 100 * MINUTE };
const batch = (...times: number[]) =>
  metricBatchOf([{ labels: { __name__: "m" }, samples: times.map((time) => [time, 1] as const) }]);

test("only what was changed since then counts, by the minute", () => {
  const log = new ChangeLog();
  log.appended(batch(5 * MINUTE, 5 * MINUTE + 1));
  const version = log.version;
  expect(log.since(version, ALL)).toEqual([]);
  log.appended(batch(7 * MINUTE + 30, 8 * MINUTE, 20 * MINUTE));
  expect(log.since(version, ALL)).toEqual([
    { startMs: 7 * MINUTE, endMs: 9 * MINUTE - 1 },
    { startMs: 20 * MINUTE, endMs: 21 * MINUTE - 1 },
  ]);
  expect(log.since(0, { startMs: 5 * MINUTE + 10, endMs: 7 * MINUTE + 10 })).toEqual([
    { startMs: 5 * MINUTE + 10, endMs: 6 * MINUTE - 1 },
    { startMs: 7 * MINUTE, endMs: 7 * MINUTE + 10 },
  ]);
  expect(log.since(log.version, ALL)).toEqual([]);
});

test("few changes are found in an endless range", () => {
  const log = new ChangeLog();
  log.appended(batch(7 * MINUTE, 3 * MINUTE));
  expect(log.since(0, { startMs: Number.MIN_SAFE_INTEGER, endMs: Number.MAX_SAFE_INTEGER })).toEqual([
    { startMs: 3 * MINUTE, endMs: 4 * MINUTE - 1 },
    { startMs: 7 * MINUTE, endMs: 8 * MINUTE - 1 },
  ]);
});

test("a range and everything can change", () => {
  const log = new ChangeLog();
  log.rangeChanged({ startMs: MINUTE + 5, endMs: 2 * MINUTE + 5 });
  expect(log.since(0, ALL)).toEqual([{ startMs: MINUTE, endMs: 3 * MINUTE - 1 }]);
  const version = log.version;
  log.everythingChanged();
  expect(log.since(version, ALL)).toEqual([ALL]);
  expect(log.since(log.version, ALL)).toEqual([]);
});

test("what it remembers is bounded: beyond that everything has changed", () => {
  const log = new ChangeLog();
  for (let minute = 0; minute < 50_000; minute++) log.appended(batch(minute * MINUTE));
  expect(log.since(1, ALL)).toEqual([ALL]);
  const version = log.version;
  log.appended(batch(5 * MINUTE));
  expect(log.since(version, ALL)).toHaveLength(1);
});
