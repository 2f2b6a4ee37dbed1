import { isStaleHistogram, type NativeHistogram } from "@sightline/model/histogram.ts";
import type { Labels } from "@sightline/model/labels.ts";
import { NO_INFO, type SeriesInfo } from "@sightline/model/metric-batch.ts";
import type { SeriesSlice } from "@sightline/model/ports.ts";
import { isStaleAt, wordsOf } from "@sightline/model/stale.ts";
import { type Grid, timeAt } from "./grid.ts";
import { FLOAT, HISTOGRAM, type StepSeries } from "./step-series.ts";

/** The samples that a range selector or subquery walks over for one series; no staleness markers among them. */
export type RangeInput = {
  readonly labels: Labels;
  readonly dropName: boolean;
  readonly info: SeriesInfo;
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  readonly startsMs: Float64Array | undefined;
  readonly histogramTimesMs: Float64Array;
  readonly histograms: readonly NativeHistogram[];
  readonly histogramStartsMs: Float64Array | undefined;
};

const NO_TIMES = new Float64Array(0);

export function rangeInputOf(slice: SeriesSlice): RangeInput {
  const floats = withoutStale(slice);
  const histograms = slice.histograms && histogramsWithoutStale(slice.histograms);
  return {
    labels: slice.labels,
    dropName: false,
    info: slice.info,
    ...floats,
    histogramTimesMs: histograms?.timesMs ?? NO_TIMES,
    histograms: histograms?.values ?? [],
    histogramStartsMs: histograms?.startsMs,
  };
}

type Floats = Pick<RangeInput, "timesMs" | "values" | "startsMs">;

function withoutStale({ timesMs, values, startsMs }: SeriesSlice): Floats {
  const words = wordsOf(values);
  let stale = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isNaN(value) && isStaleAt(words, i)) stale++;
  }
  if (stale === 0) return { timesMs, values, startsMs };
  const length = values.length - stale;
  const kept = {
    timesMs: new Float64Array(length),
    values: new Float64Array(length),
    startsMs: startsMs && new Float64Array(length),
  };
  for (let i = 0, to = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isNaN(value) && isStaleAt(words, i)) continue;
    kept.timesMs[to] = timesMs[i] as number;
    kept.values[to] = value;
    if (kept.startsMs) kept.startsMs[to] = startsMs?.[i] as number;
    to++;
  }
  return kept;
}

type Histograms = NonNullable<SeriesSlice["histograms"]>;

function histogramsWithoutStale(histograms: Histograms): Histograms {
  if (!histograms.values.some(isStaleHistogram)) return histograms;
  const kept = histograms.values.map((_, i) => i).filter((i) => !isStaleHistogram(histograms.values[i]!));
  const { startsMs } = histograms;
  return {
    timesMs: Float64Array.from(kept, (i) => histograms.timesMs[i] as number),
    values: kept.map((i) => histograms.values[i]!),
    startsMs: startsMs && Float64Array.from(kept, (i) => startsMs[i] as number),
  };
}

/**
 * The result of a subquery's inner expression as samples. Counter reset hints are forgotten: a subquery may skip the
 * sample that had the reset, or see it twice.
 */
export function rangeInputOfSteps(series: StepSeries, grid: Grid): RangeInput {
  const floatSteps: number[] = [];
  const histogramSteps: number[] = [];
  for (let step = 0; step < grid.steps; step++) {
    if (series.kinds[step] === FLOAT) floatSteps.push(step);
    else if (series.kinds[step] === HISTOGRAM) histogramSteps.push(step);
  }
  return {
    labels: series.labels,
    dropName: series.dropName,
    info: NO_INFO,
    timesMs: Float64Array.from(floatSteps, (step) => timeAt(grid, step)),
    values: Float64Array.from(floatSteps, (step) => series.values[step] as number),
    startsMs: undefined,
    histogramTimesMs: Float64Array.from(histogramSteps, (step) => timeAt(grid, step)),
    histograms: histogramSteps.map((step) => withoutResetHint(series.histogramAt(step))),
    histogramStartsMs: undefined,
  };
}

function withoutResetHint(histogram: NativeHistogram): NativeHistogram {
  const hint = histogram.counterResetHint;
  return hint === 1 || hint === 2 ? { ...histogram, counterResetHint: 0 } : histogram;
}
