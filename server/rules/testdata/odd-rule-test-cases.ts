import type { RuleTestCase } from "./rule-test-cases.ts";

/** What the cases below are about. */
export const ODD_RULES = `groups:
- name: one
  interval: 1m
  limit: 0
  rules:
  - {record: 'a:nan', expr: 'a * NaN'}
  - {alert: Plain, expr: 'a > 3'}
  - {alert: WithLabels, expr: 'a > 3', labels: {alertname: other, sev: 'x{{ $value }}'}, annotations: {s: '{{ .Labels.i }}/{{ $value | humanize }}'}}
  - {alert: For0, expr: 'a > 3', for: 0s, labels: {x: ''}}
  - {alert: Nan, expr: 'a:nan != 5'}
  - {alert: Hist, expr: 'histogram_count(h) > 3', annotations: {v: '{{ $value }}', h: '{{ with query "h" }}{{ . | first | value }}{{ end }}'}}
  - {alert: HistVec, expr: 'h', annotations: {v: '{{ $value }}'}}
  - {alert: Panics, expr: 'a > 3', annotations: {p: '{{ index $labels.i 99 }}'}}
  - {alert: Html, expr: 'a > 3', annotations: {h: '<b> & "q" {{ "<i>" }}', e: '{{ .ExternalLabels.c }}|{{ .ExternalURL }}|{{ $externalURL }}'}}
- name: two
  interval: 2m30s
  rules:
  - {alert: Slow, expr: 'a > 3', for: 3m}
`;

const SERIES = `[{series: 'a{i="1"}', values: '1 2 4 5 6 1 0 _ 9x3'}, {series: 'a{i="2"}', values: '0+1x12'}]`;
type Odd = { readonly series?: string; readonly every?: string; readonly top?: string; readonly more?: string };
const odd = (body: string, { series = SERIES, every = "1m", top = "evaluation_interval: 1m", more = "" }: Odd = {}) =>
  `rule_files: [odd-rules.yml]\n${top}\ntests:\n- interval: ${every}\n  input_series: ${series}\n  ${more}\n  ${body}\n`;

