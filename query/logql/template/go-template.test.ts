import { UTC } from "@sightline/model/go-template/go-time.ts";
import { GoMap } from "@sightline/model/go-template/go-value.ts";
import { TemplateSyntaxError } from "@sightline/model/go-template/parse-template.ts";
import { TemplateExecutionError } from "@sightline/model/go-template/template-budget.ts";
import { workedMs } from "@sightline/model/testing/worked-ms.ts";
import { describe, expect, test } from "vitest";
import { GoTemplate } from "./go-template.ts";

const LABELS = { a: "x", n: "42", f: "2.5", empty: "", json: '{"k":[1,{"b":"c"}],"s":"t"}', name: "Ann Lee" };
const TIME = { ns: 1_700_000_000_123_456_789n, zone: UTC };
const LIMITS = { maxOutputCharacters: 10_000 };

function run(text: string): string {
  const data = new GoMap(new Map(Object.entries(LABELS)), false);
  return new GoTemplate("line", text, LIMITS).execute({ data, line: "the line", time: TIME });
}

test.each([
  ["plain", "plain"],
  ["{{.a}}-{{ .missing }}-{{.empty}}", "x--"],
  ["a {{- 1 -}} b {{/* no */}}c", "a1b c"],
  ['{{ if eq .a "x" }}yes{{ else }}no{{ end }}', "yes"],
  ['{{ if eq .a "y" "x" }}1{{ else if .n }}2{{ end }}', "1"],
  ["{{ if .empty }}1{{ else if .n }}2{{ else }}3{{ end }}", "2"],
  ["{{ with .a }}[{{ . }}{{ $.n }}]{{ end }}{{ with .empty }}{{ else }}none{{ end }}", "[x42]none"],
  ["{{ range $i, $c := fromJson `[5,6]` }}{{ $i }}:{{ $c }} {{ end }}", "0:5 1:6 "],
  ["{{ range fromJson `[]` }}x{{ else }}nothing{{ end }}", "nothing"],
  ["{{ range $k, $v := fromJson .json }}{{ $k }}={{ $v }};{{ end }}", "k=[1 map[b:c]];s=t;"],
  ["{{ range 3 }}{{ . }}{{ if eq . 1 }}{{ break }}{{ end }}{{ end }}", "01"],
  ["{{ $x := 1 }}{{ range fromJson `[1,2]` }}{{ $x = . }}{{ end }}{{ $x }}", "2"],
  ['{{ define "t" }}<{{ . }}>{{ end }}{{ template "t" .a }}{{ block "u" .n }}({{ . }}){{ end }}', "<x>(42)"],
  ["{{ (index (fromJson .json).k 1).b }}", "c"],
  ["{{ fromJson `nothing` }}|{{ (fromJson .json).none }}", "<no value>|<no value>"],
  ["{{ .a | upper | printf `%s-%s` .n }}", "42-X"],
  [
    "{{ printf `%5.1f|%-5s|%05d|%q|%v|%x|%t|%T|%%` 2.25 .a (int .n) .a 3000000.0 255 true .a }}",
    '  2.2|x    |00042|"x"|3e+06|ff|true|string|%',
  ],
  [
    "{{ printf `%5d|%-7s|%.2f|%3v` .a true 7 (fromJson `[1]`) }}",
    "%!d(string=    x)|%!s(bool=true   )|%!f(int=07)|[  1]",
  ],
  ["{{ printf `%d %s` .a }}", "%!d(string=x) %!s(MISSING)"],
  [
    "{{ and .a .empty }}|{{ or .empty .a }}|{{ not .a }}|{{ len .name }}|{{ slice .name 1 3 }}|{{ index .name 0 }}",
    "|x|false|7|nn|65",
  ],
  ["{{ printf `%[2]d-%[1]s` `a` 7 }} {{ printf `% x %O` `hi` 8 }} {{ printf `%!` }}", "7-a 68 69 0o10 %!!(MISSING)"],
  [
    "{{ $inf := float64 `Inf` }}{{ printf `%05d|%06f|%e|%c|%06.1f` $inf $inf $inf $inf (float64 `NaN`) }}",
    "%!d(float64= +Inf)|  +Inf|+Inf|%!c(float64=+Inf)|   NaN",
  ],
  [
    "{{ printf `%.2s|%.1e|%.2g|%.0e|%.1e|%.2g|%.3g` 225.0 225.0 2.25 9.5 235.0 2.35 0.0 }}",
    "%!s(float64=2.2e+02)|2.2e+02|2.2|1e+01|2.4e+02|2.4|0",
  ],
  [
    "{{ lower `İΑΣ` }} {{ upper `straße ﬁ` }} {{ js `a\u0007<é>` }} {{ html nil }}",
    "iασ STRAßE ﬁ a\\u0007\\u003Cé\\u003E &lt;no value&gt;",
  ],
  [
    "{{ __timestamp__.Unix }} {{ __timestamp__.Format `2006-01` }} {{ `15` | __timestamp__.Format }}",
    "1700000000 2023-11 22",
  ],
  [
    "{{ __timestamp__.Month }} {{ printf `%d` __timestamp__.Month }} {{ __timestamp__.Weekday }} {{ __timestamp__.YearDay }}",
    "November 11 Tuesday 318",
  ],
  [
    "{{ (__timestamp__.Add 5000000000).Second }} {{ (__timestamp__.AddDate 0 1 1).Day }} {{ __timestamp__.Nanosecond }}",
    "25 15 123456789",
  ],
  [
    "{{ __timestamp__.Sub (unixToTime `1699999910`) }} {{ (__timestamp__.Sub (unixToTime `1699999910`)).Minutes | int }}",
    "1m30.123456789s 1",
  ],
  [
    "{{ __timestamp__.IsZero }} {{ __timestamp__.After (unixToTime `1600000000`) }} {{ __timestamp__.Truncate 3600000000000 }}",
    "false true 2023-11-14 22:00:00 +0000 UTC",
  ],
  ["{{ lt 1 2 }} {{ ge (int .n) 42 }} {{ ne .a .n }} {{ gt 2.5 1.5 }}", "true true true true"],
  [
    "{{ add 1 .n 2 }} {{ sub 5 2 }} {{ mul 2 3 4 }} {{ div 7 2 }} {{ mod 7 4 }} {{ max 1 .n }} {{ min 3 2 }}",
    "45 3 24 3 3 42 2",
  ],
  [
    "{{ addf 0.1 0.2 }} {{ subf 1 0.9 }} {{ mulf .f 2 }} {{ divf 10 4 }} {{ ceil .f }} {{ floor .f }} {{ round 2.345 2 }}",
    "0.3 0.1 5 2.5 3 2 2.35",
  ],
  ["{{ int `0x1f` }} {{ int `08` }} {{ int `7.9` }} {{ int true }} {{ float64 `1e3` }}", "31 0 7 1 1000"],
  [
    "{{ trunc 2 .name }}{{ trunc -3 .name }} {{ substr 1 4 .name }} {{ replace `n` `m` .name }} {{ Replace .name `n` `m` 1 }}",
    "AnLee nn  Amm Lee Amn Lee",
  ],
  [
    "{{ title `hello big world` }} {{ repeat 2 `ab` }} {{ contains `n` .name }} {{ hasPrefix `An` .name }}",
    "Hello Big World abab true true",
  ],
  ["{{ alignLeft 4 .a }}|{{ alignRight 4 .a }}|{{ alignLeft 2 .name }}|{{ alignRight 2 .name }}", "x   |   x|An|ee"],
  [
    "{{ regexReplaceAll `(n)(n)` .name `${2}-$1` }} {{ regexReplaceAllLiteral `n` .name `$1` }} {{ count `e` .name }}",
    "An-n Lee A$1$1 Lee 2",
  ],
  [
    "{{ b64enc .name }} {{ b64dec `QW5u` }} {{ urlencode .name }} {{ urldecode `a%20b+c` }}",
    "QW5uIExlZQ== Ann Ann+Lee a b c",
  ],
  ["{{ default `d` .empty }} {{ .a | default `d` }} {{ bytes `2KiB` }} {{ duration `1m30s` }}", "d x 2048 90"],
  [
    "{{ __line__ | upper }} {{ __timestamp__ | unixEpoch }} {{ __timestamp__ | unixEpochNanos }}",
    "THE LINE 1700000000 1700000000123456789",
  ],
  [
    '{{ __timestamp__ | date "2006-01-02T15:04:05.000Z07:00 Mon Jan _2 3PM" }}',
    "2023-11-14T22:13:20.123Z Tue Nov 14 10PM",
  ],
  ['{{ toDate "2006-01-02 15:04:05.000" "2026-03-04 05:06:07.890" | unixEpochMillis }}', "1772600767890"],
  ['{{ toDateInZone "2006-01-02 15:04" "Europe/Berlin" "2026-07-04 12:00" | unixEpoch }}', "1783159200"],
  [
    "{{ unixToTime `1700000000123` | unixEpochMillis }} {{ html `<&>` }} {{ print 1 2 `a` 3 }}",
    "1700000000123 &lt;&amp;&gt; 1 2a3",
  ],
])("%s", (text, want) => expect(run(text)).toBe(want));

