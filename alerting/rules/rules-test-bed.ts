import { ParseError } from "@sightline/model/errors.ts";
import { type Labels, labelsFrom, METRIC_NAME } from "@sightline/model/labels.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import type { LastSample, RuleEvaluator, RuleExpression, RuleSample } from "@sightline/model/rules.ts";
import { isStaleAt, wordsOf } from "@sightline/model/stale.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import type { PostedAlert } from "../alert-sink.ts";
import { EvaluationGate } from "./evaluation-gate.ts";
import { parseRuleFile } from "./parse-rule-file.ts";
import { RuleGroup, type RuleGroupOptions } from "./rule-group.ts";

export const MINUTE = 60_000;
/** A round time, so that `+ 5 * MINUTE` reads as it is. */
export const START = 1_790_000_040_000;

/** `{ a: "b" }` with a value, as an expression gives it. */
export const sample = (labels: Record<string, string>, value = 1): RuleSample => ({
  labels: labelsFrom(labels),
  value,
});

/**
 * For tests: expressions are names whose samples the test sets, and what is written is kept and can be told apart by
 * name. Every expression but `bad` is PromQL; those with a `|=` are LogQL.
 */
export class RulesTestBed implements RuleEvaluator {
  readonly results = new Map<string, readonly RuleSample[] | Error>();
  readonly asked: (RuleExpression & { readonly timeMs: number })[] = [];
  readonly written: { readonly labels: Labels; readonly timeMs: number; readonly value: number | "stale" }[] = [];
  readonly sent: PostedAlert[] = [];
  stored: readonly LastSample[] = [];
  writeError: Error | undefined;
  /** How often something was written. */
  batches = 0;

  check({ text, language }: RuleExpression) {
    const isLogql = text.includes("|=");
    if (text === "bad" || isLogql !== (language === "logql")) {
      throw new ParseError(`1:1: parse error: unexpected ${language}`, { position: 0 });
    }
    const reads = text === "anything" ? undefined : new Set([text]);
    return { text, language, namesMetrics: !text.startsWith("{"), reads };
  }

  async evaluate({ text, language, timeMs }: RuleExpression & { readonly timeMs: number }) {
    this.asked.push({ text, language, timeMs });
    const result = this.results.get(text) ?? [];
    if (result instanceof Error) throw result;
    return result;
  }

  async lastSamples() {
    return this.stored;
  }

  async append(_tenant: string, batch: MetricBatch) {
    if (this.writeError) throw this.writeError;
    this.batches++;
    const words = wordsOf(batch.values);
    for (let i = 0; i < batch.length; i++) {
      const value = isStaleAt(words, i) ? "stale" : (batch.values[i] as number);
      const labels = batch.series[batch.refs[i] as number]?.labels ?? [];
      this.written.push({ labels, timeMs: batch.timesMs[i] as number, value });
    }
    return { accepted: batch.length, rejected: [] };
  }

  /** Since the last call: `name{…} value`, one a line. */
  takeWritten(): string[] {
    const lines = this.written.splice(0).map(({ labels, value }) => {
      const name = labels.find(([key]) => key === METRIC_NAME)?.[1];
      const rest = labels.filter(([key]) => key !== METRIC_NAME).map(([key, text]) => `${key}=${text}`);
      return `${name}{${rest.join(",")}} ${value}`;
    });
    return lines.sort();
  }

  options(changes: Partial<RuleGroupOptions> = {}): RuleGroupOptions {
    return {
      evaluator: this,
      writer: this,
      notify: (_tenant, alerts) => this.sent.push(...alerts),
      gate: new EvaluationGate(1),
      metrics: undefined,
      logger: SILENT_LOGGER,
      externalLabels: {},
      externalUrl: "http://here/",
      intervalMs: MINUTE,
      queryOffsetMs: 0,
      resendDelayMs: MINUTE,
      outageToleranceMs: 60 * MINUTE,
      gracePeriodMs: 10 * MINUTE,
      ...changes,
    };
  }

  /** The only group of a file. */
  group(yaml: string, { isRestored = true, ...changes }: Partial<RuleGroupOptions> & { isRestored?: boolean } = {}) {
    const [config] = parseRuleFile(yaml, { check: (expression) => this.check(expression) });
    if (!config) throw new Error("no group");
    const place = { tenant: DEFAULT_TENANT, file: "f", isRestored };
    return new RuleGroup(place, config, this.options(changes));
  }
}