/** More of `RULE_TEST_CASES`: values, histograms and starts that are written oddly. */
export const ODD_RULE_TEST_CASES: readonly RuleTestCase[] = [
  { name: "labels of an alert that name it otherwise", passes: true, text: odd(`alert_rule_test: [{eval_time: 3m, alertname: WithLabels, exp_alerts: [{exp_labels: {i: "1", sev: "x5"}, exp_annotations: {s: "1/5"}}]}]`) },
  { name: "a label that is empty, and a for of nothing", passes: true, text: odd(`alert_rule_test: [{eval_time: 3m, alertname: For0, exp_alerts: [{exp_labels: {i: "1"}, exp_annotations: {}}]}]`) },
  { name: "an alert whose value is NaN", passes: true, text: odd(`alert_rule_test: [{eval_time: 3m, alertname: Nan, exp_alerts: [{exp_labels: {i: "1"}, exp_annotations: {}}, {exp_labels: {i: "2"}, exp_annotations: {}}]}]`) },
  { name: "an index beyond a text", passes: true, text: odd(`alert_rule_test: [{eval_time: 3m, alertname: Panics, exp_alerts: [{exp_labels: {i: "1"}, exp_annotations: {p: "<error expanding template: error executing template __alert_Panics: template: __alert_Panics:1:115: executing \\"__alert_Panics\\" at <index $labels.i 99>: error calling index: index out of range: 99>"}}]}]`) },
  { name: "texts that look like HTML are left as they are", passes: true, text: odd(`alert_rule_test: [{eval_time: 3m, alertname: Html, exp_alerts: [{exp_labels: {i: "1"}, exp_annotations: {e: "||", h: "<b> & \\"q\\" <i>"}}]}]`) },
  { name: "an evaluation interval that is no multiple of anything", passes: true, text: odd(`alert_rule_test: [{eval_time: 6m, alertname: Plain, exp_alerts: []}]`, { every: `15s`, top: `evaluation_interval: 7m` }) },
  { name: "series that come less often than rules are evaluated", passes: true, text: odd(`alert_rule_test: [{eval_time: 6m, alertname: Slow, exp_alerts: []}]`, { every: `3m`, top: `evaluation_interval: 15s` }) },
  { name: "the rate of a histogram that stands still", passes: true, text: odd(`promql_expr_test: [{eval_time: 2m, expr: 'rate(h[5m])', exp_samples: [{labels: '{}', histogram: '{{z_bucket_w:0.001 counter_reset_hint:gauge}}'}]}]`, { series: `[{series: 'h', values: '{{schema:0 sum:5 count:4 z_bucket:1 z_bucket_w:0.001 buckets:[1 2]}}x5'}]` }) },
  { name: "a histogram after a staleness marker", passes: true, text: odd(`promql_expr_test: [{eval_time: 2m, expr: 'h', exp_samples: [{labels: '{__name__="h"}', histogram: '{{count:4 sum:5 z_bucket:1 z_bucket_w:0.001 buckets:[1 2]}}'}]}]`, { series: `[{series: 'h', values: '{{schema:0 sum:5 count:4 z_bucket:1 z_bucket_w:0.001 buckets:[1 2]}} stale {{schema:0 sum:5 count:4 z_bucket:1 z_bucket_w:0.001 buckets:[1 2]}}'}]` }) },
  { name: "the rate of a histogram that grows", passes: true, text: odd(`promql_expr_test: [{eval_time: 2m, expr: 'rate(h[5m])', exp_samples: [{labels: '{}', histogram: '{{count:0.008333333333333333 sum:0.008333333333333333 z_bucket_w:0.001 counter_reset_hint:gauge buckets:[0.008333333333333333]}}'}]}]`, { series: `[{series: 'h', values: '{{schema:0 sum:5 count:4 z_bucket:1 z_bucket_w:0.001 buckets:[1 2]}}+{{schema:0 sum:1 count:1 buckets:[1]}}x4'}]` }) },
  { name: "the rate of a histogram that shrinks: a reset", passes: true, text: odd(`promql_expr_test: [{eval_time: 2m, expr: 'rate(h[5m])', exp_samples: [{labels: '{}', histogram: '{{count:0.025 sum:0.03333333333333333 z_bucket:0.008333333333333333 z_bucket_w:0.001 counter_reset_hint:gauge offset:1 buckets:[0.016666666666666666]}}'}]}]`, { series: `[{series: 'h', values: '{{schema:0 sum:5 count:4 z_bucket:1 z_bucket_w:0.001 buckets:[1 2]}}-{{schema:0 sum:1 count:1 buckets:[1]}}x1'}]` }) },
  { name: "a histogram without anything in it", passes: true, text: odd(`promql_expr_test: [{eval_time: 2m, expr: 'h', exp_samples: [{labels: '{__name__="h"}', histogram: '{{schema:3}}'}]}]`, { series: `[{series: 'h', values: '{{schema:3}}'}]` }) },
  { name: "negative buckets", passes: true, text: odd(`promql_expr_test: [{eval_time: 2m, expr: 'sum(h)', exp_samples: [{labels: '{}', histogram: '{{count:3 n_offset:3 n_buckets:[1 2]}}'}]}]`, { series: `[{series: 'h', values: '{{n_buckets:[1 2] n_offset:3 count:3}}'}]` }) },
  { name: "gauge histograms", passes: true, text: odd(`promql_expr_test: [{eval_time: 2m, expr: 'sum(h)', exp_samples: [{labels: '{}', histogram: '{{count:1 sum:1 counter_reset_hint:gauge buckets:[1]}}'}]}]`, { series: `[{series: 'h', values: '{{counter_reset_hint:gauge count:1 sum:1 buckets:[1]}}x3'}]` }) },
  { name: "the rate of custom buckets", passes: true, text: odd(`promql_expr_test: [{eval_time: 2m, expr: 'rate(h[5m])', exp_samples: [{labels: '{}', histogram: '{{schema:-53 custom_values:[1 5] counter_reset_hint:gauge}}'}]}]`, { series: `[{series: 'h', values: '{{schema:-53 sum:1 count:2 custom_values:[1 5] buckets:[1 1]}}x3'}]` }) },
  { name: "the coarsest schema", passes: true, text: odd(`promql_expr_test: [{eval_time: 2m, expr: 'h', exp_samples: [{labels: '{__name__="h"}', histogram: '{{schema:-4 count:1 buckets:[1]}}'}]}]`, { series: `[{series: 'h', values: '{{schema:-4 count:1 buckets:[1]}}'}]` }) },
  { name: "a histogram whose sum is NaN", passes: true, text: odd(`promql_expr_test: [{eval_time: 2m, expr: 'h', exp_samples: [{labels: '{__name__="h"}', histogram: '{{count:1 sum:NaN counter_reset_hint:not_reset buckets:[1]}}'}]}]`, { series: `[{series: 'h', values: '{{schema:0 sum:NaN count:1 buckets:[1]}}x2'}]` }) },
  { name: "floats and histograms in one series", passes: true, text: odd(`promql_expr_test: [{eval_time: 2m, expr: 'h', exp_samples: [{labels: '{__name__="h"}', value: 3E+00}]}]`, { series: `[{series: 'h', values: '1 {{schema:0 sum:5 count:4 z_bucket:1 z_bucket_w:0.001 buckets:[1 2]}} 3'}]` }) },
  { name: "histograms of two resolutions added", passes: true, text: odd(`promql_expr_test: [{eval_time: 2m, expr: 'h', exp_samples: [{labels: '{__name__="h"}', histogram: '{{count:3 sum:3 counter_reset_hint:not_reset buckets:[3]}}'}]}]`, { series: `[{series: 'h', values: '{{schema:0 sum:1 count:1 buckets:[1]}}+{{schema:1 sum:1 count:1 buckets:[1]}}x2'}]` }) },
  { name: "a query for a histogram in a template", passes: true, text: odd(`alert_rule_test: [{eval_time: 2m, alertname: Hist, exp_alerts: [{exp_labels: {}, exp_annotations: {h: "{count:4, sum:5, [-0.001,0.001]:1, (0.5,1]:1, (1,2]:2}", v: "4"}}]}]`, { series: `[{series: 'h', values: '{{schema:0 sum:5 count:4 z_bucket:1 z_bucket_w:0.001 buckets:[1 2]}}x5'}]` }) },
  { name: "a histogram with negative buckets as the value of an alert", passes: true, text: odd(`alert_rule_test: [{eval_time: 2m, alertname: HistVec, exp_alerts: [{exp_labels: {}, exp_annotations: {v: "{count:3, sum:0, [-16,-8):2, [-8,-4):1}"}}]}]`, { series: `[{series: 'h', values: '{{n_buckets:[1 2] n_offset:3 count:3}}'}]` }) },
  { name: "a histogram with custom buckets as the value of an alert", passes: true, text: odd(`alert_rule_test: [{eval_time: 2m, alertname: HistVec, exp_alerts: [{exp_labels: {}, exp_annotations: {v: "{count:2, sum:1, [-Inf,1]:1, (1,5]:1}"}}]}]`, { series: `[{series: 'h', values: '{{schema:-53 sum:1 count:2 custom_values:[1 5] buckets:[1 1]}}x3'}]` }) },
  { name: "two staleness markers", passes: true, text: odd(`promql_expr_test: [{eval_time: 3m, expr: 'count_over_time(a[1h])', exp_samples: [{labels: '{}', value: 2E+00}]}]`, { series: `[{series: a, values: "1 stale stale 2"}]` }) },
  { name: "a negative number three times", passes: true, text: odd(`promql_expr_test: [{eval_time: 3m, expr: 'a', exp_samples: [{labels: '{__name__="a"}', value: -2E+00}]}]`, { series: `[{series: a, values: "-2x3"}]` }) },
  { name: "no values", passes: true, text: odd(`promql_expr_test: [{eval_time: 3m, expr: 'a', exp_samples: []}]`, { series: `[{series: a, values: "   "}]` }) },
  { name: "gaps among repetitions", passes: true, text: odd(`promql_expr_test: [{eval_time: 3m, expr: 'count_over_time(a[1h])', exp_samples: [{labels: '{}', value: 3E+00}]}]`, { series: `[{series: a, values: "5x2 _ 6x2"}]` }) },
  { name: "values with tabs between them", passes: true, text: odd(`promql_expr_test: [{eval_time: 3m, expr: 'a', exp_samples: [{labels: '{__name__="a"}', value: 2E+00}]}]`, { series: `[{series: a, values: "1\\t2"}]` }) },
  { name: "an empty label is none", passes: true, text: odd(`promql_expr_test: [{eval_time: 1m, expr: 'a{i="1"}', exp_samples: [{labels: 'a{i="1",x=""}', value: 2}]}]`) },
  { name: "a start before the epoch", passes: true, text: odd(`promql_expr_test: [{eval_time: 1m, expr: 'time()', exp_samples: [{labels: '{}', value: 5.5E+01}]}]`, { more: `start_timestamp: -5` }) },
  { name: "a start in another time zone", passes: true, text: odd(`promql_expr_test: [{eval_time: 1m, expr: 'timestamp(a)', exp_samples: [{labels: '{i="1"}', value: 1.70406006E+09}, {labels: '{i="2"}', value: 1.70406006E+09}]}]`, { more: `start_timestamp: 2024-01-01T00:00:00+02:00` }) },
  { name: "a start as a float with an exponent", passes: true, text: odd(`promql_expr_test: [{eval_time: 1m, expr: 'time()', exp_samples: [{labels: '{}', value: 1.00000006E+09}]}]`, { more: `start_timestamp: 1e9` }) },
  { name: "a start with more digits than milliseconds", passes: true, text: odd(`promql_expr_test: [{eval_time: 1m, expr: 'time()', exp_samples: [{labels: '{}', value: 1.700000060123E+09}]}]`, { more: `start_timestamp: 1700000000.123456` }) },
  { name: "a start at half a second", passes: true, text: odd(`promql_expr_test: [{eval_time: 1m, expr: 'time()', exp_samples: [{labels: '{}', value: 6.05E+01}]}]`, { more: `start_timestamp: .5` }) },
  { name: "a step without a number of times", passes: false, text: odd(`promql_expr_test: [{eval_time: 3m, expr: 'count(a)', exp_samples: [{labels: '{}', value: 1}]}]`, { series: `[{series: a, values: '1+1'}]` }) },
  { name: "infinity and a number of times in one word", passes: false, text: odd(`promql_expr_test: [{eval_time: 3m, expr: 'count(a)', exp_samples: [{labels: '{}', value: 1}]}]`, { series: `[{series: a, values: '-Infx2'}]` }) },
  { name: "staleness markers with a number of times", passes: false, text: odd(`promql_expr_test: [{eval_time: 3m, expr: 'count(a)', exp_samples: [{labels: '{}', value: 1}]}]`, { series: `[{series: a, values: 'stalex2'}]` }) },
  { name: "a schema that there is none of", passes: false, text: odd(`promql_expr_test: [{eval_time: 3m, expr: 'absent(a)', exp_samples: [{labels: '{}', value: 1}]}]`, { series: `[{series: a, values: '{{schema:9 count:1 buckets:[1]}}'}]` }) },
  { name: "a number as a text", passes: false, text: odd(`promql_expr_test: [{eval_time: 1m, expr: 'a{i="1"}', exp_samples: [{labels: 'a{i="1"}', value: "2"}]}]`) },
  { name: "a fuzziness that is a text", passes: false, text: odd(`promql_expr_test: [{eval_time: 1m, expr: 'a{i="1"}', exp_samples: [{labels: 'a{i="1"}', value: 2}]}]`, { top: `fuzzy_compare: "true"` }) },
  { name: "a fuzziness that says yes", passes: true, text: odd(`promql_expr_test: [{eval_time: 1m, expr: 'a{i="1"}', exp_samples: [{labels: 'a{i="1"}', value: 2}]}]`, { top: `fuzzy_compare: yes` }) },
  { name: "a start that is a date without a time", passes: false, text: odd(`promql_expr_test: [{eval_time: 1m, expr: 'a{i="1"}', exp_samples: [{labels: 'a{i="1"}', value: 2}]}]`, { more: `start_timestamp: 2024-01-01` }) },
  { name: "a start that is empty", passes: false, text: odd(`promql_expr_test: [{eval_time: 1m, expr: 'a{i="1"}', exp_samples: [{labels: 'a{i="1"}', value: 2}]}]`, { more: `start_timestamp: ""` }) },
  { name: "a label twice in a series", passes: false, text: odd(`promql_expr_test: [{eval_time: 0m, expr: 'b', exp_samples: []}]`, { series: `[{series: 'a{i="1",i="2"}', values: '1'}]` }) },
  { name: "a metric that is called NaN", passes: false, text: odd(`promql_expr_test: [{eval_time: 0m, expr: 'b', exp_samples: []}]`, { series: `[{series: 'NaN', values: '1'}]` }) },
  { name: "labels that stand apart from their metric", passes: false, text: odd(`promql_expr_test: [{eval_time: 0m, expr: 'b', exp_samples: []}]`, { series: `[{series: 'a {i="1"}', values: '1'}]` }) },
];
