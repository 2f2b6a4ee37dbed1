import { type Labels, labelValue, METRIC_NAME } from "@sightline/model/labels.ts";
import type { QueryContext } from "./query-context.ts";
import { StepSeries } from "./step-series.ts";

/** Labels that describe the metric rather than the series: they go when the metric is no longer the same. */
const METADATA = new Set([METRIC_NAME, "__type__", "__unit__"]);

export function dropMetadata(labels: Labels): Labels {
  for (const [name] of labels) if (METADATA.has(name)) return labels.filter(([key]) => !METADATA.has(key));
  return labels;
}

export function metricName(labels: Labels): string {
  return labelValue(labels, METRIC_NAME);
}

/** An output series for `input` after an operation that makes its name meaningless. */
export function nameless(context: QueryContext, input: StepSeries): StepSeries {
  const labels = context.delayedNameRemoval ? input.labels : dropMetadata(input.labels);
  return StepSeries.empty(labels, input.kinds.length, true);
}

/** Label sets are sorted by name, so setting a label keeps the order. An empty value removes it. */
export function withLabel(labels: Labels, name: string, value: string): Labels {
  const others = labels.filter(([key]) => key !== name);
  if (value === "") return others;
  const at = others.findIndex(([key]) => key > name);
  others.splice(at === -1 ? others.length : at, 0, [name, value]);
  return others;
}

export function keepLabels(labels: Labels, names: ReadonlySet<string>): Labels {
  return labels.filter(([name]) => names.has(name));
}

export function dropLabels(labels: Labels, names: ReadonlySet<string>): Labels {
  return labels.filter(([name]) => !names.has(name));
}
