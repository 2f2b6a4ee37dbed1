/**
 * Files of unit tests with odd features, by what they are about. `passes` is promtool's verdict (Prometheus 3.14).
 * All of them are beside `rules.yml`, `more-rules.yml` and `wrong-rules.yml`.
 */
export type RuleTestCase = { readonly name: string; readonly text: string; readonly passes: boolean };

export const RULE_FILES: Readonly<Record<string, string>> = {
  "rules.yml": `groups:
- name: first
  interval: 30s
  labels: {team: infra}
  rules:
  - {record: 'job:up:sum', expr: sum by (job) (up)}
  - {record: 'job:latency:sum', expr: sum by (job) (latency)}
- name: second
  rules:
  - alert: Down
    expr: up == 0
    for: 2m
    keep_firing_for: 3m
    labels: {severity: '{{ if gt $value -1.0 }}page{{ end }}', job: '{{ $labels.job | toUpper }}'}
    annotations:
      summary: '{{ $labels.instance | stripPort }} of {{ $labels.job | title }} ({{ $labels.nothing }})'
      link: '{{ $externalURL }}/{{ $externalLabels.cluster }}'
      query: '{{ with query "job:up:sum" }}{{ range . }}{{ .Labels.job }}={{ . | value }};{{ end }}{{ end }}'
  - {alert: Few, expr: 'job:up:sum < 2', annotations: {value: '{{ $value | humanize }} {{ printf "%.2f" $value }}'}}
`,
  "more-rules.yml": `groups:
- name: templates
  rules:
  - alert: Functions
    expr: size > 0
    annotations:
      numbers: '{{ humanize $value }} {{ humanize1024 $value }} {{ humanizeDuration $value }} {{ humanizePercentage 0.123 }} {{ humanizeTimestamp $value }}'
      texts: '{{ toUpper "aé" }} {{ toLower "AÉ" }} {{ title "a b" }} {{ reReplaceAll "(.)b" "$1-" "ab" }} {{ match "^a" "ab" }} {{ safeHtml "<b>" }}'
      places: '{{ stripPort "h:1" }} {{ stripDomain "a.b.c" }} {{ graphLink "up == 0" }} {{ tableLink "up" }} {{ urlQueryEscape "a b&c" }}'
      times: '{{ (toTime $value).Year }} {{ toDuration 61.5 }} {{ parseDuration "1h30m" }}'
      lists: '{{ range sortByLabel "n" (query "size") }}{{ label "n" . }},{{ end }}{{ first (query "size") | strvalue }}{{ define "t" }}<{{ .arg0 }}>{{ end }}{{ template "t" (args 5) }}'
      broken: '{{ first (query "nothing") }}'
      compare: '{{ if and (eq $labels.n "a") (lt $value 2000.0) }}yes{{ else }}no{{ end }} {{ len $labels }} {{ index $labels "n" }} {{ printf "%q %5.1f|%-5s|" $labels.n $value "x" }}'
- name: histograms
  rules:
  - {record: 'h:sum', expr: sum(h)}
  - {record: 'h:p50', expr: 'histogram_quantile(0.5, sum(h))'}
`,
  "wrong-rules.yml": "groups: [{name: g, rules: [{alert: X, expr: 'up =='}]}]\n",
};

const UP = `
  interval: 1m
  input_series:
  - {series: 'up{job="web",instance="a:1"}', values: '1 1 0x3 1x10'}
  - {series: 'up{job="web",instance="b:1"}', values: '1x20'}`;
const web = (body: string, top = "") => `rule_files: [rules.yml]\nevaluation_interval: 1m\n${top}\ntests:\n- name: web${UP}\n${body}`;
const alertAt = (time: string, alerts: string, name = "Down") =>
  `  alert_rule_test: [{eval_time: ${time}, alertname: ${name}, exp_alerts: ${alerts}}]`;
const DOWN_LABELS = "severity: page, job: WEB, instance: 'a:1'";
const DOWN = `[{exp_labels: {${DOWN_LABELS}}, exp_annotations: {summary: 'a of Web ()', link: 'http://x/p/c1', query: 'web=1;'}}]`;
const EXTERNAL = "\n  external_labels: {cluster: c1}\n  external_url: http://x/p";
const exprAt = (time: string, expr: string, samples: string) =>
  `  promql_expr_test: [{eval_time: ${time}, expr: '${expr}', exp_samples: ${samples}}]`;
const plain = (series: string, body: string, top = "") =>
  `rule_files: []\n${top}\ntests:\n- interval: 1m\n  input_series: ${series}\n${body}`;
