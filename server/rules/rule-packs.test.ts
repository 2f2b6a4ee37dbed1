import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rulePackNames, rulePackPath, rulePacks } from "@sightline/alerting/packs/rule-packs.ts";
import { parseRuleFile } from "@sightline/alerting/rules/parse-rule-file.ts";
import type { GroupConfig, RuleConfig } from "@sightline/alerting/rules/rule-config.ts";
import { expect, test } from "vitest";
import { ExpressionChecker } from "./expression-checker.ts";
import { lintGroups } from "./lint-rules.ts";
import { readRuleTestFile } from "./rule-test-file.ts";
import { runRuleTests } from "./run-rule-tests.ts";
import { shownRulePacks } from "./shown-rule-packs.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TESTS = ".tests.yaml";
const packs = rulePacks(["all"]).map((pack) => ({ ...pack, groups: groupsOf(pack.text) }));
/** Those of LogQL are tested with lines of logs, in log-rule-packs.test.ts. */
const ofMetrics = packs.filter(({ groups }) => languagesOf(groups).has("promql"));

function groupsOf(text: string): readonly GroupConfig[] {
  const checker = new ExpressionChecker();
  return parseRuleFile(text, { check: (expression) => checker.check(expression) });
}

function rulesOf(groups: readonly GroupConfig[]): readonly RuleConfig[] {
  return groups.flatMap(({ rules }) => rules);
}

function languagesOf(groups: readonly GroupConfig[]): ReadonlySet<string> {
  return new Set(rulesOf(groups).map(({ expression }) => expression.language));
}

/** The part of a page that an annotation names, as `docs/runbooks/PAGE.md#section`. */
function sectionOf(runbook: string): string {
  const [page = "", anchor] = runbook.split("#");
  const sections = readFileSync(`${ROOT}${page}`, "utf8").split(/^## /m).slice(1);
  return sections.find((section) => section.split("\n")[0]?.toLowerCase() === anchor) ?? "";
}

test.each(packs)("the pack $name looks right", ({ about, groups }) => {
  expect(about).not.toBe("");
  expect(lintGroups(groups)).toEqual([]);
  expect(languagesOf(groups).size).toBe(1);
});

test.each(packs)("alerts of the pack $name say how bad they are, what they mean and where to read on", (pack) => {
  for (const { name, kind, labels, annotations } of rulesOf(pack.groups)) {
    if (kind !== "alerting") continue;
    expect(labels.severity, name).toMatch(/^(critical|warning|info)$/);
    expect(Object.keys(annotations).sort(), name).toEqual(["description", "runbook", "summary"]);
    expect(annotations.runbook, name).toBe(`docs/runbooks/${pack.name}.md#${name.toLowerCase()}`);
    expect(sectionOf(annotations.runbook ?? "").length, `${name} in its runbook`).toBeGreaterThan(200);
  }
});

test.each(ofMetrics)("unit tests of the pack $name hold", async ({ name }) => {
  const warnings: string[] = [];
  const failures = await runRuleTests(rulePackPath(name, TESTS), { warn: (message) => warnings.push(message) });
  expect([...failures, ...warnings]).toEqual([]);
});

test.each(ofMetrics)("each alert of the pack $name fires in one test, and not in another", ({ name, groups }) => {
  const asked = readRuleTestFile(rulePackPath(name, TESTS)).tests.flatMap(({ alerts }) => alerts);
  const firing = new Set(asked.filter(({ alerts }) => alerts.length > 0).map(({ alertname }) => alertname));
  const quiet = new Set(asked.filter(({ alerts }) => alerts.length === 0).map(({ alertname }) => alertname));
  const all = rulesOf(groups).flatMap((rule) => (rule.kind === "alerting" ? [rule.name] : []));
  expect([...firing].sort()).toEqual([...all].sort());
  expect([...quiet].sort()).toEqual([...all].sort());
});

test("alerts have names of their own", () => {
  const names = packs.flatMap(({ groups }) => rulesOf(groups).map(({ name }) => name));
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

test("packs are listed with what they are about, and their files shown", () => {
  const list = shownRulePacks([]);
  expect(list.trimEnd().split("\n")).toHaveLength(rulePackNames().length);
  expect(list).toMatch(/^essentials +\d+ rules {2}What everybody wants/m);
  expect(shownRulePacks(["essentials"])).toBe(readFileSync(rulePackPath("essentials"), "utf8"));
  expect(() => shownRulePacks(["nothing"])).toThrow('there is no rule pack "nothing"; there are: all, ');
});

test("pages of runbooks are those of packs", () => {
  for (const { name } of packs) expect(existsSync(`${ROOT}docs/runbooks/${name}.md`), name).toBe(true);
});
