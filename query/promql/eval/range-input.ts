import { isStaleHistogram, type NativeHistogram } from "@sightline/model/histogram.ts";
import type { Labels } from "@sightline/model/labels.ts";
import { NO_INFO, type SeriesInfo } from "@sightline/model/metric-batch.ts";
import type { SeriesSlice } from "@sightline/model/metric-store.ts";
import { isStaleAt, wordsOf } from "@sightline/model/stale.ts";
import { withoutResetHint } from "../histogram/reset-hint.ts";
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
  /** How many samples each stands for, as in a `SeriesSlice`; absent when each stands for itself. */
  readonly counts?: Float64Array | undefined;
  /** Indexes of samples that are less than the one before, ascending. Empty unless they were asked for. */
  readonly resets: readonly number[];
  readonly histogramTimesMs: Float64Array;
  readonly histograms: readonly NativeHistogram[];
  readonly histogramStartsMs: Float64Array | undefined;
};

const NO_TIMES = new Float64Array(0);
const NO_INDEXES: readonly number[] = [];

export function rangeInputOf(slice: SeriesSlice, needsResets = false): RangeInput {
  const floats = needsResets ? floatsWithResets(slice) : floatsOf(slice);
  const histograms = slice.histograms && histogramsWithoutStale(slice.histograms);
  return {
    labels: slice.labels,
    dropName: false,
    info: slice.info,
    timesMs: floats.timesMs,
    values: floats.values,
    startsMs: floats.startsMs,
    counts: floats.counts,
    resets: floats.resets ?? NO_INDEXES,
    histogramTimesMs: histograms?.timesMs ?? NO_TIMES,
    histograms: histograms?.values ?? [],
    histogramStartsMs: histograms?.startsMs,
  };
}

type Floats = Pick<SeriesSlice, "timesMs" | "values" | "startsMs" | "counts"> & { readonly resets?: readonly number[] };

function floatsOf(slice: Floats): Floats {
  return mayHaveNaN(slice.values) ? withoutStale(slice) : slice;
}

/** Looks at four values at a time, because every sample passes here: their sum is NaN if one of them is, and rarely else. */
function mayHaveNaN(values: Float64Array): boolean {
  const { length } = values;
  let i = length % 4;
  for (let k = 0; k < i; k++) if (Number.isNaN(values[k] as number)) return true;
  for (; i < length; i += 4) {
    const pair = (values[i] as number) + (values[i + 1] as number);
    if (!(pair + ((values[i + 2] as number) + (values[i + 3] as number)) <= Number.POSITIVE_INFINITY)) return true;
  }
  return false;
}

/** Looks at every sample once: what is not less than the one before is neither a reset nor a staleness marker. */
function floatsWithResets(slice: Floats): Floats {
  const { timesMs, values, startsMs } = slice;
  let resets = NO_INDEXES as number[];
  for (let i = firstFall(values, 0); i < values.length; i = firstFall(values, i + 1)) {
    if (Number.isNaN(values[i])) {
      const kept = withoutStale(slice);
      return { timesMs: kept.timesMs, values: kept.values, startsMs: kept.startsMs, resets: resetsOf(kept.values) };
    }
    if (resets === NO_INDEXES) resets = [];
    resets.push(i);
  }
  return { timesMs, values, startsMs, resets };
}

/** The first index from `from` on of a value that is less than the one before, or is NaN; the one before must not be NaN. */
function firstFall(values: Float64Array, from: number): number {
  const { length } = values;
  let before = from > 0 ? (values[from - 1] as number) : Number.NEGATIVE_INFINITY;
  for (let i = from; i < length; i++) {
    const value = values[i] as number;
    if (!(value >= before)) return i;
    before = value;
  }
  return length;
}

function resetsOf(values: Float64Array): number[] {
  const resets: number[] = [];
  for (let i = 1; i < values.length; i++) if ((values[i] as number) < (values[i - 1] as number)) resets.push(i);
  return resets;
}

function withoutStale(slice: Floats): Floats {
  const { timesMs, values, startsMs, counts } = slice;
  const words = wordsOf(values);
  let stale = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isNaN(value) && isStaleAt(words, i)) stale++;
  }
  if (stale === 0) return slice;
  const length = values.length - stale;
  const kept = {
    timesMs: new Float64Array(length),
    values: new Float64Array(length),
    startsMs: startsMs && new Float64Array(length),
    counts: counts && new Float64Array(length),
  };
  for (let i = 0, to = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isNaN(value) && isStaleAt(words, i)) continue;
    kept.timesMs[to] = timesMs[i] as number;
    kept.values[to] = value;
    if (kept.startsMs) kept.startsMs[to] = startsMs?.[i] as number;
    if (kept.counts) kept.counts[to] = counts?.[i] as number;
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
export function rangeInputOfSteps(series: StepSeries, grid: Grid, needsResets = false): RangeInput {
  const floats = floatsOfSteps(series, grid);
  const histogramSteps: number[] = [];
  if (series.histograms) {
    for (let step = 0; step < grid.steps; step++) if (series.kinds[step] === HISTOGRAM) histogramSteps.push(step);
  }
  return {
    labels: series.labels,
    dropName: series.dropName,
    info: NO_INFO,
    timesMs: floats.timesMs,
    values: floats.values,
    startsMs: undefined,
    resets: needsResets ? resetsOf(floats.values) : NO_INDEXES,
    histogramTimesMs: Float64Array.from(histogramSteps, (step) => timeAt(grid, step)),
    histograms: histogramSteps.map((step) => withoutResetHint(series.histogramAt(step))),
    histogramStartsMs: undefined,
  };
}

/** Of millions of steps, in one turn. */
function floatsOfSteps({ kinds, values }: StepSeries, grid: Grid): Floats {
  let length = 0;
  for (let step = 0; step < grid.steps; step++) if (kinds[step] === FLOAT) length++;
  const floats = { timesMs: new Float64Array(length), values: new Float64Array(length) };
  for (let step = 0, to = 0; step < grid.steps; step++) {
    if (kinds[step] !== FLOAT) continue;
    floats.timesMs[to] = timeAt(grid, step);
    floats.values[to++] = values[step] as number;
  }
  return floats;
}
