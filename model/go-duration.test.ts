import { expect, test } from "vitest";
import { formatGoDuration, formatPrometheusDuration, parseGoDuration, parsePrometheusDuration } from "./go-duration.ts";

test.each([
  ["1h30m", { ns: 5_400e9 }],
  ["-1.5s", { ns: -1.5e9 }],
  [".5ms", { ns: 5e5 }],
  ["3µs", { ns: 3_000 }],
  ["0", { ns: 0 }],
  ["12345678901234567890", { error: 'time: invalid duration "12345678901234567890"' }],
  ["12345678901234567890x", { error: 'time: invalid duration "12345678901234567890x"' }],
  ["5", { error: 'time: missing unit in duration "5"' }],
  ["5d", { error: 'time: unknown unit "d" in duration "5d"' }],
  ["", { error: 'time: invalid duration ""' }],
  ["x", { error: 'time: invalid duration "x"' }],
  ['é"', { error: 'time: invalid duration "\\xc3\\xa9\\""' }],
])("Go reads %j as %j", (text, want) => expect(parseGoDuration(text)).toEqual(want));

test.each([
  ["1w2d", { ns: 777_600e9 }],
  ["5m30s", { ns: 330e9 }],
  ["30s5m", { error: 'not a valid duration string: "30s5m"' }],
  ["5x", { error: 'unknown unit "x" in duration "5x"' }],
  ["", { error: "empty duration string" }],
  ["400000y", { error: "duration out of range" }],
])("Prometheus reads %j as %j", (text, want) => expect(parsePrometheusDuration(text)).toEqual(want));

test.each([
  [0, "0s", "0s"],
  [1.5e9, "1.5s", "1s500ms"],
  [5_400e9, "1h30m0s", "1h30m"],
  [2.5e5, "250µs", "0s"],
  [86_400e9, "24h0m0s", "1d"],
])("%d ns are %s for Go and %s for Prometheus", (ns, go, prometheus) => {
  expect([formatGoDuration(ns), formatPrometheusDuration(ns)]).toEqual([go, prometheus]);
});
