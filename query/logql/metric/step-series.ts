import type { Labels } from "@sightline/model/labels.ts";

/** A series at all steps at once. `values[i]` means something where `present[i]` is 1. */
export type StepSeries = {
  readonly labels: Labels;
  readonly values: Float64Array;
  readonly present: Uint8Array;
};

export function emptySeries(labels: Labels, steps: number): StepSeries {
  return { labels, values: new Float64Array(steps), present: new Uint8Array(steps) };
}
