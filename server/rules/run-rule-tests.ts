import { globSync, readFileSync } from "node:fs";
import { EvaluationGate } from "@sightline/alerting/rules/evaluation-gate.ts";
import { parseRuleFile, RuleFileError } from "@sightline/alerting/rules/parse-rule-file.ts";
import { RuleGroup, type RuleGroupOptions } from "@sightline/alerting/rules/rule-group.ts";
import { InvalidInputError } from "@sightline/model/errors.ts";
import { formatGoDuration } from "@sightline/model/go-duration.ts";
import { compareLabels, type Labels, labelsFrom } from "@sightline/model/labels.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { formatLabelSet } from "@sightline/query/promql/format/format-label-set.ts";
import { parseMetric, parseSeriesLine } from "@sightline/query/promql/promqltest/parse-series.ts";
import { histogramExpression } from "./histogram-expression.ts";
import type { AlertTest, ExpectedSample, ExpressionTest, RuleTest, RuleTestFile } from "./rule-test-file.ts";
import { readRuleTestFile } from "./rule-test-file.ts";
import { RuleTestStore, type Sample } from "./rule-test-store.ts";

export type RuleTestOptions = {
  /** Only tests whose name has it. */
  readonly run?: ((name: string) => boolean) | undefined;
  readonly warn: (message: string) => void;
  /** Keys of rule files that nobody knows are passed over. */
  readonly ignoresUnknown?: boolean | undefined;
  /** Told of each test that was run; one without a name has its number. */
  readonly done?: ((name: string, failures: readonly string[]) => void) | undefined;
};

/**
 * Runs a file of unit tests as `promtool test rules` does. What failed, in its words; nothing when all is well. Throws
 * `InvalidInputError` for a file that can't be read.
 */
export async function runRuleTests(path: string, options: RuleTestOptions): Promise<readonly string[]> {
  const { run, warn, ignoresUnknown, done } = options;
  const file = readRuleTestFile(path);
  const ruleFiles = file.ruleFiles.flatMap((pattern) => {
    if (/\[[^\]]*$/.test(pattern)) throw new InvalidInputError("syntax error in pattern");
    const found = pattern === "" ? [] : globSync(pattern).sort();
    if (found.length === 0) warn(`no file match pattern ${pattern}`);
    return found;
  });
  const failures: string[] = [];
  for (const [i, test] of file.tests.entries()) {
    if (run && !run(test.name)) continue;
    const store = await RuleTestStore.open();
    try {
      const found = await new TestRun(file, test, store, { ruleFiles, ignoresUnknown }).run();
      done?.(test.name || `unnamed#${i}`, found);
      failures.push(...found);
    } finally {
      await store.close();
    }
  }
  return failures;
}

type RulesUnderTest = { readonly ruleFiles: readonly string[]; readonly ignoresUnknown: boolean | undefined };

/** What stops a test: the ones after it are run. */
class TestFailure extends Error {}

class TestRun {
  readonly #file: RuleTestFile;
  readonly #test: RuleTest;
  readonly #store: RuleTestStore;
  readonly #rules: RulesUnderTest;
  readonly #failures: string[] = [];

  constructor(file: RuleTestFile, test: RuleTest, store: RuleTestStore, rules: RulesUnderTest) {
    this.#file = file;
    this.#test = test;
    this.#store = store;
    this.#rules = rules;
  }

  async run(): Promise<readonly string[]> {
    try {
      this.#load();
      await this.#evaluate(this.#groups());
      for (const expression of this.#test.expressions) await this.#checkExpression(expression);
    } catch (error) {
      if (!(error instanceof TestFailure)) throw error;
      this.#failures.push(error.message);
    }
    return this.#failures;
  }

  #load(): void {
    const { series, intervalMs, startMs } = this.#test;
    try {
      this.#store.prepare(series.map(parseSeriesLine), intervalMs, startMs);
    } catch (error) {
      throw new TestFailure((error as Error).message, { cause: error });
    }
  }

  #groups(): readonly RuleGroup[] {
    const problems: string[] = [];
    const { ruleFiles, ignoresUnknown } = this.#rules;
    const groups = ruleFiles.flatMap((path) => {
      try {
        const configs = parseRuleFile(readFileSync(path, "utf8"), {
          check: (text) => this.#store.evaluator.check(text),
          ignoresUnknown,
        });
        const place = { tenant: DEFAULT_TENANT, file: path, isRestored: true };
        return configs.map((config) => new RuleGroup(place, config, this.#options()));
      } catch (error) {
        if (!(error instanceof RuleFileError)) throw error;
        problems.push(...error.problems.map((problem) => `${path}: ${problem}`));
        return [];
      }
    });
    if (problems.length > 0) throw new TestFailure(problems.join("\n"));
    const order = new Map(this.#file.groupOrder.map((name, i) => [name, i]));
    return groups.sort((a, b) => (order.get(a.config.name) ?? 0) - (order.get(b.config.name) ?? 0));
  }

  #options(): RuleGroupOptions {
    const { externalLabels, externalUrl, intervalMs } = this.#test;
    return {
      evaluator: this.#store.evaluator,
      writer: this.#store,
      notify() {},
      gate: new EvaluationGate(1),
      metrics: undefined,
      logger: SILENT_LOGGER,
      externalLabels,
      externalUrl,
      intervalMs,
      queryOffsetMs: 0,
      resendDelayMs: 0,
      outageToleranceMs: 0,
      gracePeriodMs: 0,
    };
  }

  async #evaluate(groups: readonly RuleGroup[]): Promise<void> {
    const { startMs, alerts, expressions, name } = this.#test;
    const unnamed = alerts.find(({ alertname }) => alertname === "");
    if (unnamed) {
      const where = name === "" ? "" : ` (in TestGroup ${name})`;
      const problem = "an item under alert_rule_test misses required attribute alertname";
      throw new TestFailure(`${problem} at eval_time ${unnamed.time}${where}`);
    }
    const lastMs = Math.max(0, ...alerts.map(({ atMs }) => atMs), ...expressions.map(({ atMs }) => atMs));
    const stepMs = this.#file.evaluationMs;
    for (let atMs = 0; atMs <= lastMs; atMs += stepMs) {
      await this.#store.loadUntil(startMs + atMs);
      for (const group of groups) await this.#evaluateGroup(group, startMs + atMs);
      for (const test of alerts) if (test.atMs >= atMs && test.atMs < atMs + stepMs) this.#checkAlerts(test, groups);
    }
    await this.#store.loadUntil(startMs + lastMs);
  }