describe("what can't be read is refused in Go's words", () => {
  test.each([
    ["{{ foo }}", 'template: line:1: function "foo" not defined'],
    ["{{ .a", "template: line:1: unclosed action"],
    ["{{ if .a }}", "template: line:1: unexpected EOF"],
    ["{{ end }}", "template: line:1: unexpected {{end}}"],
    ["{{ if }}{{ end }}", "template: line:1: missing value for if"],
    ["{{ $x }}", 'template: line:1: undefined variable "$x"'],
    ["{{ break }}", "template: line:1: {{break}} outside {{range}}"],
    ['{{ "x }}', "template: line:1: unterminated quoted string"],
    ["{{if .a}}".repeat(200) + "{{end}}".repeat(200), "template: line:1: actions may nest 100 deep"],
  ])("%.40s", (text, want) => {
    expect(() => run(text)).toThrow(TemplateSyntaxError);
    expect(() => run(text)).toThrow(want);
  });
});

describe("what fails is told with its place in Go's words", () => {
  test.each([
    [
      "{{ div 1 0 }}",
      'template: line:1:3: executing "line" at <div 1 0>: error calling div: runtime error: integer divide by zero',
    ],
    [
      "ab{{ trunc .a .a }}",
      'template: line:1:11: executing "line" at <.a>: wrong type for value; expected int; got string',
    ],
    ["{{ trunc `a` (len .a) }}", 'template: line:1:9: executing "line" at <`a`>: expected integer; found `a`'],
    [
      "{{ lower (len .a) }}",
      'template: line:1:14: executing "line" at <.a>: wrong type for value; expected string; got int',
    ],
    ["{{ lower true }}", 'template: line:1:9: executing "line" at <true>: expected string; found true'],
    ["{{ unixEpoch 5 }}", 'executing "line" at <5>: can\'t handle 5 for arg of type time.Time'],
    ["{{ trunc 1 }}", 'template: line:1:3: executing "line" at <trunc>: wrong number of args for trunc: want 2 got 1'],
    [
      "{{ lt .a 1 }}",
      'template: line:1:3: executing "line" at <lt .a 1>: error calling lt: incompatible types for comparison',
    ],
    ["{{ range .a }}x{{ end }}", 'template: line:1:9: executing "line" at <.a>: range can\'t iterate over x'],
    ["{{ eq .a 1 }}", "error calling eq: incompatible types for comparison: string and int"],
    ["{{ call .a }}", "error calling call: non-function .a of type string"],
    ["{{ .a `x` }}", 'template: line:1:3: executing "line" at <.a>: a is not a method but has arguments'],
    ["{{ __timestamp__.Nope }}", "at <__timestamp__>: can't evaluate field Nope in type time.Time"],
    ["{{ __timestamp__.Unix 1 }}", "at <__timestamp__>: wrong number of args for Unix: want 0 got 1"],
    ["{{ template `t` }}", 'template: line:1:12: executing "line" at <{{template "t"}}>: template "t" not defined'],
    ["{{ .a.b }}", 'template: line:1:5: executing "line" at <.a.b>: can\'t evaluate field b in type string'],
    [
      "{{ duration .a }}",
      'template: line:1:3: executing "line" at <duration .a>: error calling duration: time: invalid duration "x"',
    ],
    [
      "{{ index .name 99 }}",
      'template: line:1:3: executing "line" at <index .name 99>: error calling index: index out of range: 99',
    ],
  ])("%s", (text, want) => expect(() => run(text)).toThrow(want));
});

