import { type Labels, labelsKey } from "@sightline/model/labels.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import type { Writer } from "@sightline/model/ports.ts";
import type { RuleEvaluator, RuleSample } from "@sightline/model/rules.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { LabelMap } from "../alert.ts";
import type { PostedAlert } from "../alert-sink.ts";
import { type ActiveAlert, type AlertEvaluation, AlertingRule } from "./alerting-rule.ts";
import type { EvaluationGate } from "./evaluation-gate.ts";
import { recordedRows } from "./recording-rule.ts";
import { restoreAlerts } from "./restore-alerts.ts";
import type { GroupConfig, RuleConfig } from "./rule-config.ts";
import { UnwrittenNames } from "./rule-dependencies.ts";
import type { RuleMetrics } from "./rule-metrics.ts";
import { batchOf, type RuleRow } from "./rule-row.ts";
import type { TemplateSurroundings } from "./rule-templates.ts";
import { tableLink } from "./template-functions.ts";

/** What all groups of a process share. */
export type RuleGroupOptions = {
  readonly evaluator: RuleEvaluator;
  /** It numbers requests by itself: `position` is ignored. Queries see what was appended once `append` settles. */
  readonly writer: Pick<Writer<MetricBatch>, "append">;
  /** Takes alerts to be sent; does not wait for it. */
  readonly notify: (tenant: TenantId, alerts: readonly PostedAlert[]) => void;
  readonly gate: EvaluationGate;
  readonly metrics: RuleMetrics | undefined;
  readonly logger: Logger;
  readonly externalLabels: LabelMap;
  readonly externalUrl: string;
  readonly intervalMs: number;
  readonly queryOffsetMs: number;
  readonly resendDelayMs: number;
  readonly outageToleranceMs: number;
  readonly gracePeriodMs: number;
};

export type RuleHealth = "unknown" | "ok" | "err";
/** A rule with what came of its last evaluation. */
export type EvaluatedRule = {
  readonly config: RuleConfig;
  readonly alerting: AlertingRule | undefined;
  health: RuleHealth;
  lastError: string;
  evaluationMs: number;
  /** 0: never. */
  lastEvaluationMs: number;
  /** What it wrote last, by key: what is missing next time has ended. */
  series: Map<string, Labels>;
};

/** What is written at once: some hundred kilobytes. */
const MAX_HELD_ROWS = 2_000;
/** Others see what a rule gave soon, also when those after it take long. */
const MAX_HELD_MS = 500;

/** What another process has to know to go on with a group; it is JSON but for numbers that JSON lacks. */
export type GroupMemory = {
  readonly evaluatedAtMs: number;
  readonly rules: readonly {
    readonly identity: string;
    readonly isRestored: boolean;
    readonly alerts: readonly ActiveAlert[];
    /** What it wrote last. */
    readonly series: readonly Labels[];
  }[];
};

/** Rules that are evaluated one after the other, each seeing what those before have written (rules/group.go). */
export class RuleGroup {
  readonly tenant: TenantId;
  readonly file: string;
  readonly config: GroupConfig;
  readonly intervalMs: number;
  readonly rules: readonly EvaluatedRule[];
  evaluationMs = 0;
  lastEvaluationMs = 0;
  /** Another process evaluates it. */
  isElsewhere = false;
  readonly #options: RuleGroupOptions;
  readonly #queryOffsetMs: number;
  readonly #templates: ReadonlyMap<RuleConfig, TemplateSurroundings>;
  readonly #stop = new AbortController();
  /** Of rules that are gone. */
  #ended: Labels[] = [];
  readonly #metricLabel: { readonly rule_group: string };
  /** Of this evaluation, and not written yet. */
  #outcomes: { readonly rule: EvaluatedRule; readonly rows: readonly RuleRow[] }[] = [];
  #heldRows = 0;
  /** Of the first of them. */
  #heldSince = 0;
  readonly #unwritten = new UnwrittenNames();