const HISTOGRAM = "{{schema:0 sum:5 count:4 z_bucket:1 z_bucket_w:0.001 buckets:[1 2] offset:1}}";

export const RULE_TEST_CASES: readonly RuleTestCase[] = [
  { name: "an alert that fires with all its texts", passes: true, text: web(alertAt("4m", DOWN) + EXTERNAL) },
  { name: "one that is pending yet", passes: true, text: web(alertAt("3m", "[]")) },
  { name: "one that is kept firing", passes: true, text: web(alertAt("7m", DOWN) + EXTERNAL) },
  { name: "one that is not kept firing any more", passes: true, text: web(alertAt("9m", "[]")) },
  { name: "an alert that nobody expects", passes: false, text: web(alertAt("4m", "[]")) },
  { name: "annotations that were not given", passes: false, text: web(alertAt("4m", `[{exp_labels: {${DOWN_LABELS}}}]`)) },
  { name: "an alert that is no rule", passes: true, text: web(alertAt("4m", "[]", "Nobody")) },
  { name: "an expected alert that is no rule", passes: false, text: web(alertAt("4m", "[{exp_labels: {a: b}}]", "Nobody")) },
  { name: "an evaluation interval that is longer than its times", passes: true, text: web(alertAt("90s", "[]")).replace("evaluation_interval: 1m", "evaluation_interval: 3m") },
  { name: "a time between two evaluations", passes: true, text: web(alertAt("4m30s", DOWN) + EXTERNAL) },
  { name: "groups in the order that is asked for", passes: true, text: web(alertAt("3m", "[{exp_annotations: {value: '1 1.00'}, exp_labels: {job: web, team: infra}}]", "Few"), "group_eval_order: [first, second]") },
  { name: "groups in the wrong order", passes: false, text: web(alertAt("2m", "[{exp_annotations: {value: '1 1.00'}, exp_labels: {job: web, team: infra}}]", "Few"), "group_eval_order: [second, first]") },
  { name: "a group twice in the order", passes: false, text: web(alertAt("3m", "[]"), "group_eval_order: [first, first]") },
  { name: "a group in the order that is not there", passes: true, text: web(alertAt("3m", "[]"), "group_eval_order: [other]") },
  { name: "several alerts, in any order", passes: true, text: `rule_files: [rules.yml]\ntests:\n- interval: 1m\n  input_series:\n  - {series: 'up{job="a",instance="x"}', values: '1x5'}\n  - {series: 'up{job="b",instance="x"}', values: '1x5'}\n${alertAt("5m", "[{exp_labels: {job: b, team: infra}, exp_annotations: {value: '1 1.00'}}, {exp_labels: {job: a, team: infra}, exp_annotations: {value: '1 1.00'}}]", "Few")}` },
  { name: "an alert expected twice", passes: false, text: web(alertAt("3m", "[{exp_labels: {job: web, team: infra}, exp_annotations: {value: '1 1.00'}}, {exp_labels: {job: web, team: infra}, exp_annotations: {value: '1 1.00'}}]", "Few")) },
  { name: "an alert without a name", passes: false, text: web("  alert_rule_test: [{eval_time: 1m, exp_alerts: []}]") },
  { name: "recorded series", passes: true, text: web(exprAt("3m", "job:up:sum", "[{labels: 'job:up:sum{job=\"web\",team=\"infra\"}', value: 1}]")) },
  { name: "a sample without its name", passes: false, text: web(exprAt("3m", "job:up:sum", "[{labels: '{job=\"web\",team=\"infra\"}', value: 1}]")) },
  { name: "no samples where there are none", passes: true, text: web(exprAt("3m", "nothing", "[]")) },
  { name: "samples in any order", passes: true, text: web(exprAt("0m", "up", "[{labels: 'up{job=\"web\",instance=\"b:1\"}', value: 1}, {labels: 'up{instance=\"a:1\",job=\"web\"}', value: 1}]")) },
  { name: "a scalar", passes: true, text: web(exprAt("3m", "1 + 1", "[{labels: '{}', value: 2}]")) },
  { name: "a scalar without labels given", passes: true, text: web(exprAt("3m", "1 + 1", "[{value: 2}]")) },
  { name: "a string", passes: false, text: web(exprAt("3m", '"a"', "[]")) },
  { name: "a range vector", passes: false, text: web(exprAt("3m", "up[1m]", "[]")) },
  { name: "an expression that is none", passes: false, text: web(exprAt("3m", "sum(", "[]")) },
  { name: "labels that are none", passes: false, text: web(exprAt("3m", "1", "[{labels: 'a{', value: 1}]")) },
  { name: "a sum of floats as the engine makes it", passes: true, text: plain("[{series: a, values: '0.1 0.2 0.3'}]", exprAt("2m", "sum_over_time(a[5m])", "[{labels: '{}', value: 0.6}]")) },
  { name: "values that are nearly equal, fuzzily", passes: true, text: plain("[{series: a, values: '0.1 0.2 0.3'}]", exprAt("2m", "sum_over_time(a[5m]) + 1e-16", "[{labels: '{}', value: 0.6000000000000001}]"), "fuzzy_compare: true") },
  { name: "values that are not nearly equal, fuzzily", passes: false, text: plain("[{series: a, values: '1'}]", exprAt("0m", "a", "[{labels: a, value: 1.0000000000001}]"), "fuzzy_compare: true") },
  { name: "odd numbers", passes: true, text: plain("[{series: 'a{n=\"1\"}', values: 'NaN'}, {series: 'a{n=\"2\"}', values: '+Inf'}, {series: 'a{n=\"3\"}', values: '-Inf'}, {series: 'a{n=\"4\"}', values: '0x10'}]", exprAt("0m", 'a{n!="1"}', "[{labels: 'a{n=\"2\"}', value: +.inf}, {labels: 'a{n=\"3\"}', value: -.inf}, {labels: 'a{n=\"4\"}', value: 0}]")) },
  { name: "NaN, which equals nothing", passes: false, text: plain("[{series: a, values: 'NaN'}]", exprAt("0m", "a", "[{labels: a, value: .nan}]")) },
  { name: "a sum that comes out as it should", passes: true, text: plain("[{series: a, values: '1+2x3 _x2 stale 7 1e3-100x2'}]", exprAt("10m", "a", "[{labels: a, value: 800}]")) },
  { name: "a series that has ended", passes: true, text: plain("[{series: a, values: '1 2 stale'}]", exprAt("2m", "a", "[]")) },
  { name: "gaps", passes: true, text: plain("[{series: a, values: '1 _x10 5'}]", exprAt("10m", "a", "[]")) },
  { name: "gaps shorter than the lookback", passes: true, text: plain("[{series: a, values: '1 _ _ 5'}]", exprAt("2m", "a", "[{labels: a, value: 1}]")) },
  { name: "values that are none", passes: false, text: plain("[{series: a, values: '1 two'}]", exprAt("0m", "a", "[]")) },
  { name: "a series that is none", passes: false, text: plain("[{series: 'a{b}', values: '1'}]", exprAt("0m", "a", "[]")) },
  { name: "a series twice", passes: true, text: plain("[{series: a, values: '1 1'}, {series: a, values: '2 2'}]", exprAt("1m", "count(a)", "[{labels: '{}', value: 1}]")) },
  { name: "native histograms", passes: true, text: `rule_files: [more-rules.yml]\ntests:\n- interval: 1m\n  input_series: [{series: 'h{i="1"}', values: '${HISTOGRAM}x3'}, {series: 'h{i="2"}', values: '${HISTOGRAM}x3'}]\n${exprAt("2m", "h:sum", "[{labels: 'h:sum', histogram: '{{schema:0 sum:10 count:8 z_bucket:2 z_bucket_w:0.001 counter_reset_hint:not_reset buckets:[2 4] offset:1}}'}]")}` },
  { name: "another native histogram than was said", passes: false, text: `rule_files: [more-rules.yml]\ntests:\n- interval: 1m\n  input_series: [{series: 'h', values: '${HISTOGRAM}x3'}]\n${exprAt("2m", "h:sum", "[{labels: 'h:sum', histogram: '{{schema:0 sum:10 count:8 z_bucket:2 z_bucket_w:0.001 buckets:[2 4] offset:1}}'}]")}` },
  { name: "a float where a histogram was said", passes: false, text: plain("[{series: h, values: '1x3'}]", exprAt("1m", "h", `[{labels: h, histogram: '${HISTOGRAM}'}]`)) },
  { name: "histograms with buckets of their own and increments", passes: true, text: plain("[{series: h, values: '{{schema:-53 sum:1 count:2 custom_values:[1 5] buckets:[1 1]}}+{{schema:-53 sum:1 count:2 custom_values:[1 5] buckets:[1 1]}}x3'}]", exprAt("1m", "h", "[{labels: h, histogram: '{{schema:-53 sum:2 count:4 counter_reset_hint:not_reset custom_values:[1 5] buckets:[2 2]}}'}]")) },
  { name: "a histogram of which other resets are said", passes: false, text: plain(`[{series: h, values: '${HISTOGRAM}x3'}]`, exprAt("1m", "h", "[{labels: h, histogram: '{{schema:0 sum:5 count:4 z_bucket:1 z_bucket_w:0.001 counter_reset_hint:reset buckets:[1 2] offset:1}}'}]")) },
  { name: "a number that YAML does not know", passes: false, text: plain("[{series: a, values: 'Inf'}]", exprAt("0m", "a", "[{labels: a, value: +Inf}]")) },
  { name: "a histogram that is none", passes: false, text: plain("[{series: h, values: '{{schema:99}}'}]", exprAt("1m", "h", "[]")) },
  { name: "all functions of templates", passes: true, text: `rule_files: [more-rules.yml]\ntests:\n- interval: 1m\n  input_series: [{series: 'size{n="b"}', values: '0x5'}, {series: 'size{n="a"}', values: '1234.5x5'}]\n${alertAt("2m", `[{exp_labels: {n: a}, exp_annotations: {numbers: '1.234k 1.206ki 20m 34s 12.3% 1970-01-01 00:20:34.5 +0000 UTC', texts: 'AÉ aé A B a- true <b>', places: 'h a /graph?g0.expr=up+%3D%3D+0&g0.tab=0 /graph?g0.expr=up&g0.tab=1 a+b%26c', times: '1970 1m1.5s 5400', lists: 'a,b,<5>', broken: '<error expanding template: error executing template __alert_Functions: template: __alert_Functions:1:115: executing "__alert_Functions" at <first (query "nothing")>: error calling first: first() called on vector with no elements>', compare: 'yes 2 a "a" 1234.5|x    |'}}]`, "Functions")}` },
  { name: "a start at a time", passes: true, text: plain("[{series: a, values: '1x5'}]", `${exprAt("1m", "time()", "[{value: 1700000060}]")}\n  start_timestamp: 1700000000`) },
  { name: "a start at a date", passes: true, text: plain("[{series: a, values: '1x5'}]", `${exprAt("1m", "timestamp(a)", "[{labels: '{}', value: 1704067260}]")}\n  start_timestamp: 2024-01-01T00:00:00Z`) },
  { name: "a start that is no time", passes: false, text: plain("[{series: a, values: '1x5'}]", `${exprAt("1m", "1", "[{value: 1}]")}\n  start_timestamp: yesterday`) },
  { name: "files by a pattern", passes: true, text: web(exprAt("3m", "job:up:sum", "[{labels: 'job:up:sum{job=\"web\",team=\"infra\"}', value: 1}]")).replace("[rules.yml]", "['rule*.yml']") },
  { name: "a pattern that no file has", passes: true, text: web(alertAt("4m", "[]")).replace("[rules.yml]", "['no*.yml']") },
  { name: "rules that are wrong", passes: false, text: web(alertAt("1m", "[]")).replace("[rules.yml]", "[wrong-rules.yml]") },
  { name: "a field that is none", passes: false, text: web("  alert_rule_tests: []") },
  { name: "a field that comes twice", passes: false, text: `${web(alertAt("1m", "[]"))}\n  name: again\n` },
  { name: "an empty file", passes: true, text: "" },
  { name: "nothing but tests", passes: true, text: "tests: [{input_series: []}]" },
  { name: "a list where a mapping belongs", passes: false, text: "- a\n" },
  { name: "no YAML", passes: false, text: "tests: [{" },
  { name: "a duration that is none", passes: false, text: web(alertAt("soon", "[]")) },
  { name: "a negative time", passes: false, text: web(alertAt("-1m", "[]")) },
  { name: "an evaluation interval that is none", passes: false, text: "rule_files: []\nevaluation_interval: often\ntests: []\n" },
  { name: "anchors and aliases", passes: true, text: `rule_files: [rules.yml]\ntests:\n- interval: 1m\n  input_series: &s [{series: 'up{job="web"}', values: '0x5'}]\n${exprAt("1m", "up", '[{labels: \'up{job="web"}\', value: 0}]')}\n- interval: 1m\n  input_series: *s\n${exprAt("1m", "up", '[{labels: \'up{job="web"}\', value: 0}]')}` },
  { name: "a name of any characters", passes: true, text: plain("[{series: '{\"my.metric\",\"a b\"=\"c\"}', values: '1x5'}]", exprAt("1m", '{"my.metric"}', "[{labels: '{\"my.metric\",\"a b\"=\"c\"}', value: 1}]")) },
  { name: "several documents", passes: true, text: `${plain("[{series: a, values: '1'}]", exprAt("0m", "a", "[{labels: a, value: 1}]"))}\n---\nnonsense: 1\n` },
];