describe("no template loops or grows without end", () => {
  test.each([
    ["a count", "{{ repeat 1000000000 `x` }}"],
    ["a count of lines", "{{ indent 1000000000 .a }}"],
    ["a width", "{{ alignRight 1000000000 .a }}"],
    ["texts that double", `{{ $x := .name }}${"{{ $x = printf `%s%s` $x $x }}".repeat(60)}{{ $x }}`],
    [
      "texts that are replaced by longer ones",
      `{{ $x := .name }}${"{{ $x = replace `e` `eeeeeeeeee` $x }}".repeat(60)}{{ $x }}`,
    ],
    ["a long loop", "{{ range 1000000000 }}{{ end }}"],
    ["loops in loops", "{{ range 9999 }}{{ range 9999 }}{{ end }}{{ end }}"],
    ["a template that calls itself", '{{ define "t" }}{{ template "t" . }}{{ end }}{{ template "t" . }}'],
    [
      "regular expressions that add",
      `{{ $x := .name }}${"{{ $x = regexReplaceAll `` $x `xxxx` }}".repeat(60)}{{ $x }}`,
    ],
  ])("%s", (_, text) => {
    const startMs = workedMs();
    expect(() => run(text)).toThrow(TemplateExecutionError);
    expect(workedMs() - startMs).toBeLessThan(5_000);
  });

  test("a width in a format is bounded", () => expect(run("{{ printf `%999999999s` .a }}").length).toBe(1_000));
});
