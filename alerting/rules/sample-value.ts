import { type GoValue, NamedText } from "@sightline/model/go-template/go-value.ts";
import type { NativeHistogram } from "@sightline/model/histogram.ts";
import type { RuleSample } from "@sightline/model/rules.ts";

/** What templates have as the value of a sample. */
export function sampleValue({ value, histogram }: RuleSample): GoValue {
  return histogram ? new NamedText("*histogram.FloatHistogram", histogramText(histogram)) : value;
}

/** Count and sum: what can be said of a histogram in a sentence. */
function histogramText({ count, sum }: NativeHistogram): string {
  return `{count:${count}, sum:${sum}}`;
}
