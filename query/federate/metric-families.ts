import { CUSTOM_BUCKETS_SCHEMA } from "@sightline/model/histogram.ts";
import { type Label, METRIC_NAME } from "@sightline/model/labels.ts";
import { escapeName } from "./escape-name.ts";
import type { ExpositionFormat } from "./exposition-format.ts";
import type { LatestSample } from "./latest-samples.ts";

export type FamilyType = "untyped" | "histogram" | "gaugehistogram";
/** Samples of one name and type, names escaped. */
export type MetricFamily = {
  readonly name: string;
  readonly type: FamilyType;
  readonly metrics: readonly FamilyMetric[];
};
/** `labels` are without the name; an empty `instance` is among them where the series has none. */
export type FamilyMetric = LatestSample;

const GAUGE_HINT = 3;
/** Told to the scraper even when it is missing, so that it does not put its own in its place. */
const INSTANCE: Label = ["instance", ""];

/**
 * The samples, sorted by name, as families. A name that has floats and histograms makes several, which Prometheus reads
 * although the format does not allow it. What the format can't carry is left out: native histograms go by protobuf
 * only, those of custom buckets also as classic histograms in text.
 */
export function* metricFamilies(samples: readonly LatestSample[], format: ExpositionFormat): Generator<MetricFamily> {
  let family: { name: string; type: FamilyType; metrics: FamilyMetric[] } | undefined;
  let lastName = "";
  for (const sample of samples) {
    if (!canCarry(format, sample)) continue;
    const type = typeOf(sample);
    if (!family || lastName !== sample.name || family.type !== type) {
      if (family) yield family;
      family = { name: escapeName(sample.name, format.escaping), type, metrics: [] };
      lastName = sample.name;
    }
    family.metrics.push({ ...sample, labels: labelsOf(sample, format) });
  }
  if (family) yield family;
}

function canCarry({ kind }: ExpositionFormat, { histogram }: LatestSample): boolean {
  if (!histogram || kind === "protobuf") return true;
  return kind === "text" && histogram.schema === CUSTOM_BUCKETS_SCHEMA;
}

function typeOf({ histogram }: LatestSample): FamilyType {
  if (!histogram) return "untyped";
  return histogram.counterResetHint === GAUGE_HINT ? "gaugehistogram" : "histogram";
}

function labelsOf({ labels }: LatestSample, { escaping }: ExpositionFormat): Label[] {
  const escaped: Label[] = [];
  for (const [name, value] of labels) if (name !== METRIC_NAME) escaped.push([escapeName(name, escaping), value]);
  if (!labels.some(([name]) => name === INSTANCE[0])) escaped.push(INSTANCE);
  return escaped;
}
