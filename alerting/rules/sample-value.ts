import { type GoValue, NamedText } from "@sightline/model/go-template/go-value.ts";
import type { RuleSample } from "@sightline/model/rules.ts";

/** What templates have as the value of a sample. */
export function sampleValue(sample: RuleSample): GoValue {
  const { value, histogram } = sample;
  if (!histogram) return value;
  const text = sample.histogramText ?? `{count:${histogram.count}, sum:${histogram.sum}}`;
  return new NamedText("*histogram.FloatHistogram", text);
}
