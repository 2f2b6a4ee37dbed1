import { readFileSync } from "node:fs";
import { parseRuleFile, RuleFileError } from "@sightline/alerting/rules/parse-rule-file.ts";
import type { GroupConfig } from "@sightline/alerting/rules/rule-config.ts";
import { InvalidInputError } from "@sightline/model/errors.ts";
import { compileRegex } from "@sightline/model/regex.ts";
import { backtestRules } from "./backtest-rules.ts";
import { ExpressionChecker } from "./expression-checker.ts";
import { lintAgainstServer } from "./lint-against-server.ts";
import { lintGroups } from "./lint-rules.ts";
import { runRuleTests } from "./run-rule-tests.ts";

const USAGE =
  "usage: rules check FILE… [--lint] [--url http://HOST:PORT] | rules test FILE… [--run REGEX] | rules backtest FILE… [--start 1d] [--end now] [--alertmanager FILE] [--url http://HOST:PORT] [--tenant T] [--key-file FILE]";

type Options = Readonly<Record<string, string | boolean | undefined>>;
type Invocation = { readonly words: readonly string[]; readonly options: Options };

/** `sightline rules …`: prints as promtool does. Returns the exit code. */
export async function runRules({ words, options }: Invocation): Promise<number> {
  const [action = "", ...files] = words;
  const run = ACTIONS.get(action);
  if (!run || files.length === 0) {
    process.stderr.write(`sightline: ${USAGE}\n`);
    return 2;
  }
  return run(files, options);
}

const ACTIONS: ReadonlyMap<string, (files: readonly string[], options: Options) => Promise<number>> = new Map([
  ["check", check],
  ["test", test],
  ["backtest", backtest],
]);

/** 1 for a file that is wrong, 3 (as promtool) for what `--lint` finds. */
async function check(files: readonly string[], options: Options): Promise<number> {
  const checker = new ExpressionChecker();
  let code = 0;
  const all: GroupConfig[] = [];
  for (const path of files) {
    process.stdout.write(`Checking ${path}\n`);
    try {
      const groups = parseRuleFile(read(path), { check: (expression) => checker.check(expression) });
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
  for (const { group, rule, problem } of found) process.stdout.write(`group ${group}, rule ${rule}: ${problem}\n`);
  return code === 0 && options.lint === true && found.length > 0 ? 3 : code;
}

async function test(files: readonly string[], { run }: Options): Promise<number> {
  const pattern = typeof run === "string" ? compileRegex(run) : undefined;
  let code = 0;
  for (const path of files) {
    process.stdout.write(`Unit Testing:  ${path}\n`);
    const failures = await failuresOf(path, pattern && ((name) => pattern.matchesSomewhere(name)));
    if (failures.length === 0) process.stdout.write("  SUCCESS\n\n");
    else {
      process.stderr.write(`  FAILED:\n${failures.join("\n")}\n\n`);
      code = 1;
    }
  }
  return code;
}

async function backtest(files: readonly string[], options: Options): Promise<number> {
  process.stdout.write(await backtestRules(files, options));
  return 0;
}

async function failuresOf(path: string, run: ((name: string) => boolean) | undefined): Promise<readonly string[]> {
  const warn = (message: string) => process.stderr.write(`  WARNING: ${message}\n`);
  try {
    return await runRuleTests(path, { run, warn });
  } catch (error) {
    const isOfFile = error instanceof InvalidInputError || error instanceof RuleFileError;
    if (!isOfFile && (error as NodeJS.ErrnoException).code === undefined) throw error;
    return [(error as Error).message];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new InvalidInputError(`${path}: ${(cause as Error).message}`, { cause });
  }
}
