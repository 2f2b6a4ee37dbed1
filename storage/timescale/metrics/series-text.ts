import type { Label, Labels } from "@sightline/model/labels.ts";
import type { MetricType, SeriesInfo } from "@sightline/model/metric-batch.ts";

/** Labels and info are kept as JSON, in which no text has a U+0000, which PostgreSQL's texts may not have. */
export function formatLabelPairs(labels: Labels): string {
  return JSON.stringify(labels);
}

export function parseLabelPairs(text: string): Labels {
  return JSON.parse(text) as Label[];
}

export function formatInfo({ type, unit, temporality, otelName }: SeriesInfo): string {
  return JSON.stringify([type, unit, temporality, otelName]);
}

export function parseInfo(text: string): SeriesInfo {
  const [type, unit, temporality, otelName] = JSON.parse(text) as [
    MetricType,
    string,
    SeriesInfo["temporality"],
    string,
  ];
  return { type, unit, temporality, otelName };
}
