import { EMPTY_LABELS, type Labels, labelsKey, METRIC_NAME } from "@sightline/model/labels.ts";
import { dropLabels, keepLabels } from "../eval/result-labels.ts";
import type { StepSeries } from "../eval/step-series.ts";

/** The series that an aggregation puts together, with the labels they share. */
export type Group = { readonly labels: Labels; readonly members: StepSeries[] };

/** Splits series by the labels of `by (…)` or by all but those of `without (…)`; groups and members keep their order. */
export function groupSeries(series: readonly StepSeries[], names: readonly string[], without: boolean): Group[] {
  const labelsOf = groupLabels(names, without);
  const groups = new Map<string, Group>();
  for (const member of series) {
    const labels = labelsOf(member.labels);
    const key = labels.length === 0 ? "" : labelsKey(labels);
    const group = groups.get(key);
    if (group) group.members.push(member);
    else groups.set(key, { labels, members: [member] });
  }
  return [...groups.values()];
}

export function groupLabels(names: readonly string[], without: boolean): (labels: Labels) => Labels {
  if (without) {
    const dropped = new Set([...names, METRIC_NAME]);
    return (labels) => dropLabels(labels, dropped);
  }
  if (names.length === 0) return () => EMPTY_LABELS;
  const kept = new Set(names);
  return (labels) => keepLabels(labels, kept);
}
