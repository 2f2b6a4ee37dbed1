import type { NativeHistogram } from "@sightline/model/histogram.ts";
import { HistogramMean, HistogramTotal } from "../aggregate/histogram-total.ts";
import { NOTES } from "../annotations.ts";
import type { RangeResult, RangeWindow } from "../eval/range-function.ts";
import { metricName } from "../eval/result-labels.ts";
import { IncompatibleSchemasError } from "../histogram/histogram-accumulator.ts";

export function sumHistograms(window: RangeWindow): RangeResult {
  return total(window, new HistogramTotal());
}

export function averageHistograms(window: RangeWindow): RangeResult {
  return total(window, new HistogramMean());
}

function total(window: RangeWindow, sum: HistogramTotal | HistogramMean): RangeResult {
  const { annotations, firstArgRange } = window.call;
  try {
    for (let i = window.histogramFrom; i < window.histogramTo; i++) sum.add(window.histograms[i] as NativeHistogram);
  } catch (error) {
    if (!(error instanceof IncompatibleSchemasError)) throw error;
    annotations.warn(firstArgRange, NOTES.mixedSchemas(metricName(window.series.labels)));
    return undefined;
  }
  if (sum.hasResetCollision) annotations.warn(firstArgRange, NOTES.resetCollision("aggregation"));
  if (sum.boundsReconciled) annotations.info(firstArgRange, NOTES.mismatchedCustomBuckets("aggregation"));
  return sum.result();
}
