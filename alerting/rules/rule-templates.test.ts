import { expect, test } from "vitest";
import { RuleTemplates, templateProblems } from "./rule-templates.ts";
import { START, sample } from "./rules-test-bed.ts";

const UP = [sample({ __name__: "up", job: "b" }, 2), sample({ __name__: "up", job: "a" }, 1)];

async function expand(text: string, value = 1_234.5678): Promise<string | undefined> {
  const asked: string[] = [];
  const templates = new RuleTemplates("A", { labels: {}, annotations: { text } });
  const { annotations } = await templates.expand(
    sample({ __name__: "x", instance: "h.example.org:80" }, value),
    START,
    {
      externalLabels: { region: "eu" },
      externalUrl: "http://here/path",
      evaluate: async (query) => {
        asked.push(query);
        if (query === "bad") throw new Error("parse error");
        return query === "up" ? UP : [];
      },
    },
  );
  expect(asked).toEqual([...new Set(asked)]);
  return annotations.text;
}

test.each([
  ["plain", "plain"],
  [
    "{{ $labels.instance }} {{ .Labels.none }}|{{ $externalLabels.region }} {{ $externalURL }} {{ $value }}",
    "h.example.org:80 |eu http://here/path 1234.5678",
  ],
  ["{{ range query `up` }}{{ .Labels.job }}={{ .Value }} {{ end }}{{ query `up` | len }}", "b=2 a=1 2"],
  ["{{ range query `up` | sortByLabel `job` }}{{ . | label `job` }}{{ . | value }}{{ end }}", "a1b2"],
  ["{{ query `up` | first | label `job` }} {{ with query `none` }}x{{ else }}nothing{{ end }}", "b nothing"],
  ["{{ query (printf `%s` `up`) | first | strvalue }}.", "."],
  ["{{ with args 1 `b` }}{{ .arg0 }}{{ .arg1 }}{{ end }}", "1b"],
  [
    "{{ humanize $value }} {{ humanize 0.0012 }} {{ humanize1024 2048.0 }} {{ humanizePercentage 0.12345 }}",
    "1.235k 1.2m 2ki 12.35%",
  ],
  [
    "{{ humanizeDuration 3661 }} {{ humanizeDuration `0.25` }} {{ humanizeTimestamp 1435065584.128 }}",
    "1h 1m 1s 250ms 2015-06-23 13:19:44.128 +0000 UTC",
  ],
  [
    "{{ (toTime 1435065584).Year }} {{ toDuration 90 }} {{ parseDuration `1h30m` }} {{ now }}",
    "2015 1m30s 5400 1.79000004e+09",
  ],
  [
    "{{ stripPort $labels.instance }} {{ stripDomain $labels.instance }} {{ stripDomain `10.0.0.1:9` }}",
    "h.example.org h:80 10.0.0.1:9",
  ],
  ["{{ title `ab CD` }} {{ toUpper `a` }}{{ toLower `B` }} {{ match `^h` $labels.instance }}", "Ab CD Ab true"],
  ["{{ reReplaceAll `(.)b` `<$1>` `abcb` }} {{ safeHtml `<b>` }} {{ urlQueryEscape `a b&` }}", "<a><c> <b> a+b%26"],
  [
    "{{ graphLink `up == 0` }} {{ tableLink `x` }} {{ pathPrefix }} {{ externalURL }}",
    "/graph?g0.expr=up+%3D%3D+0&g0.tab=0 /graph?g0.expr=x&g0.tab=1 /path http://here/path",
  ],
])("%s", async (text, want) => expect(await expand(text)).toBe(want));

test.each([
  [Number.NaN, "NaN NaN NaN"],
  [Number.POSITIVE_INFINITY, "+Inf +Inf +Inf"],
  [0, "0 0 0s"],
  [-1_500, "-1.5k -1.465ki -25m 0s"],
])("%d is humanized", async (value, want) => {
  expect(await expand("{{ humanize $value }} {{ humanize1024 $value }} {{ humanizeDuration $value }}", value)).toBe(
    want,
  );
});

const WHERE = "error executing template __alert_A: template: __alert_A:1:";
test.each([
  ["{{ query `bad` }}", `${WHERE}115: executing "__alert_A" at <query \`bad\`>: error calling query: parse error`],
  [
    "{{ query `none` | first }}",
    `${WHERE}130: executing "__alert_A" at <first>: error calling first: first() called on vector with no elements`,
  ],
  [
    "{{ humanize `x` }}",
    `${WHERE}115: executing "__alert_A" at <humanize \`x\`>: error calling humanize: strconv.ParseFloat: parsing "x": invalid syntax`,
  ],
])("%s says in the text what is wrong", async (text, want) => {
  expect(await expand(text)).toBe(`<error expanding template: ${want}>`);
});

test("what can't be read is known before", () => {
  expect(
    templateProblems("A", { labels: { l: "{{ nope }}" }, annotations: { a: "{{ $labels.x }}", b: "{{" } }),
  ).toEqual([
    'label "l": template: __alert_A:1: function "nope" not defined',
    'annotation "b": template: __alert_A:1: unclosed action',
  ]);
});

test.each([
  ["loops in loops", '{{ range query "many" }}{{ range query "many" }}{{ end }}{{ end }}'],
  ["calls itself", '{{ define "t" }}{{ template "t" . }}{{ end }}{{ template "t" . }}'],
  ["doubles a text", '{{ $x := "aaaa" }}{{ range query "many" }}{{ $x = print $x $x }}{{ end }}'],
  ["asks many queries", '{{ range query "many" }}{{ query .Labels.n }}{{ end }}'],
])("a template that %s ends with an error", async (_, text) => {
  const many = Array.from({ length: 2_000 }, (_, i) => sample({ n: String(i) }));
  const templates = new RuleTemplates("A", { labels: {}, annotations: { text } });
  const around = {
    externalLabels: {},
    externalUrl: "",
    evaluate: async (query: string) => (query === "many" ? many : []),
  };
  const { annotations } = await templates.expand(sample({}), START, around);
  expect(annotations.text).toMatch(/^<error expanding template: .*(more than|maximum template depth)/);
});

test("the templates of a rule have so much time an evaluation, and again in the next one", async () => {
  const loop = '{{ range query "many" }}{{ range query "many" }}{{ end }}{{ end }}';
  const many = Array.from({ length: 2_000 }, () => sample({}));
  const templates = new RuleTemplates("A", { labels: {}, annotations: { loop, text: "{{ $value }}" } }, 200);
  const around = { externalLabels: {}, externalUrl: "", evaluate: async () => many };
  const textAt = async (timeMs: number) => (await templates.expand(sample({}, 7), timeMs, around)).annotations.text;
  let text = await textAt(START);
  expect(text).toBe("7");
  while (text === "7") text = await textAt(START);
  expect(text).toContain("the templates of the rule take more than 200 ms of CPU time an evaluation");
  expect(await textAt(START + 1)).toBe("7");
});