  /** `isRestored`: there is nothing that could be known from before a restart. */
  constructor(
    place: { readonly tenant: TenantId; readonly file: string; readonly isRestored: boolean },
    config: GroupConfig,
    options: RuleGroupOptions,
  ) {
    this.tenant = place.tenant;
    this.file = place.file;
    this.config = config;
    this.#options = options;
    this.intervalMs = config.intervalMs ?? options.intervalMs;
    this.#queryOffsetMs = config.queryOffsetMs ?? options.queryOffsetMs;
    this.#metricLabel = { rule_group: `${place.file};${config.name}` };
    this.rules = config.rules.map((rule) => ({
      config: rule,
      alerting: rule.kind === "alerting" ? new AlertingRule(rule, place) : undefined,
      health: "unknown",
      lastError: "",
      evaluationMs: 0,
      lastEvaluationMs: 0,
      series: new Map(),
    }));
    this.#templates = new Map(config.rules.map((rule) => [rule, this.#surroundings(rule)]));
    options.metrics?.interval.set(this.#metricLabel, this.intervalMs / 1_000);
    options.metrics?.rules.set(this.#metricLabel, this.rules.length);
  }

  #surroundings({ expression: { language } }: RuleConfig): TemplateSurroundings {
    const { externalLabels, externalUrl } = this.#options;
    return {
      externalLabels,
      externalUrl,
      evaluate: (text, timeMs) => this.#query({ text, language }, timeMs),
    };
  }

  /** Goes on where a group was that this one takes the place of: rules are the same by name and labels. */
  takeOver(before: RuleGroup): void {
    this.evaluationMs = before.evaluationMs;
    this.lastEvaluationMs = before.lastEvaluationMs;
    const left = Map.groupBy(before.rules, ({ config }) => identityOf(config));
    for (const rule of this.rules) {
      const known = left.get(identityOf(rule.config))?.shift();
      if (!known) continue;
      rule.series = known.series;
      if (rule.alerting && known.alerting) {
        rule.alerting.takeOver(known.alerting);
        rule.alerting.isRestored = known.alerting.isRestored;
      }
    }
    this.#ended = [...before.#ended, ...[...left.values()].flat().flatMap(({ series }) => [...series.values()])];
  }

  /** All that the next evaluation goes by. Shares what it is made of with the group. */
  get memory(): GroupMemory {
    return {
      evaluatedAtMs: this.lastEvaluationMs,
      rules: this.rules.map(({ config, alerting, series }) => ({
        identity: identityOf(config),
        isRestored: alerting?.isRestored ?? true,
        alerts: [...(alerting?.alerts ?? [])],
        series: [...series.values()],
      })),
    };
  }

  /** Goes on where another process was: rules are the same by name and labels. Takes the memory over. */
  adopt({ rules }: GroupMemory): void {
    const left = Map.groupBy(rules, ({ identity }) => identity);
    for (const rule of this.rules) {
      const known = left.get(identityOf(rule.config))?.shift();
      if (!known) continue;
      rule.series = new Map(known.series.map((labels) => [labelsKey(labels), labels]));
      if (known.isRestored) rule.alerting?.adopt(known.alerts);
    }
    this.#ended.push(...[...left.values()].flat().flatMap(({ series }) => series));
  }

  get needsRestore(): boolean {
    return this.rules.some(({ alerting }) => alerting && !alerting.isRestored);
  }

  /** Ends what runs; of this evaluation only what is known already is still written. */
  stop(): void {
    this.#stop.abort(new Error("the rules have changed"));
  }

  /** Evaluates all rules for a time. Never rejects: what failed is in the rules. */
  async evaluate(timeMs: number): Promise<void> {
    const { metrics } = this.#options;
    const began = performance.now();
    let samples = 0;
    let evaluated = 0;
    for (const rule of this.rules) {
      if (this.#stop.signal.aborted) break;
      if (this.#mustWriteBefore(rule)) await this.#writeOutcomes(timeMs);
      samples += await this.#evaluateRule(rule, timeMs);
      evaluated++;
    }
    metrics?.evaluations.inc(this.#metricLabel, evaluated);
    await this.#writeOutcomes(timeMs);
    if (this.#stop.signal.aborted) return;
    await this.#writeEnded(timeMs);
    this.evaluationMs = performance.now() - began;
    this.lastEvaluationMs = timeMs;
    metrics?.lastSamples.set(this.#metricLabel, samples);
    metrics?.lastDuration.set(this.#metricLabel, this.evaluationMs / 1_000);
    metrics?.lastEvaluation.set(this.#metricLabel, timeMs / 1_000);
    metrics?.groupSeconds.observe(this.evaluationMs / 1_000);
  }

  /** After the second evaluation. */
  async restore(nowMs: number): Promise<void> {
    const { evaluator, outageToleranceMs, gracePeriodMs, logger, metrics } = this.#options;
    const began = performance.now();
    for (const { alerting } of this.rules) {
      if (!alerting || alerting.isRestored) continue;
      const { tenant } = this;
      const options = { evaluator, tenant, nowMs, outageToleranceMs, gracePeriodMs, signal: this.#stop.signal };
      await restoreAlerts(alerting, options).catch((error: unknown) => {
        if (this.#stop.signal.aborted) return;
        logger.error("could not restore for how long alerts were pending", { rule: alerting.config.name, error });
        alerting.isRestored = true;
      });
    }
    metrics?.lastRestore.set(this.#metricLabel, (performance.now() - began) / 1_000);
  }

  /** Says of all series that they have ended. */
  async writeStaleness(timeMs: number): Promise<void> {
    this.#ended.push(...this.rules.flatMap(({ series }) => [...series.values()]));
    await this.#writeEnded(timeMs);
  }

  /** How many samples it gave. */
  async #evaluateRule(rule: EvaluatedRule, timeMs: number): Promise<number> {
    const { gate, metrics } = this.#options;
    const began = performance.now();
    rule.lastEvaluationMs = Date.now();
    let rows: readonly RuleRow[] = [];
    try {
      rows = await gate.run(() => this.#rowsOf(rule, timeMs));
      rule.health = "ok";
      rule.lastError = "";
      this.#hold(rule, rows);
    } catch (error) {
      if (!this.#stop.signal.aborted) await this.#failed(rule, timeMs, error as Error);
    }
    rule.evaluationMs = performance.now() - began;
    metrics?.evaluationSeconds.observe(rule.evaluationMs / 1_000);
    return rows.length;
  }

  async #rowsOf(rule: EvaluatedRule, timeMs: number): Promise<readonly RuleRow[]> {
    const { config, alerting } = rule;
    const samples = await this.#query(config.expression, timeMs);
    const { limit } = this.config;
    if (!alerting) return recordedRows(config, samples, limit);
    const rows = await alerting.evaluate(samples, this.#alertEvaluation(config, timeMs));
    this.#notify(alerting, timeMs);
    return rows;
  }

  #alertEvaluation(config: RuleConfig, timeMs: number): AlertEvaluation {
    const templates = this.#templates.get(config) as TemplateSurroundings;
    return { timeMs, limit: this.config.limit, templates };
  }

  async #failed(rule: EvaluatedRule, timeMs: number, error: Error): Promise<void> {
    const { logger, metrics } = this.#options;
    rule.health = "err";
    rule.lastError = error.message;
    metrics?.failures.inc(this.#metricLabel);
    logger.warn("a rule could not be evaluated", {
      tenant: this.tenant,
      file: this.file,
      group: this.config.name,
      rule: rule.config.name,
      error,
    });
    const { alerting, config } = rule;
    const rows = await alerting?.evaluateFailure(this.#alertEvaluation(config, timeMs)).catch(() => undefined);
    if (!alerting || !rows) return;
    this.#notify(alerting, timeMs);
    await this.#append(rows, [], timeMs).catch(() => {});
    for (const { key, labels } of rows) rule.series.set(key, labels);
  }

  #query(expression: RuleConfig["expression"] | { text: string; language: "promql" | "logql" }, timeMs: number) {
    const { text, language } = expression;
    const query = { text, language, tenant: this.tenant, timeMs: timeMs - this.#queryOffsetMs };
    return this.#options.evaluator.evaluate(query, this.#stop.signal) as Promise<readonly RuleSample[]>;
  }

  #notify(alerting: AlertingRule, timeMs: number): void {
    const { notify, resendDelayMs, externalLabels, externalUrl } = this.#options;
    const due = alerting.takeDue(timeMs, resendDelayMs, this.intervalMs);
    if (due.length === 0) return;
    const generatorUrl = externalUrl.replace(/\/$/, "") + tableLink(alerting.config.expression.text);
    notify(
      this.tenant,
      due.map((alert) => alerting.posted(alert, generatorUrl, externalLabels)),
    );
  }

  /** What one rule gives is written with that of the next ones that do not read it: each write waits for the disk. */
  #hold(rule: EvaluatedRule, rows: readonly RuleRow[]): void {
    if (rows.length === 0 && rule.series.size === 0) return;
    if (this.#outcomes.length === 0) this.#heldSince = performance.now();
    this.#outcomes.push({ rule, rows });
    this.#heldRows += rows.length + rule.series.size;
    this.#unwritten.add(rule.config);
  }

  #mustWriteBefore({ config }: EvaluatedRule): boolean {
    if (this.#outcomes.length === 0) return false;
    const isDue = this.#heldRows > MAX_HELD_ROWS || performance.now() - this.#heldSince > MAX_HELD_MS;
    return isDue || this.#unwritten.mayBeReadBy(config);
  }

  async #writeOutcomes(timeMs: number): Promise<void> {
    const outcomes = this.#outcomes;
    if (outcomes.length === 0) return;
    this.#outcomes = [];
    this.#heldRows = 0;
    this.#unwritten.clear();
    const all: RuleRow[] = [];
    const ended: Labels[] = [];
    const written = outcomes.map(({ rule, rows }) => {
      const series = new Map(rows.map(({ key, labels }) => [key, labels]));
      for (const row of rows) all.push(row);
      for (const [key, labels] of rule.series) if (!series.has(key)) ended.push(labels);
      return { rule, series };
    });
    try {
      await this.#append(all, ended, timeMs);
      for (const { rule, series } of written) rule.series = series;
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      for (const { rule } of outcomes) await this.#failed(rule, timeMs, error as Error);
    }
  }

  async #writeEnded(timeMs: number): Promise<void> {
    if (this.#ended.length === 0) return;
    try {
      await this.#append([], this.#ended, timeMs);
      this.#ended = [];
    } catch (error) {
      this.#options.logger.warn("could not write that series of rules have ended", { group: this.config.name, error });
    }
  }

  async #append(rows: readonly RuleRow[], ended: readonly Labels[], timeMs: number): Promise<void> {
    if (rows.length === 0 && ended.length === 0) return;
    const batch = batchOf(rows, ended, timeMs - this.#queryOffsetMs);
    const { rejected } = await this.#options.writer.append(this.tenant, batch, 0);
    for (const { reason, count, message } of rejected) {
      const fields = { group: this.config.name, file: this.file, reason, count, message };
      this.#options.logger.warn("samples of a rule were refused", fields);
    }
  }
}

/** The same in all processes. */
export function nameOfGroup({ tenant, file, config }: Pick<RuleGroup, "tenant" | "file" | "config">): string {
  return `${tenant};${file};${config.name}`;
}

function identityOf({ name, labels }: RuleConfig): string {
  return JSON.stringify([name, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
