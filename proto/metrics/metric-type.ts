import type { MetricType } from "@sightline/model/metric-batch.ts";

/** `MetricType` of both versions of remote write, by number. */
const TYPES: readonly MetricType[] = [
  "unknown",
  "counter",
  "gauge",
  "histogram",
  "gaugehistogram",
  "summary",
  "info",
  "stateset",
];

export function metricTypeOf(number: number): MetricType {
  return TYPES[number] ?? "unknown";
}

/** The family that a series belongs to: the series of classic histograms and summaries share one. */
export function familyOf(seriesName: string, type: MetricType): string {
  if (type !== "histogram" && type !== "gaugehistogram" && type !== "summary") return seriesName;
  return seriesName.replace(/_(?:bucket|sum|count|gsum|gcount)$/, "");
}
