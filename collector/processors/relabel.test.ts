import { createHash } from "node:crypto";
import { type Labels, labelsFrom } from "@sightline/model/labels.ts";
import { NO_INFO } from "@sightline/model/metric-batch.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { type RelabelRule, relabelConfig, relabelProcessor } from "./relabel.ts";

type Rule = Partial<z.input<typeof relabelConfig>["rules"][number]>;
type Result = Record<string, string> | "dropped" | "refused";

function relabel(labels: Record<string, string>, rules: readonly Rule[]): Result {
  const processor = relabelProcessor(relabelConfig.parse({ kind: "relabel", rules }));
  const result = processor.map(labelsFrom(labels), NO_INFO);
  if ("kind" in result) return result.kind === "drop" ? "dropped" : "refused";
  return Object.fromEntries(result as Labels);
}

const up = { __name__: "up", a: "foo", b: "bar", c: "baz" };

describe("as Prometheus does", () => {
  test.each<[string, Rule[], Result]>([
    [
      "replace",
      [{ source_labels: ["a"], regex: "f(.*)", target_label: "d", replacement: "ch${1}-ch${1}" }],
      { ...up, d: "choo-choo" },
    ],
    [
      "replace of joined labels",
      [{ source_labels: ["a", "b"], separator: "-", target_label: "d" }],
      { ...up, d: "foo-bar" },
    ],
    ["replace that does not match", [{ source_labels: ["a"], regex: "x(.*)", target_label: "d" }], up],
    [
      "replace with nothing deletes",
      [{ source_labels: ["a"], regex: "f.*", target_label: "b", replacement: "" }],
      { __name__: "up", a: "foo", c: "baz" },
    ],
    ["replace without sources writes", [{ target_label: "d", replacement: "x" }], { ...up, d: "x" }],
    [
      "a target with groups",
      [{ source_labels: ["a"], regex: "(f)(.*)", target_label: "${1}_x", replacement: "$2" }],
      { ...up, f_x: "oo" },
    ],
    [
      "an unknown group is empty",
      [{ source_labels: ["a"], target_label: "b", replacement: "$2" }],
      { __name__: "up", a: "foo", c: "baz" },
    ],
    ["drop", [{ source_labels: ["a"], regex: "foo|x", action: "drop" }], "dropped"],
    ["drop matches the whole", [{ source_labels: ["a"], regex: "fo", action: "drop" }], up],
    ["keep", [{ source_labels: ["a"], regex: "no-match", action: "keep" }], "dropped"],
    ["keep of a missing label", [{ source_labels: ["zz"], regex: "", action: "keep" }], up],
    ["keepequal", [{ source_labels: ["a"], target_label: "b", action: "keepequal" }], "dropped"],
    ["dropequal", [{ source_labels: ["a"], target_label: "b", action: "dropequal" }], up],
    ["dropequal of missing ones", [{ source_labels: ["x"], target_label: "y", action: "dropequal" }], "dropped"],
    ["hashmod", [{ source_labels: ["c"], target_label: "d", modulus: 1000, action: "hashmod" }], { ...up, d: "976" }],
    ["labelmap", [{ regex: "(b|c)", replacement: "x_$1", action: "labelmap" }], { ...up, x_b: "bar", x_c: "baz" }],
    [
      "labelmap, of several that map to one the one set last",
      [
        { target_label: "b", replacement: "new" },
        { regex: "b|c", replacement: "x", action: "labelmap" },
      ],
      { ...up, b: "new", x: "new" },
    ],
    ["labeldrop", [{ regex: "a|b", action: "labeldrop" }], { __name__: "up", c: "baz" }],
    ["labelkeep", [{ regex: "__name__|a", action: "labelkeep" }], { __name__: "up", a: "foo" }],
    ["uppercase", [{ source_labels: ["a"], target_label: "a", action: "uppercase" }], { ...up, a: "FOO" }],
    [
      "lowercase in any spelling",
      [{ source_labels: ["__name__"], target_label: "d", action: "LowerCase" as never }],
      { ...up, d: "up" },
    ],
    [
      "rules see what those before did",
      [
        { source_labels: ["a"], target_label: "d" },
        { source_labels: ["d"], regex: "foo", action: "drop" },
      ],
      "dropped",
    ],
    ["no name left", [{ regex: "__name__", action: "labeldrop" }], "refused"],
    ["nothing left", [{ regex: ".*", action: "labeldrop" }], "dropped"],
  ])("%s", (_, rules, want) => expect(relabel(up, rules)).toEqual(want));
});

test.each<[Rule, string]>([
  [{ action: "hashmod", target_label: "a" }, "modulus"],
  [{ action: "replace" }, "target_label"],
  [{ action: "labeldrop", source_labels: ["a"] }, "labeldrop"],
  [{ action: "keepequal", target_label: "a", regex: "x" }, "regex"],
  [{ regex: "(?=x)", target_label: "a" }, "regular expression"],
])("%j is no rule", (rule, message) => {
  const result = relabelConfig.safeParse({ kind: "relabel", rules: [rule] });
  expect(result.error?.message).toContain(message);
});

