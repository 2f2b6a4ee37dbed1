import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ReferenceMetricStore } from "@sightline/storage-conformance/reference-metric-store.ts";
import { expect, test } from "vitest";
import { formatReport } from "./report.ts";
import { runScript, runScripts } from "./runner.ts";

const TESTDATA = join(import.meta.dirname, "../testdata");
const makeStore = async () => ({ store: new ReferenceMetricStore(), dispose: async () => {} });

test.each(readdirSync(TESTDATA).filter((name) => name.endsWith(".test")))("%s passes", async (name) => {
  const reports = await runScripts([join(TESTDATA, name)], makeStore);
  expect(reports.flatMap(({ failures }) => failures)).toEqual([]);
  expect(reports[0]?.passed).toBeGreaterThan(0);
});

test.each([
  ["a wrong value", "eval instant at 0 x\n  x 2", "wanted 2 for x, got 1"],
  ["a missing series", 'eval instant at 0 x\n  x 1\n  x{a="b"} 1', 'wanted x{a="b"} 1, got nothing'],
  ["a series too many", "eval instant at 0 x", "did not want x, got 1"],
  ["a missing error", "eval instant at 0 x\n  expect fail", "wanted an error"],
  ["another error", 'eval instant at 0 x + on() {i="1"}\n  expect fail msg: nope', "wanted error nope, got"],
  ["an error", 'eval instant at 0 x + on() {i="1"}', "wanted a result, got error"],
  ["a missing warning", "eval instant at 0 x\n  expect warn\n  x 1", "wanted warning anything, got none"],
  ["an info too many", "eval instant at 2m rate(x[2m])\n  expect no_info\n  {} 0", "wanted no infos, got PromQL info"],
  [
    "a wrong order",
    'eval instant at 0 sort(x or on (i) y)\n  expect ordered\n  y{i="1"} 2\n  x 1',
    "wanted x at position 2",
  ],
  ["a wrong point of a range", "eval range from 0 to 2m step 1m x\n  x 1 1 2", "wanted 2 at 120000 ms for x"],
  ["a point too many of a range", "eval range from 0 to 2m step 1m x\n  x 1 1", "wanted 2 points for x"],
])("the runner notices %s", async (_, evaluation, want) => {
  const script = `load 1m\n  x 1x10\n  y{i="1"} 2x10\n  z{i="1"} 3x10\n\n${evaluation}\n`;
  const { passed, failures } = await runScript("f.test", script, makeStore);
  expect(passed).toBe(0);
  expect(failures).toMatchObject([{ file: "f.test", line: 6 }]);
  expect(failures[0]?.problem).toContain(want);
});

test("a script that can't be read is a failure with its line", async () => {
  const { failures } = await runScript("f.test", "load 1m\n  x{ 1\n", makeStore);
  expect(failures[0]?.problem).toContain("line 2");
});

test("a missing file is a failure, not a crash", async () => {
  const reports = await runScripts(["/nowhere.test"], makeStore);
  expect(formatReport(reports)).toMatch(/\/nowhere\.test:0: \n {4}can't be read: ENOENT[\s\S]*\n0 passed, 1 failed\n$/);
});

test("the report ends with the totals", () => {
  const failure = { file: "a.test", line: 3, query: "x", problem: "wanted 1, got 2" };
  const text = formatReport([
    { file: "a.test", passed: 2, failures: [failure] },
    { file: "b.test", passed: 1, failures: [] },
  ]);
  expect(text.split("\n")).toEqual([
    "a.test:3: x",
    "    wanted 1, got 2",
    "a.test: 2 passed, 1 failed",
    "b.test: 1 passed, 0 failed",
    "3 passed, 1 failed",
    "",
  ]);
});
