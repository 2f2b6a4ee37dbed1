import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { generateSloRules } from "./generate-slo-rules.ts";
import { runRuleTests } from "./run-rule-tests.ts";

const dir = mkdtempSync(join(tmpdir(), "sightline-slo-"));
afterAll(() => rmSync(dir, { recursive: true }));

type Parts = { ratio?: string; threshold?: string; method?: string; objective?: string; more?: string };

function definition({
  ratio,
  threshold,
  method = "Occurrences",
  objective = "target: 0.999",
  more = "",
}: Parts): string {
  const indicator = threshold ? `thresholdMetric: {${threshold}}` : `ratioMetric: {${ratio}}`;
  return `apiVersion: openslo/v1
kind: SLO
metadata: {name: orders, labels: {team: shop}, annotations: {runbook: 'https://x/orders'}}
spec:
  service: checkout
  indicator: {spec: {${indicator}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: ${method}
  objectives: [{${objective}}]
${more}`;
}

const source = (query: string, type = "Prometheus") => `{metricSource: {type: ${type}, spec: {query: '${query}'}}}`;
const BAD = `counter: true, bad: ${source('sum(http_requests_total{code=~"5.."})')}, total: ${source("sum(http_requests_total)")}`;
const GOOD = `counter: true, good: ${source('sum(rate(http_requests_total{code!~"5.."}[{{.window}}]))')}, total: ${source("sum(http_requests_total)")}`;

/** What promtool's test finds wrong with the rules that are made of a definition. */
async function verdict(text: string, tests: string, every = "1m"): Promise<readonly string[]> {
  const rules = join(dir, "rules.yml");
  writeFileSync(
    rules,
    generateSloRules(text, () => {}),
  );
  writeFileSync(
    join(dir, "test.yml"),
    `rule_files: [rules.yml]\nevaluation_interval: ${every}\nfuzzy_compare: true\ntests:\n${tests}`,
  );
  return runRuleTests(join(dir, "test.yml"), { warn: (message) => expect.fail(message) });
}

/** A hundred requests a minute: two hours without failures, an hour in which a tenth fails, an hour without. */
const REQUESTS = `
- interval: 1m
  input_series:
  - {series: 'http_requests_total{code="200"}', values: '0+100x119 11990+90x59 17400+100x60'}
  - {series: 'http_requests_total{code="500"}', values: '0+0x119 10+10x59 600+0x60'}
`;
const LABELS = "slo: orders, service: checkout, team: shop";
const SERIES = 'slo="orders",service="checkout",team="shop"';

/** Of one severity, with what it says of the last five minutes. */
function alert(severity: string, failed: string): string {
  return `{exp_labels: {severity: ${severity}, ${LABELS}}, exp_annotations: {
    summary: 'checkout: orders uses up its error budget too fast', runbook: 'https://x/orders',
    description: '${failed} failed lately; promised is 99.9% in 30d.'}}`;
}

