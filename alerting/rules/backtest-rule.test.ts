import { expect, test } from "vitest";
import { backtestRule } from "./backtest-rule.ts";
import { parseRuleFile } from "./parse-rule-file.ts";
import { MINUTE, RulesTestBed, START } from "./rules-test-bed.ts";

const bed = new RulesTestBed();
const [group] = parseRuleFile(
  "groups: [{name: g, rules: [{alert: A, expr: a, for: 2m, annotations: {v: '{{ $value }}'}}]}]",
  { check: (expression) => bed.check(expression) },
);

test("a rule fires after its time, ends with its data, and may fire to the end", async () => {
  const timesMs = [0, 1, 2, 3, 4, 8, 9, 10].map((minutes) => START + minutes * MINUTE);
  const series = [{ labels: [["job", "x"]] as const, timesMs, values: timesMs.map((_, i) => i) }];
  const range = { startMs: START, endMs: START + 10 * MINUTE, stepMs: MINUTE };
  const rule = group?.rules[0];
  if (!rule) throw new Error("no rule");
  expect(await backtestRule(rule, series, range)).toEqual([
    {
      labels: { alertname: "A", job: "x" },
      annotations: { v: "2" },
      startMs: START + 2 * MINUTE,
      endMs: START + 5 * MINUTE,
    },
    { labels: { alertname: "A", job: "x" }, annotations: { v: "7" }, startMs: START + 10 * MINUTE, endMs: undefined },
  ]);
});
