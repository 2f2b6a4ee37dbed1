import { quote } from "@sightline/model/go-quote.ts";
import type { Labels } from "@sightline/model/labels.ts";
import { formatLabelName } from "./format-expr.ts";

/** A label set in messages, as Prometheus' Labels.String(): `{__name__="up", job="a"}`. */
export function formatLabelSet(labels: Labels): string {
  return `{${labels.map(([name, value]) => `${formatLabelName(name)}=${quote(value)}`).join(", ")}}`;
}
