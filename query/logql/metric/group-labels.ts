import { type Labels, labelsKey } from "@sightline/model/labels.ts";
import type { Grouping } from "../ast.ts";
import type { StepSeries } from "./step-series.ts";

export type SeriesGroup = { readonly labels: Labels; readonly members: readonly StepSeries[] };

/** Only these labels, or all but these. */
export function labelsOfGroup(labels: Labels, { without, labels: names }: Grouping): Labels {
  return labels.filter(([name]) => names.includes(name) !== without && !(without && name === "__name__"));
}

/** Groups, and their members, in the order in which they come. */
export function groupSeries(series: readonly StepSeries[], grouping: Grouping): SeriesGroup[] {
  const groups = new Map<string, { labels: Labels; members: StepSeries[] }>();
  for (const member of series) {
    const labels = labelsOfGroup(member.labels, grouping);
    const key = labelsKey(labels);
    const group = groups.get(key);
    if (group) group.members.push(member);
    else groups.set(key, { labels, members: [member] });
  }
  return [...groups.values()];
}
