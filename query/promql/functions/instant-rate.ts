import type { NativeHistogram } from "@sightline/model/histogram.ts";
import { NOTES } from "../annotations.ts";
import type { RangeFunction, RangeResult, RangeWindow } from "../eval/range-function.ts";
import { metricName } from "../eval/result-labels.ts";
import { deltaInstantRate, isDelta } from "./delta-rate.ts";
import { histogramDifference } from "./histogram-rate.ts";
import { histogramCount } from "./over-time.ts";
import { isStartTimeReset } from "./start-time.ts";

/** `irate` and `idelta`: the change between the last two samples of a range. */
export const INSTANT_RATE_FUNCTIONS: ReadonlyMap<string, RangeFunction> = new Map<string, RangeFunction>([
  [
    "irate",
    {
      minFloats: 2,
      floats: instantRate,
      any: (window) => (isDelta(window.series) ? deltaInstantRate(window) : changeOfAny(window, true)),
      always: isDelta,
    },
  ],
  ["idelta", { minFloats: 2, floats: instantDelta, any: (window) => changeOfAny(window, false) }],
]);

function instantRate({ timesMs, values, to, series }: RangeWindow): number {
  const last = values[to - 1] as number;
  const before = values[to - 2] as number;
  const timeMs = timesMs[to - 1] as number;
  const beforeMs = timesMs[to - 2] as number;
  const { startsMs } = series;
  const reset =
    last < before || (startsMs && isStartTimeReset(startsMs[to - 2] ?? 0, beforeMs, startsMs[to - 1] ?? 0, timeMs));
  return (reset ? last : last - before) / ((timeMs - beforeMs) / 1000);
}

function instantDelta({ values, to }: RangeWindow): number {
  return (values[to - 1] as number) - (values[to - 2] as number);
}

function changeOfAny(window: RangeWindow, isRate: boolean): RangeResult {
  const floats = window.to - window.from;
  const histograms = histogramCount(window);
  if (floats + histograms < 2) return undefined;
  const { timesMs, histogramTimesMs, to, histogramTo, call } = window;
  const floatIsNewer =
    histograms === 0 || (floats > 0 && (timesMs[to - 1] as number) > (histogramTimesMs[histogramTo - 1] as number));
  const newestMs = floatIsNewer ? timesMs[to - 1] : histogramTimesMs[histogramTo - 1];
  const floatBefore =
    (floatIsNewer ? floats > 1 && timesMs[to - 2] : floats > 0 && timesMs[to - 1]) || Number.NEGATIVE_INFINITY;
  const histogramBefore =
    (floatIsNewer
      ? histograms > 0 && histogramTimesMs[histogramTo - 1]
      : histograms > 1 && histogramTimesMs[histogramTo - 2]) || Number.NEGATIVE_INFINITY;
  if (newestMs === undefined) return undefined;
  const beforeIsFloat = floatBefore > histogramBefore;
  if (floatIsNewer && beforeIsFloat) return isRate ? instantRate(window) : instantDelta(window);
  if (!floatIsNewer && !beforeIsFloat) return histogramInstantChange(window, isRate);
  call.annotations.warn(call.argRange, NOTES.mixedFloatsHistograms(metricName(window.series.labels)));
  return undefined;
}

function histogramInstantChange(window: RangeWindow, isRate: boolean): RangeResult {
  const { histograms, histogramTimesMs, histogramTo: to, series, call } = window;
  const last = histograms[to - 1] as NativeHistogram;
  const before = histograms[to - 2] as NativeHistogram;
  const metric = metricName(series.labels);
  const gauges = (last.counterResetHint === 3 ? 1 : 0) + (before.counterResetHint === 3 ? 1 : 0);
  if (isRate && gauges > 0) call.annotations.warn(call.argRange, NOTES.notCounter(metric));
  if (!isRate && gauges < 2) call.annotations.warn(call.argRange, NOTES.notGauge(metric));
  const timeMs = histogramTimesMs[to - 1] as number;
  const beforeMs = histogramTimesMs[to - 2] as number;
  const starts = series.histogramStartsMs;
  const startReset =
    starts !== undefined && isStartTimeReset(starts[to - 2] ?? 0, beforeMs, starts[to - 1] ?? 0, timeMs);
  return histogramDifference(window, before, last, isRate, startReset, isRate ? (timeMs - beforeMs) / 1000 : 1);
}