const name = fc.constantFrom("a", "b", "c", "aa");
const regex = fc.constantFrom("(.*)", "a", "(a)(.*)", "a|b", "", "[ab]+", "(b+)?.*");
const replacement = fc.constantFrom("$1", "x", "", "$2$1", "p_${1}", "$$");
const rules = fc.array(
  fc.oneof(
    fc.record({
      action: fc.constant("replace"),
      source_labels: fc.array(name, { maxLength: 2 }),
      regex,
      target_label: name,
      replacement,
    }),
    fc.record({ action: fc.constantFrom("keep", "drop"), source_labels: fc.array(name, { maxLength: 2 }), regex }),
    fc.record({
      action: fc.constantFrom("keepequal", "dropequal"),
      source_labels: fc.array(name, { maxLength: 1 }),
      target_label: name,
    }),
    fc.record({
      action: fc.constantFrom("lowercase", "uppercase"),
      source_labels: fc.array(name, { maxLength: 2 }),
      target_label: name,
    }),
    fc.record({
      action: fc.constant("hashmod"),
      source_labels: fc.array(name, { maxLength: 2 }),
      target_label: name,
      modulus: fc.integer({ min: 1, max: 9 }),
    }),
    fc.record({
      action: fc.constant("labelmap"),
      regex: fc.constantFrom("(.*)", "(a)", "(a|b)"),
      replacement: fc.constant("m_${1}"),
    }),
    fc.record({ action: fc.constantFrom("labeldrop", "labelkeep"), regex }),
  ),
  { minLength: 1, maxLength: 4 },
);

test("a naive reading of the documentation comes to the same", () => {
  const labels = fc.dictionary(name, fc.constantFrom("a", "b", "ab", "abba", "B"));
  fc.assert(
    fc.property(labels, rules, (labels, rules) => {
      const before = { ...labels, __name__: "up" };
      expect(relabel(before, rules as Rule[])).toEqual(
        naive(before, relabelConfig.parse({ kind: "relabel", rules }).rules),
      );
    }),
    { numRuns: 500 },
  );
});

type NaiveLabels = Record<string, string>;
type Naive = (labels: NaiveLabels, rule: RelabelRule, value: string, whole: RegExp) => NaiveLabels | undefined;
const expand = (match: RegExpExecArray, text: string) =>
  text.replace(/\$(?:(\$)|\{?(\d+)\}?)/g, (_, dollar, group) => (dollar ? "$" : (match[Number(group)] ?? "")));
const names = (labels: NaiveLabels, test: (name: string) => boolean) =>
  Object.fromEntries(Object.entries(labels).filter(([name]) => test(name)));

const NAIVE: Record<RelabelRule["action"], Naive> = {
  keep: (labels, _, value, whole) => (whole.test(value) ? labels : undefined),
  drop: (labels, _, value, whole) => (whole.test(value) ? undefined : labels),
  keepequal: (labels, rule, value) => ((labels[rule.target_label] ?? "") === value ? labels : undefined),
  dropequal: (labels, rule, value) => ((labels[rule.target_label] ?? "") === value ? undefined : labels),
  replace: (labels, rule, value, whole) => {
    const match = whole.exec(value);
    return match ? { ...labels, [rule.target_label]: expand(match, rule.replacement) } : labels;
  },
  lowercase: (labels, rule, value) => ({ ...labels, [rule.target_label]: value.toLowerCase() }),
  uppercase: (labels, rule, value) => ({ ...labels, [rule.target_label]: value.toUpperCase() }),
  hashmod: (labels, rule, value) => {
    const low = BigInt(`0x${createHash("md5").update(value).digest("hex").slice(16)}`);
    return { ...labels, [rule.target_label]: String(low % BigInt(rule.modulus)) };
  },
  labelmap: (labels, rule, _, whole) => {
    const mapped = Object.entries(labels).flatMap(([name, value]) => {
      const match = whole.exec(name);
      return match ? [[expand(match, rule.replacement), value] as const] : [];
    });
    return { ...labels, ...Object.fromEntries(mapped) };
  },
  labeldrop: (labels, _rule, _value, whole) => names(labels, (name) => !whole.test(name)),
  labelkeep: (labels, _rule, _value, whole) => names(labels, (name) => whole.test(name)),
};

function naive(before: NaiveLabels, rules: readonly RelabelRule[]): Result {
  let labels = before;
  for (const rule of rules) {
    const value = rule.source_labels.map((name) => labels[name] ?? "").join(rule.separator);
    const after = NAIVE[rule.action](labels, rule, value, new RegExp(`^(?:${rule.regex})$`, "s"));
    if (!after) return "dropped";
    labels = Object.fromEntries(Object.entries(after).filter(([, value]) => value !== ""));
  }
  if (Object.keys(labels).length === 0) return "dropped";
  return labels.__name__ === undefined ? "refused" : labels;
}
