import type { NativeHistogram } from "@sightline/model/histogram.ts";
import type { Label } from "@sightline/model/labels.ts";
import { formatGeneral } from "../promql/format/format-float.ts";
import { classicBuckets } from "./classic-buckets.ts";
import { isOldName } from "./escape-name.ts";
import type { FamilyMetric, MetricFamily } from "./metric-families.ts";

/** Families in Prometheus' text format 0.0.4, as expfmt's text_create.go writes it. */
export function* expositionText(families: Iterable<MetricFamily>): Generator<string> {
  for (const { name, type, metrics } of families) {
    yield `# TYPE ${quotedName(name)} ${type === "untyped" ? "untyped" : "histogram"}\n`;
    for (const metric of metrics) yield metricText(name, metric);
  }
}

function metricText(name: string, { labels, timeMs, value, histogram }: FamilyMetric): string {
  const line = (suffix: string, labels: readonly Label[], value: number) =>
    `${series(name + suffix, labels)} ${floatText(value)} ${timeMs}\n`;
  if (!histogram) return line("", labels, value);
  const bucket = (bound: number, count: number) => line("_bucket", [...labels, ["le", floatText(bound)]], count);
  return [
    ...bucketsOf(histogram).map(({ upperBound, cumulativeCount }) => bucket(upperBound, cumulativeCount)),
    line("_sum", labels, histogram.sum),
    line("_count", labels, histogram.count),
  ].join("");
}

function bucketsOf(histogram: NativeHistogram) {
  return [...classicBuckets(histogram), { upperBound: Number.POSITIVE_INFINITY, cumulativeCount: histogram.count }];
}

/** Families in OpenMetrics 1.0, with the line that ends it. Times are seconds there. */
export function* openMetricsText(families: Iterable<MetricFamily>): Generator<string> {
  for (const { name, metrics } of families) {
    yield `# TYPE ${quotedName(name)} unknown\n`;
    for (const { labels, timeMs, value } of metrics) {
      yield `${series(name, labels)} ${openMetricsFloat(value)} ${openMetricsFloat(timeMs / 1_000)}\n`;
    }
  }
  yield "# EOF\n";
}

/** `name{a="b"}`, or `{"http.server",a="b"}` for a name that can't stand without quotes. */
function series(name: string, labels: readonly Label[]): string {
  const pairs = labels.map(([label, value]) => `${quotedName(label)}="${escapeText(value)}"`);
  const isPlain = isOldName(name);
  if (!isPlain) pairs.unshift(quotedName(name));
  return (isPlain ? name : "") + (pairs.length > 0 ? `{${pairs.join(",")}}` : "");
}

function quotedName(name: string): string {
  return isOldName(name) ? name : `"${escapeText(name)}"`;
}

function escapeText(text: string): string {
  return text.replace(/[\\"\n]/g, (letter) => (letter === "\n" ? "\\n" : `\\${letter}`));
}

function floatText(value: number): string {
  return value === 0 ? "0" : formatGeneral(value);
}

function openMetricsFloat(value: number): string {
  const text = floatText(value);
  return /[e.]/.test(text) || !Number.isFinite(value) ? text : `${text}.0`;
}
