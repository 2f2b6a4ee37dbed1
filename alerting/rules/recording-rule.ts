import { labelsFrom, labelsKey, METRIC_NAME } from "@sightline/model/labels.ts";
import type { RuleSample } from "@sightline/model/rules.ts";
import type { RuleConfig } from "./rule-config.ts";
import type { RuleRow } from "./rule-row.ts";

/**
 * What a recording rule writes: the elements by its name, with its labels. Throws an Error in Prometheus' words for label
 * sets that come twice, and for more than `limit` (0: any number).
 */
export function recordedRows(rule: RuleConfig, samples: readonly RuleSample[], limit: number): readonly RuleRow[] {
  const own = Object.entries(rule.labels);
  const rows = new Map<string, RuleRow>();
  for (const { labels, value, histogram } of samples) {
    const renamed = labelsFrom([...labels, [METRIC_NAME, rule.name], ...own]);
    const key = labelsKey(renamed);
    if (rows.has(key)) throw new Error("vector contains metrics with the same labelset after applying rule labels");
    rows.set(key, { key, labels: renamed, value, histogram });
  }
  if (limit > 0 && rows.size > limit) throw new Error(`exceeded limit of ${limit} with ${rows.size} series`);
  return [...rows.values()];
}