  async #evaluateGroup(group: RuleGroup, timeMs: number): Promise<void> {
    await group.evaluate(timeMs);
    const failed = group.rules.filter(({ lastError }) => lastError !== "");
    if (failed.length === 0) return;
    const lines = failed.map(
      ({ config, lastError }) => `    rule: ${config.name}, time: ${formatGoDuration(timeMs * 1e6)}, err: ${lastError}`,
    );
    throw new TestFailure(lines.join("\n"));
  }

  #checkAlerts(test: AlertTest, groups: readonly RuleGroup[]): void {
    const firing = groups
      .flatMap(({ rules }) => rules)
      .filter(({ config }) => config.name === test.alertname)
      .flatMap(({ alerting }) => [...(alerting?.alerts ?? [])])
      .filter(({ state }) => state === "firing")
      .map(({ labels, annotations }) => ({ labels, annotations: labelsFrom(annotations) }));
    const expected = test.alerts.map(({ labels, annotations }) => ({
      labels: labelsFrom({ ...labels, alertname: test.alertname }),
      annotations: labelsFrom(annotations),
    }));
    const [want, got] = [expected, firing].map((alerts) => shownAlerts(alerts));
    if (want === got) return;
    const name = this.#test.name === "" ? "" : `    name: ${this.#test.name},\n`;
    this.#failures.push(
      `${name}    alertname: ${test.alertname}, time: ${test.time}, \n        exp:${want}, \n        got:${got}`,
    );
  }

  async #checkExpression({ text, time, atMs, samples }: ExpressionTest): Promise<void> {
    const say = (problem: string) => this.#failures.push(`    expr: ${JSON.stringify(text)}, time: ${time},${problem}`);
    let got: readonly Sample[];
    let want: readonly Sample[];
    try {
      got = await this.#store.ask(text, this.#test.startMs + atMs);
      want = samples.map(sampleOf);
    } catch (error) {
      say(` err: ${(error as Error).message}`);
      return;
    }
    const [sortedWant, sortedGot] = [want, got].map((all) =>
      [...all].sort((a, b) => compareLabels(a.labels, b.labels)),
    );
    if (!sortedWant || !sortedGot) return;
    const isSame =
      sortedWant.length === sortedGot.length &&
      sortedWant.every((sample, i) => this.#isSame(sample, sortedGot[i] as Sample));
    if (!isSame) say(`\n        exp: ${shownSamples(sortedWant)}\n        got: ${shownSamples(sortedGot)}`);
  }

  #isSame(a: Sample, b: Sample): boolean {
    if (compareLabels(a.labels, b.labels) !== 0 || a.histogram !== b.histogram) return false;
    if (a.histogram !== "" || a.value === b.value) return true;
    return this.#file.isFuzzy && (nextFloat(a.value, 1) === b.value || nextFloat(a.value, -1) === b.value);
  }
}

function sampleOf({ labels, value, histogram }: ExpectedSample): Sample {
  const parsed = labels === "" ? [] : parseMetric(labels).labels;
  if (histogram === "") return { labels: parsed, value, histogram };
  const [first] = parseSeriesLine(`{} ${histogram}`).values;
  if (first?.kind !== "histogram") throw new Error(`labels ${JSON.stringify(labels)}: expected histogram`);
  return { labels: parsed, value: 0, histogram: histogramExpression(first.histogram) };
}

type ShownAlert = { readonly labels: Labels; readonly annotations: Labels };

function shownAlerts(alerts: readonly ShownAlert[]): string {
  if (alerts.length === 0) return "[]";
  const sorted = [...alerts].sort(
    (a, b) => compareLabels(a.labels, b.labels) || compareLabels(a.annotations, b.annotations),
  );
  const lines = sorted.map(({ labels, annotations }, i) => {
    const texts = [`Labels:${formatLabelSet(labels)}`, `Annotations:${formatLabelSet(annotations)}`];
    return `            ${i}:${texts.map((text) => `\n              ${text}`).join("")}`;
  });
  return `[\n${lines.join(",\n")}\n            ]`;
}

function shownSamples(samples: readonly Sample[]): string {
  if (samples.length === 0) return "nil";
  const texts = samples.map(
    ({ labels, value, histogram }) => `${formatLabelSet(labels)} ${histogram || floatText(value)}`,
  );
  return texts.join(", ");
}

/** strconv.FormatFloat(value, 'E', -1, 64). */
function floatText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  return value
    .toExponential()
    .replace(/e([+-])(\d)$/, "e$10$2")
    .toUpperCase();
}

const WORDS = new DataView(new ArrayBuffer(8));

/** The float next to it, away from zero or towards it. */
function nextFloat(value: number, by: 1 | -1): number {
  WORDS.setFloat64(0, value);
  WORDS.setBigInt64(0, WORDS.getBigInt64(0) + BigInt(by));
  return WORDS.getFloat64(0);
}
