import { formatLabels, type Labels } from "@sightline/model/labels.ts";
import type { SeriesFunction, SeriesRefusal } from "../processors/series-mapper.ts";
import type { MetricLimits } from "./tenant-config.ts";

const MAX_SHOWN = 200;

/** Number and lengths of labels; undefined when nothing of that is limited. */
export function labelLimits(limits: MetricLimits): SeriesFunction | undefined {
  const { max_labels_per_series: maxLabels, max_label_name_length: maxName, max_label_value_length: maxValue } = limits;
  if (maxLabels + maxName + maxValue === 0) return undefined;
  const tooMany = refusal("max_labels_per_series", maxLabels, "more labels");
  const longName = refusal("max_label_name_length", maxName, "a longer label name");
  const longValue = refusal("max_label_value_length", maxValue, "a longer label value");
  return {
    name: "label_limits",
    map(labels) {
      if (maxLabels > 0 && labels.length > maxLabels) return tooMany;
      if (maxName > 0 && labels.some(([name]) => name.length > maxName)) return longName;
      if (maxValue > 0 && labels.some(([, value]) => value.length > maxValue)) return longValue;
      return labels;
    },
  };
}

function refusal(key: string, limit: number, what: string): SeriesRefusal {
  const message = (labels: Labels) =>
    `${formatLabels(labels).slice(0, MAX_SHOWN)} has ${what} than limits.metrics.${key} (${limit}) allows: ` +
    "leave some out or raise it";
  return { kind: "reject", reason: "label_limit", message };
}
