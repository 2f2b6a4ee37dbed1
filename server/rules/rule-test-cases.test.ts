import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseRuleFile } from "@sightline/alerting/rules/parse-rule-file.ts";
import { SightlineError } from "@sightline/model/errors.ts";
import { afterAll, expect, test } from "vitest";
import { ExpressionChecker } from "./expression-checker.ts";
import { junitReport } from "./junit-report.ts";
import { withPromtoolFlags } from "./promtool-flags.ts";
import { runRuleTests } from "./run-rule-tests.ts";
import { ODD_RULE_TEST_CASES, ODD_RULES } from "./testdata/odd-rule-test-cases.ts";
import { RULE_CHECK_CASES } from "./testdata/rule-check-cases.ts";
import { RULE_FILES, RULE_TEST_CASES } from "./testdata/rule-test-cases.ts";

/** Path of promtool 3.14: its verdicts are asked again, where it is there. */
const promtool = process.env.SIGHTLINE_E2E_PROMTOOL;
const dir = mkdtempSync(join(tmpdir(), "sightline-rule-test-cases-"));
afterAll(() => rmSync(dir, { recursive: true }));
const files = { ...RULE_FILES, "odd-rules.yml": ODD_RULES };
for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);

const verdictOfPromtool = (command: string, path: string) =>
  promtool === undefined ? undefined : spawnSync(promtool, [command, "rules", path]).status === 0;

test.each([...RULE_TEST_CASES, ...ODD_RULE_TEST_CASES])("a test of $name: $passes", async ({ text, passes }) => {
  const path = join(dir, "test.yml");
  writeFileSync(path, text);
  const failures = await runRuleTests(path, { warn: () => {} }).catch((error: unknown) => {
    if (!(error instanceof SightlineError)) throw error;
    return [error.message];
  });
  expect(failures.length === 0, failures.join()).toBe(passes);
  expect(verdictOfPromtool("test", path) ?? passes).toBe(passes);
});

test.each(RULE_CHECK_CASES)("a file with $name is right: $isRight", ({ text, isRight }) => {
  const path = join(dir, "check.yml");
  writeFileSync(path, text);
  const checker = new ExpressionChecker();
  let problem = "";
  try {
    parseRuleFile(text, { check: (expression) => checker.check(expression) });
  } catch (error) {
    if (!(error instanceof SightlineError)) throw error;
    problem = error.message;
  }
  expect(problem === "", problem).toBe(isRight);
  expect(verdictOfPromtool("check", path) ?? isRight).toBe(isRight);
});

test("keys that nobody knows are passed over when that is asked for", () => {
  const text = "groups: [{name: g, owner: me, rules: [{record: a, expr: b, note: x}]}]";
  const checker = new ExpressionChecker();
  const check = checker.check.bind(checker);
  expect(() => parseRuleFile(text, { check })).toThrow("field owner not found");
  expect(parseRuleFile(text, { check, ignoresUnknown: true })).toMatchObject([{ name: "g", rules: [{ name: "a" }] }]);
});

test.each([
  [
    ["rules", "test", "--run", "a", "f", "--run=b"],
    ["rules", "test", "f", "--run=a|b"],
  ],
  [
    ["rules", "check", "f", "--lint"],
    ["rules", "check", "f", "--lint=all", "--lint-fatal"],
  ],
  [
    ["rules", "check", "--lint=none", "f"],
    ["rules", "check", "--lint=none", "f"],
  ],
])("flags as promtool takes them: %j", (args, want) => expect(withPromtoolFlags(args)).toEqual(want));

test("a report for CI systems says what failed, whatever characters it has", () => {
  const cases = [
    { name: "<a>", failures: ["it's \u0000"] },
    { name: "b", failures: [] },
  ];
  const xml = junitReport([
    { name: "f&g", cases },
    { name: "bad", cases: [], error: "no YAML" },
  ]).replaceAll(/ timestamp="[^"]*"/g, "");
  expect(xml).toBe(
    `<testsuites><testsuite name="f&amp;g" tests="2" failures="1" errors="0" skipped="0">` +
      `<testcase name="&lt;a&gt;"><failure>it&#39;s \ufffd</failure></testcase><testcase name="b"></testcase></testsuite>` +
      `<testsuite name="bad" tests="1" failures="0" errors="1" skipped="0"><testcase name="unknown"><error>no YAML</error></testcase></testsuite></testsuites>`,
  );
});
