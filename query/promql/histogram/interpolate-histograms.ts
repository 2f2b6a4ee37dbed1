import { CUSTOM_BUCKETS_SCHEMA, type NativeHistogram } from "@sightline/model/histogram.ts";
import { type Annotations, NOTES } from "../annotations.ts";
import type { Range } from "../ast.ts";
import { detectReset } from "./detect-reset.ts";
import { HistogramAccumulator } from "./histogram-accumulator.ts";
import { scaleHistogram } from "./scale-histogram.ts";

/**
 * The histogram at `fraction` of the way between two samples of a series; a counter that was reset began at nothing.
 * Undefined, with a warning, when exponential and custom buckets meet.
 */
export function interpolateHistograms(
  annotations: Annotations,
  range: Range,
  metric: string,
  from: NativeHistogram,
  to: NativeHistogram,
  fraction: number,
): NativeHistogram | undefined {
  if ((from.schema === CUSTOM_BUCKETS_SCHEMA) !== (to.schema === CUSTOM_BUCKETS_SCHEMA)) {
    annotations.warn(range, NOTES.mixedSchemas(metric));
    return undefined;
  }
  const isCounter = from.counterResetHint !== 3 || to.counterResetHint !== 3;
  if (isCounter && detectReset(to, from)) return scaleHistogram(to, fraction);
  const change = new HistogramAccumulator(to);
  if (change.add(from, -1).boundsReconciled) annotations.info(range, NOTES.mismatchedCustomBuckets("subtraction"));
  const result = new HistogramAccumulator(scaleHistogram(change.toHistogram(), fraction));
  if (result.add(from).boundsReconciled) annotations.info(range, NOTES.mismatchedCustomBuckets("addition"));
  return result.toHistogram();
}
