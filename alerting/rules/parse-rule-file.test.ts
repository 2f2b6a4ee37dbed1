import { expect, test } from "vitest";
import { parseRuleFile, RuleFileError, readRuleGroup } from "./parse-rule-file.ts";
import { RulesTestBed } from "./rules-test-bed.ts";

const bed = new RulesTestBed();
const check = bed.check.bind(bed);
const parse = (text: string) => parseRuleFile(text, { check });
const rule = (text: string) => `groups:\n- name: g\n  rules:\n  - ${text}\n`;

test("a whole file is read, with the group's labels under those of its rules", () => {
  const groups = parse(`
groups:
- name: g
  interval: 30s
  query_offset: 0s
  limit: 5
  labels: {team: a, severity: low}
  rules:
  - alert: A
    expr: |
      up
    for: 1h30m
    keep_firing_for: 5m
    labels: {severity: 1}
    annotations: &text {text: 'is {{ $value }}'}
  - record: a:b
    expr: up
- name: empty
`);
  expect(groups).toMatchObject([
    {
      name: "g",
      intervalMs: 30_000,
      queryOffsetMs: 0,
      limit: 5,
      rules: [
        {
          kind: "alerting",
          name: "A",
          forMs: 5_400_000,
          keepFiringForMs: 300_000,
          labels: { team: "a", severity: "1" },
          annotations: { text: "is {{ $value }}" },
        },
        { kind: "recording", name: "a:b", labels: { team: "a", severity: "low" } },
      ],
    },
    { name: "empty", intervalMs: undefined, queryOffsetMs: undefined, rules: [] },
  ]);
  expect(parse("")).toEqual([]);
});

const languages = (text: string) =>
  parse(text).flatMap(({ rules }) => rules.map(({ expression }) => expression.language));

test.each([
  ["by itself", "[{alert: A, expr: up}, {alert: B, expr: '{a=b} |= x'}]", ["promql", "logql"]],
  ["as asked", "[{alert: A, expr: '{a=b} |= x', language: logql}]", ["logql"]],
])("the language is found %s", (_how, rules, want) => {
  expect(languages(`groups: [{name: g, rules: ${rules}}]`)).toEqual(want);
});

test.each([
  [
    rule("{alert: A, record: b, expr: up}"),
    "4:24: 4:13: group \"g\", rule 1, \"A\": only one of 'record' and 'alert' must be set",
  ],
  [rule("{expr: up}"), "0:0: 0:0: group \"g\", rule 1, \"\": one of 'record' or 'alert' must be set"],
  [rule("{alert: A}"), '0:0: group "g", rule 1, "A": field \'expr\' must be set in rule'],
  [
    rule("{alert: A, expr: bad}"),
    '4:22: group "g", rule 1, "A": could not parse expression: 1:1: parse error: unexpected promql',
  ],
  [
    rule("{record: 'a{b}', expr: up}"),
    '4:14: group "g", rule 1, "a{b}": braces present in the recording rule name; should it be in expr?: a{b}',
  ],
  [rule("{record: a, expr: up, for: 5m}"), '4:14: group "g", rule 1, "a": invalid field \'for\' in recording rule'],
  [
    rule("{record: a, expr: up, annotations: {a: b}}"),
    '4:14: group "g", rule 1, "a": invalid field \'annotations\' in recording rule',
  ],
  [rule("{alert: A, expr: up, labels: {__name__: x}}"), 'group "g", rule 1, "A": invalid label name: __name__'],
  [
    rule("{alert: A, expr: up, labels: {a: '{{ nope }}'}}"),
    'group "g", rule 1, "A": label "a": template: __alert_A:1: function "nope" not defined',
  ],
  [rule("{alert: A, expr: up, for: 5x}"), 'yaml: unmarshal errors:\n  line 4: unknown unit "x" in duration "5x"'],
  [rule("{alert: A, expr: up, fro: 5m}"), "yaml: unmarshal errors:\n  line 4: field fro not found, there are"],
  ["groups:\n- name: a\n- name: a\n", '3:3: groupname: "a" is repeated in the same file'],
  ["groups:\n- interval: 1m\n", "2:3: Groupname must not be empty"],
  ["groups: 5", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str into a list"],
  ["groups: [", "yaml: line 1:"],
  ["x: &a [*a]", "yaml: unmarshal errors:\n  line 1: field x not found"],
])("%j is refused as promtool does", (text, want) => {
  expect(() => parse(text)).toThrow(RuleFileError);
  expect(() => parse(text)).toThrow(want);
});

test("everything that is wrong is said at once", () => {
  const text = "groups: [{name: g, rules: [{alert: A, expr: bad}, {alert: B}]}]";
  expect(() => parse(text)).toThrow(/rule 1, "A".*rule 2, "B"/s);
});

test("a group by itself is that of the APIs", async () => {
  const read = async (text: string) => parse(text);
  const group = await readRuleGroup(read, "name: g\nrules:\n- alert: A\n  expr: |\n    up\n\n    + 1\n", "");
  expect(group).toMatchObject({ name: "g", rules: [{ name: "A", expression: { text: "up\n\n+ 1\n" } }] });
  await expect(readRuleGroup(read, "", "")).rejects.toThrow();
});
