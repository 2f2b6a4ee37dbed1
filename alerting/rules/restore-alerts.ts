import { type Labels, labelsKey, METRIC_NAME } from "@sightline/model/labels.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { LastSample, RuleEvaluator } from "@sightline/model/rules.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { AlertingRule } from "./alerting-rule.ts";

export type RestoreOptions = {
  readonly evaluator: Pick<RuleEvaluator, "lastSamples">;
  readonly tenant: TenantId;
  readonly nowMs: number;
  /** Alerts that were active longer ago are not. */
  readonly outageToleranceMs: number;
  /** An alert that waits at least so long does so again for this long after a restart. */
  readonly gracePeriodMs: number;
  readonly signal: AbortSignal;
};

/**
 * Gives pending alerts back the time they had waited before a restart, from ALERTS_FOR_STATE (Group.RestoreForState of
 * Prometheus). To be called once, after the second evaluation.
 */
export async function restoreAlerts(rule: AlertingRule, options: RestoreOptions): Promise<void> {
  const { evaluator, tenant, nowMs, outageToleranceMs, gracePeriodMs, signal } = options;
  const { forMs } = rule.config;
  if (forMs >= gracePeriodMs && [...rule.alerts].length > 0) {
    const range = { startMs: nowMs - outageToleranceMs, endMs: nowMs };
    const samples = await evaluator.lastSamples({ tenant, range, matchers: matchersOf(rule) }, signal);
    const byLabels = new Map(samples.map((sample) => [labelsKey(withoutName(sample.labels)), sample]));
    for (const alert of rule.alerts) {
      const sample = byLabels.get(labelsKey(alert.labels));
      if (sample && !sample.isStale) alert.activeAtMs = restoredActiveAt(sample, forMs, nowMs, gracePeriodMs);
    }
  }
  rule.isRestored = true;
}

function restoredActiveAt(sample: LastSample, forMs: number, nowMs: number, gracePeriodMs: number): number {
  const downAtMs = Math.floor(sample.timeMs / 1_000) * 1_000;
  const activeAtMs = Math.trunc(sample.value) * 1_000;
  const remainingMs = forMs - (downAtMs - activeAtMs);
  // It was firing, and does so again with the next evaluation that finds it.
  if (remainingMs <= 0) return activeAtMs;
  if (remainingMs < gracePeriodMs) return nowMs + gracePeriodMs - forMs;
  return activeAtMs + (nowMs - downAtMs);
}

function matchersOf({ config }: AlertingRule): Matcher[] {
  const fixed = Object.entries(config.labels).filter(([, value]) => !value.includes("{{") && value !== "");
  return [
    { name: METRIC_NAME, op: "=", value: "ALERTS_FOR_STATE" },
    { name: "alertname", op: "=", value: config.name },
    ...fixed.filter(([name]) => name !== "alertname").map(([name, value]) => ({ name, op: "=" as const, value })),
  ];
}

function withoutName(labels: Labels): Labels {
  return labels.filter(([name]) => name !== METRIC_NAME);
}