describe("the rules of an objective", () => {
  test.each([
    ["the bad ones of all", BAD],
    ["the good ones of all, with the window where it is to be", GOOD],
  ])("page while the budget burns fast, and not for long after: %s", async (_, ratio) => {
    const tests = `${REQUESTS}
  alert_rule_test:
  - {eval_time: 115m, alertname: ErrorBudgetBurns, exp_alerts: []}
  - {eval_time: 175m, alertname: ErrorBudgetBurns, exp_alerts: [${alert("page", "10%")}, ${alert("ticket", "4.668%")}]}
  - {eval_time: 235m, alertname: ErrorBudgetBurns, exp_alerts: [${alert("ticket", "5.002%")}]}
  promql_expr_test:
  - {expr: 'round(slo:burn_rate:ratio, 0.001)', eval_time: 175m, exp_samples: [{labels: '{${SERIES}}', value: 100}]}
  - {expr: 'round(slo:errors:ratio_rate30m, 0.001)', eval_time: 235m, exp_samples: [{labels: '{${SERIES}}', value: 0}]}
  - {expr: 'slo:error_budget_left:ratio < bool 0', eval_time: 175m, exp_samples: [{labels: '{${SERIES}}', value: 1}]}
  - {expr: 'slo:objective:ratio', eval_time: 175m, exp_samples: [{labels: 'slo:objective:ratio{${SERIES}}', value: 0.999}]}
`;
    expect(await verdict(definition({ ratio }), tests, "5m")).toEqual([]);
  });

  test("page when nothing succeeds any more, and say nothing where nothing happens", async () => {
    const ratio = `counter: true, good: ${source("sum(ok_total)")}, total: ${source("sum(all_total)")}`;
    const tests = `
- interval: 1m
  input_series: [{series: all_total, values: '0+60x60 3600x100'}]
  promql_expr_test:
  - {expr: 'slo:errors:ratio_rate5m', eval_time: 60m, exp_samples: [{labels: 'slo:errors:ratio_rate5m{${SERIES}}', value: 1}]}
  - {expr: 'slo:errors:ratio_rate5m', eval_time: 150m, exp_samples: []}
`;
    expect(await verdict(definition({ ratio }), tests, "5m")).toEqual([]);
  });

  test.each([
    [
      "a value that is too high a fifth of the time",
      { threshold: `metricSource: {spec: {query: p95}}`, objective: "op: lte, value: 2, target: 0.9" },
      0.2,
    ],
    ["a share of successes", { ratio: `rawType: success, raw: ${source("p95 / 10")}`, objective: "target: 0.9" }, 0.74],
  ])("%s", async (_, parts, share) => {
    const tests = `
- interval: 1m
  input_series: [{series: p95, values: '5 2 2 2 2 5 2 2 2 2 5 2 2 2 2 5'}]
  promql_expr_test:
  - {expr: 'round(slo:errors:ratio_rate5m, 0.001)', eval_time: 12m, exp_samples: [{labels: '{${SERIES}}', value: ${share}}]}
`;
    expect(await verdict(definition(parts), tests)).toEqual([]);
  });

  // Test files evaluate every group once a minute, so that here slices overlap.
  test("slices of time: one in which too few are good is bad as a whole", async () => {
    const tests = `
- interval: 30s
  input_series:
  - {series: 'http_requests_total{code="200"}', values: '0+50x40'}
  - {series: 'http_requests_total{code="500"}', values: '0+0x16 40+40x3 160+0x20'}
  promql_expr_test:
  - {expr: 'round(slo:errors:ratio_rate5m, 0.001)', eval_time: 12m, exp_samples: [{labels: '{${SERIES}}', value: 0.6}]}
`;
    const objective = "target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 2m";
    expect(generateSloRules(definition({ ratio: BAD, method: "Timeslices", objective }), () => {})).toContain(
      "interval: 2m",
    );
    expect(await verdict(definition({ ratio: BAD, method: "Timeslices", objective }), tests)).toEqual([]);
  });

  test("counts that are no counters are added up", () => {
    const ratio = `bad: ${source("sum(lost)")}, total: ${source("sum(lost) + sum(kept)")}`;
    const rules = generateSloRules(definition({ ratio }), () => {});
    expect(rules).toContain("((sum(sum_over_time(lost[1h]))) or ");
    expect(rules).toContain("(sum(sum_over_time(lost[1h])) + sum(sum_over_time(kept[1h])))");
  });

  test("logs: the query has the window, and groups their language", () => {
    const errors = source('sum(rate({app="a"} |= "error" [{{.window}}]))', "Loki");
    const all = source('sum(rate({app="a"}[{{.window}}]))', "Loki");
    const rules = generateSloRules(definition({ ratio: `bad: ${errors}, total: ${all}` }), () => {});
    expect(rules).toMatch(/slo\/checkout\/orders\/errors\n +language: logql/);
    expect(rules).toContain('(sum(rate({app="a"} |= "error" [6h])))');
  });

  test("several objectives are told apart, and refer to an indicator by name", () => {
    const text = `${definition({ ratio: BAD, objective: "target: 0.999}, {displayName: slow, targetPercent: 95, indicatorRef: p95, op: lt, value: 1" })}
---
apiVersion: openslo/v1
kind: SLI
metadata: {name: p95}
spec: {thresholdMetric: ${source("p95")}}
---
apiVersion: openslo/v1
kind: Service
metadata: {name: checkout}
spec: {}`;
    const rules = generateSloRules(text, () => {});
    expect([...rules.matchAll(/name: (\S+)/g)].map(([, name]) => name)).toEqual([
      "slo/checkout/orders/1/errors",
      "slo/checkout/orders/1/budget",
      "slo/checkout/orders/1/alerts",
      "slo/checkout/orders/slow/moments",
      "slo/checkout/orders/slow/errors",
      "slo/checkout/orders/slow/budget",
      "slo/checkout/orders/slow/alerts",
    ]);
    expect(rules).toContain('slo:errors:ratio_rate1h{slo="orders",service="checkout",objective="slow"} > 0.72');
  });

  test("what can't come true is left out, and told", () => {
    const told: string[] = [];
    const rules = generateSloRules(definition({ ratio: BAD, objective: "target: 0.9" }), (problem) =>
      told.push(problem),
    );
    expect(told).toEqual(["checkout/orders: more than all would have to fail for 1h to use 2% of the budget"]);
    expect(rules).toContain("> 0.6");
    expect(rules).not.toContain("ratio_rate1h{slo");
  });
});

test.each([
  [
    "another version",
    definition({ ratio: BAD }).replace("openslo/v1", "openslo/v2"),
    /apiVersion: must be openslo\/v1/,
  ],
  [
    "no objective",
    definition({ ratio: BAD }).replace("objectives: [{target: 0.999}]", "objectives: []"),
    /spec\.objectives: /,
  ],
  [
    "a target that nobody can keep",
    definition({ ratio: BAD, objective: "target: 1" }),
    /spec\.objectives\.0\.target: /,
  ],
  ["no target", definition({ ratio: BAD, objective: "displayName: x" }), /orders: objectives\.0: needs a target/],
  [
    "calendar windows",
    definition({ ratio: BAD }).replace("isRolling: true", "isRolling: false"),
    /follow the calendar/,
  ],
  [
    "an indicator that is nowhere",
    definition({ ratio: BAD, objective: "target: 0.9, indicatorRef: x" }),
    /no SLI named x/,
  ],
  ["good and bad", definition({ ratio: `${BAD}, good: ${source("x")}` }), /either good or bad/],
  [
    "another source",
    definition({ ratio: BAD.replaceAll("Prometheus", "Datadog") }),
    /type Datadog: there are Prometheus and Loki/,
  ],
  ["slices without their target", definition({ ratio: BAD, method: "Timeslices" }), /needs a timeSliceTarget/],
  [
    "a window of its own",
    definition({ ratio: BAD.replace("sum(http_requests_total)", "sum(rate(x[5m]))") }),
    /\[\{\{\.window\}\}\]/,
  ],
  ["a query that can't be read", definition({ ratio: BAD.replace("sum(http_requests_total)", "sum(") }), /parse error/],
  ["no YAML", "a: [", /document 1: /],
  ["nothing", "", /there is no document of kind SLO/],
])("a definition is refused with what is wrong: %s", (_, text, problem) => {
  expect(() => generateSloRules(text, () => {})).toThrow(problem);
});
