import { type Labels, labelsKey } from "@sightline/model/labels.ts";
import type { RuleSample } from "@sightline/model/rules.ts";
import type { LabelMap } from "../alert.ts";
import { AlertingRule } from "./alerting-rule.ts";
import type { RuleConfig } from "./rule-config.ts";

/** One series of the rule's expression, its times ascending and at multiples of the step. */
export type BacktestSeries = {
  readonly labels: Labels;
  readonly timesMs: readonly number[];
  readonly values: readonly number[];
};
/** An alert from when it fired until it ended; absent: it fires at the end. */
export type FiringPeriod = {
  readonly labels: LabelMap;
  readonly annotations: LabelMap;
  readonly startMs: number;
  endMs: number | undefined;
};

/** When an alerting rule would have fired, had it been evaluated at every step. Queries in its templates find nothing. */
export async function backtestRule(
  config: RuleConfig,
  series: readonly BacktestSeries[],
  { startMs, endMs, stepMs }: { readonly startMs: number; readonly endMs: number; readonly stepMs: number },
): Promise<readonly FiringPeriod[]> {
  const rule = new AlertingRule(config, { isRestored: false });
  const templates = { externalLabels: {}, externalUrl: "", evaluate: async () => [] };
  const cursors = series.map(() => 0);
  const periods: FiringPeriod[] = [];
  const firing = new Map<string, FiringPeriod>();
  for (let timeMs = startMs; timeMs <= endMs; timeMs += stepMs) {
    const samples: RuleSample[] = [];
    for (const [i, { labels, timesMs, values }] of series.entries()) {
      let at = cursors[i] ?? 0;
      while ((timesMs[at] ?? Number.POSITIVE_INFINITY) < timeMs) at++;
      cursors[i] = at;
      if (timesMs[at] === timeMs) samples.push({ labels, value: values[at] as number });
    }
    await rule.evaluate(samples, { timeMs, limit: 0, templates });
    const now = new Set<string>();
    for (const { labels, annotations, state } of rule.alerts) {
      if (state !== "firing") continue;
      const key = labelsKey(labels);
      now.add(key);
      if (firing.has(key)) continue;
      const period: FiringPeriod = {
        labels: Object.fromEntries(labels),
        annotations,
        startMs: timeMs,
        endMs: undefined,
      };
      firing.set(key, period);
      periods.push(period);
    }
    for (const [key, period] of firing) {
      if (now.has(key)) continue;
      period.endMs = timeMs;
      firing.delete(key);
    }
  }
  return periods;
}
