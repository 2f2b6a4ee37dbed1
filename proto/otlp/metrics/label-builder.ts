import type { Attributes } from "@sightline/model/attributes.ts";
import { type Label, type Labels, METRIC_NAME } from "@sightline/model/labels.ts";
import { type Fault, invalid } from "../../metrics/rejection-log.ts";
import type { SeriesInterner } from "../../metrics/series-interner.ts";
import { labelName } from "./label-name.ts";

/** Labels being put together, by name. Empty values are as good as none. */
export type LabelMap = Map<string, string>;

/**
 * Labels for attributes, without those in `ignored`. Names that become the same have their values joined by `;`, in the
 * order of the original names (OpenTelemetry specification, "Prometheus and OpenMetrics compatibility").
 */
export function attributeLabels(
  attributes: Attributes,
  escaping: boolean,
  ignored: readonly string[],
): LabelMap | Fault {
  const labels: LabelMap = new Map();
  const sorted = [...attributes].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name: attribute, value } of sorted) {
    if (ignored.includes(attribute)) continue;
    const name = labelName(attribute, escaping);
    if (name === undefined) {
      return invalid("label-name", `attribute name ${JSON.stringify(attribute)} can't be made a label name`);
    }
    const joined = labels.get(name);
    labels.set(name, joined ? `${joined};${value}` : value);
  }
  return labels;
}

/** The labels of a series: `base`, the metric's name, and perhaps `le` or `quantile`, which win over an attribute. */
export function toLabels(base: LabelMap, metric: string, interner: SeriesInterner, extra?: Label): Labels {
  const labels: Label[] = [interner.label(METRIC_NAME, metric)];
  for (const [name, value] of base) {
    if (value === "" || name === METRIC_NAME || name === extra?.[0]) continue;
    labels.push(interner.label(name, value));
  }
  if (extra) labels.push(interner.label(extra[0], extra[1]));
  return labels.sort(([a], [b]) => (a < b ? -1 : 1));
}
