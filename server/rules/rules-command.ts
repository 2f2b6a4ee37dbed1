import { readFileSync, writeFileSync } from "node:fs";
import { parseRuleFile, RuleFileError } from "@sightline/alerting/rules/parse-rule-file.ts";
import type { GroupConfig } from "@sightline/alerting/rules/rule-config.ts";
import { InvalidInputError } from "@sightline/model/errors.ts";
import { compileRegex } from "@sightline/model/regex.ts";
import type { Invocation, Options } from "../command-options.ts";
import { backtestRules } from "./backtest-rules.ts";
import { ExpressionChecker } from "./expression-checker.ts";
import { generateSloRules } from "./generate-slo-rules.ts";
import { type JunitSuite, junitReport } from "./junit-report.ts";
import { lintAgainstServer } from "./lint-against-server.ts";
import { hasDuplicateRules, lintGroups } from "./lint-rules.ts";
import { type RuleTestOptions, runRuleTests } from "./run-rule-tests.ts";
import { shownRulePacks } from "./shown-rule-packs.ts";

const USAGE =
  "usage: rules check [FILE…] [--lint [all|duplicate-rules|none]] [--lint-fatal] [--ignore-unknown-fields] [--url http://HOST:PORT] | rules test FILE… [--run REGEX]… [--junit FILE] [--diff] [--debug] [--ignore-unknown-fields] | rules backtest FILE… [--start 1d] [--end now] [--alertmanager FILE] [--silences server|FILE] [--url http://HOST:PORT] [--tenant T] [--key-file FILE] | rules packs [NAME…] | rules slo FILE…";

const STDIN = "standard input";

/** `sightline rules …`: prints as promtool does. Returns the exit code. */
export async function runRules({ words, options }: Invocation): Promise<number> {
  const [action = "", ...files] = words;
  const run = ACTIONS.get(action);
  const needsFiles = action !== "packs" && (action !== "check" || process.stdin.isTTY);
  if (!run || (files.length === 0 && needsFiles)) {
    process.stderr.write(`sightline: ${USAGE}\n`);
    return 2;
  }
  return run(files, options);
}

const ACTIONS: ReadonlyMap<string, (files: readonly string[], options: Options) => Promise<number>> = new Map([
  ["check", check],
  ["test", test],
  ["backtest", backtest],
  ["packs", packs],
  ["slo", slo],
]);

/** Of `--lint`: promtool's `all` has only duplicates. */
const LINTS = ["duplicate-rules", "all", "none"];

/** Standard input without files. 1 for a file that is wrong, 3 (as promtool) for what was found with `--lint-fatal`. */
async function check(files: readonly string[], options: Options): Promise<number> {
  const { lint = "duplicate-rules" } = options;
  if (!LINTS.includes(String(lint))) throw new InvalidInputError(`--lint ${lint}: there are ${LINTS.join(", ")}`);
  const checker = new ExpressionChecker();
  let code = 0;
  let hasDuplicates = false;
  const all: GroupConfig[] = [];
  for (const path of files.length === 0 ? [STDIN] : files) {
    process.stdout.write(`Checking ${path}\n`);
    try {
      const groups = parseRuleFile(read(path), {
        check: (expression) => checker.check(expression),
        ignoresUnknown: options["ignore-unknown-fields"] === true,
      });
      hasDuplicates ||= hasDuplicateRules(groups);
      all.push(...groups);
      process.stdout.write(`  SUCCESS: ${groups.flatMap(({ rules }) => rules).length} rules found\n`);
    } catch (error) {
      if (!(error instanceof RuleFileError)) throw error;
      process.stderr.write(`  FAILED:\n${error.problems.map((problem) => `${path}: ${problem}\n`).join("")}`);
      code = 1;
    }
    process.stdout.write("\n");
  }
  const found = [...lintGroups(all), ...(options.url === undefined ? [] : await lintAgainstServer(all, options))];
  if (lint !== "none") {
    for (const { group, rule, problem } of found) process.stdout.write(`group ${group}, rule ${rule}: ${problem}\n`);
  }
  const isFound = lint === "all" ? found.length > 0 : lint !== "none" && hasDuplicates;
  return code === 0 && options["lint-fatal"] === true && isFound ? 3 : code;
}

/** What is otherwise is always shown whole, so that `--diff` and `--debug` have nothing to add. */
async function test(files: readonly string[], options: Options): Promise<number> {
  const { run, junit } = options;
  const pattern = typeof run === "string" ? compileRegex(run) : undefined;
  const suites: JunitSuite[] = [];
  let code = 0;
  for (const path of files) {
    process.stdout.write(`Unit Testing:  ${path}\n`);
    const suite: JunitSuite = { name: path, cases: [] };
    suites.push(suite);
    const failures = await failuresOf(path, suite, {
      run: pattern && ((name) => pattern.matchesSomewhere(name)),
      ignoresUnknown: options["ignore-unknown-fields"] === true,
    });
    if (failures.length === 0) process.stdout.write("  SUCCESS\n\n");
    else {
      process.stderr.write(`  FAILED:\n${failures.join("\n")}\n\n`);
      code = 1;
    }
  }
  if (typeof junit === "string") writeFileSync(junit, junitReport(suites));
  return code;
}

async function backtest(files: readonly string[], options: Options): Promise<number> {
  process.stdout.write(await backtestRules(files, options));
  return 0;
}

/** Of OpenSLO definitions: prints a rule file. */
async function slo(files: readonly string[]): Promise<number> {
  const warn = (message: string) => process.stderr.write(`sightline: ${message}\n`);
  process.stdout.write(generateSloRules(files.map(read).join("\n---\n"), warn));
  return 0;
}

async function packs(names: readonly string[]): Promise<number> {
  process.stdout.write(shownRulePacks(names));
  return 0;
}

async function failuresOf(
  path: string,
  suite: JunitSuite,
  options: Pick<RuleTestOptions, "run" | "ignoresUnknown">,
): Promise<readonly string[]> {
  const warn = (message: string) => process.stderr.write(`  WARNING: ${message}\n`);
  try {
    const done = (name: string, failures: readonly string[]) => suite.cases.push({ name, failures });
    return await runRuleTests(path, { ...options, warn, done });
  } catch (error) {
    const isOfFile = error instanceof InvalidInputError || error instanceof RuleFileError;
    if (!isOfFile && (error as NodeJS.ErrnoException).code === undefined) throw error;
    suite.error = (error as Error).message;
    return [suite.error];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path === STDIN ? 0 : path, "utf8");
  } catch (cause) {
    throw new InvalidInputError(`${path}: ${(cause as Error).message}`, { cause });
  }
}
