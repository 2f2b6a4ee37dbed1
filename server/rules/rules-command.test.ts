import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseRuleFile } from "@sightline/alerting/rules/parse-rule-file.ts";
import { afterAll, expect, test } from "vitest";
import { checkExpression } from "../alerting/check-expression.ts";
import { lintGroups } from "./lint-rules.ts";
import { runRuleTests } from "./run-rule-tests.ts";

const dir = mkdtempSync(join(tmpdir(), "sightline-rules-command-"));
afterAll(() => rmSync(dir, { recursive: true }));
const check = (expression: { text: string; language: "promql" | "logql" }) => checkExpression(expression, 10_000);
const file = (name: string, text: string) => {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
};

file(
  "rules.yml",
  `groups:
- name: second
  rules:
  - alert: Slow
    expr: job:busy:avg > 0.8
    for: 2m
    labels: {severity: page}
    annotations: {summary: '{{ $labels.job }} is at {{ $value | humanizePercentage }}'}
- name: first
  labels: {team: t}
  rules:
  - record: job:busy:avg
    expr: avg by (job) (busy)
`,
);
const SERIES = `
  interval: 1m
  input_series:
  - {series: 'busy{job="a",i="1"}', values: '0.8+0.01x10'}
  - {series: 'busy{job="a",i="2"}', values: '1x10'}`;

async function run(tests: string, more = ""): Promise<readonly string[]> {
  const text = `rule_files: [rules.yml]\ngroup_eval_order: [first, second]\n${more}\ntests:\n- name: n${SERIES}\n${tests}`;
  return runRuleTests(file("test.yml", text), { warn: (message) => expect.fail(message) });
}

const FIRING = `
  alert_rule_test:
  - eval_time: 2m
    alertname: Slow
    exp_alerts:
    - exp_labels: {severity: page, job: a, team: t}
      exp_annotations: {summary: a is at 91%}
  - {eval_time: 1m, alertname: Slow}
  promql_expr_test:
  - {expr: 'job:busy:avg', eval_time: 1m, exp_samples: [{labels: 'job:busy:avg{job="a",team="t"}', value: 0.905}]}`;

test("rules that do what their test says pass", async () => {
  expect(await run(FIRING, "fuzzy_compare: true")).toEqual([]);
});

test("what is otherwise is shown beside what was said", async () => {
  const wrong = FIRING.replace("91%", "92%").replace("value: 0.905", "value: 1").replace("2m", "150s");
  expect(await run(wrong, "fuzzy_compare: true")).toEqual([
    `    name: n,
    alertname: Slow, time: 2m30s, 
        exp:[
            0:
              Labels:{alertname="Slow", job="a", severity="page", team="t"}
              Annotations:{summary="a is at 92%"}
            ], 
        got:[
            0:
              Labels:{alertname="Slow", job="a", severity="page", team="t"}
              Annotations:{summary="a is at 91%"}
            ]`,
    `    expr: "job:busy:avg", time: 1m,
        exp: {__name__="job:busy:avg", job="a", team="t"} 1E+00
        got: {__name__="job:busy:avg", job="a", team="t"} 9.05E-01`,
  ]);
});

test.each([
  [
    "  alert_rule_test: [{eval_time: 1m}]",
    "an item under alert_rule_test misses required attribute alertname at eval_time 1m (in TestGroup n)",
  ],
  [
    "  promql_expr_test: [{expr: 'x +', eval_time: 1m}]",
    '    expr: "x +", time: 1m, err: 1:4: parse error: unexpected end of input',
  ],
])("%s is said to be wrong", async (tests, want) => expect(await run(tests)).toEqual([want]));

test("what looks wrong is found", () => {
  const groups = parseRuleFile(
    `groups:
- name: g
  rules:
  - {alert: A, expr: sum by (job) (x) > 1, annotations: {a: '{{ $labels.instance }} {{ $labels.job }}'}}
  - {alert: B, expr: up}
  - {alert: B, expr: up == 0}
  - {alert: C, expr: sum by (job) (x) / on (job) group_left (a) y > 1, annotations: {a: '{{ $labels.a }}'}}`,
    { check },
  );
  expect(lintGroups(groups).map(({ rule, problem }) => `${rule}: ${problem}`)).toEqual([
    "A: a shows the label instance, which the expression does not have: add it to its `by`",
    "B: the expression has no condition: the alert is there as long as there is data",
    "B: a rule with this name and these labels comes more than once",
  ]);
});
