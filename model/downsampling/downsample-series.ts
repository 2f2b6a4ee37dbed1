import type { SeriesInfo } from "../metric-batch.ts";
import type { SeriesSlice } from "../metric-store.ts";
import { isStaleAt, wordsOf } from "../stale.ts";
import { type Windows, WindowsBuilder, windowOf } from "./windows.ts";

/** A window takes up to six values where its samples took one each. */
const MIN_SAMPLES_PER_WINDOW = 8;
const MAX_KEPT_SHARE = 1 / 2;

/** The samples of a series. */
export type SeriesSamples = Omit<SeriesSlice, "labels" | "info">;
export type Downsampled = { readonly series: SeriesSamples; readonly windows: Windows };

/**
 * A series with fewer samples, and what it says of each window of time. Of the samples those stay, as they were, that
 * functions of counters and plain selectors look at: the first and the last of each window, both sides of every counter
 * reset and change of the start time, and staleness markers. So every increase from one sample that stayed to another is
 * exactly what it was.
 *
 * `windows` is what is known already, when the series was downsampled before. Returns undefined when that would save
 * nothing, or lose something: few samples per window, histograms, delta temporality.
 */
export function downsampleSeries(
  info: SeriesInfo,
  series: SeriesSamples,
  windows: Windows | undefined,
  resolutionMs: number,
): Downsampled | undefined {
  if (series.histograms || info.temporality === "delta") return undefined;
  const merged = windows ? coarser(windows, resolutionMs) : windowsOf(series, resolutionMs);
  const count = merged.timesMs.length;
  if (!windows && count * MIN_SAMPLES_PER_WINDOW > series.timesMs.length) return undefined;
  const kept = keptSamples(series, resolutionMs, keepsResets(info, series, count));
  if (!windows && kept.length > series.timesMs.length * MAX_KEPT_SHARE) return undefined;
  return { series: pick(series, kept), windows: merged };
}

function windowsOf({ timesMs, values }: SeriesSamples, resolutionMs: number): Windows {
  const words = wordsOf(values);
  const builder = new WindowsBuilder(resolutionMs);
  for (let i = 0; i < timesMs.length; i++) {
    const value = values[i] as number;
    if (Number.isNaN(value) && isStaleAt(words, i)) continue;
    builder.add(timesMs[i] as number, 1, value, value, value);
  }
  return builder.build();
}

function coarser({ timesMs, counts, sums, mins, maxs }: Windows, resolutionMs: number): Windows {
  const builder = new WindowsBuilder(resolutionMs);
  for (let i = 0; i < timesMs.length; i++) {
    const [count, sum] = [counts[i] as number, sums[i] as number];
    builder.add(timesMs[i] as number, count, sum, mins[i] as number, maxs[i] as number);
  }
  return builder.build();
}

/** What is not said to be a counter and falls in most windows is a gauge, whose falls mean nothing. */
function keepsResets({ type }: SeriesInfo, { values }: SeriesSamples, windows: number): boolean {
  if (type === "gauge") return false;
  if (type !== "unknown") return true;
  let falls = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) < (values[i - 1] as number)) falls++;
  return falls <= windows / 2;
}

/** Indexes, ascending. */
function keptSamples({ timesMs, values, startsMs }: SeriesSamples, resolutionMs: number, resets: boolean): number[] {
  const words = wordsOf(values);
  const isKept = new Uint8Array(values.length);
  let previous = -1;
  let window = Number.NaN;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isNaN(value) && isStaleAt(words, i)) {
      isKept[i] = 1;
      continue;
    }
    const next = windowOf(timesMs[i] as number, resolutionMs);
    const fell = resets && previous >= 0 && value < (values[previous] as number);
    const restarted = startsMs !== undefined && previous >= 0 && startsMs[i] !== startsMs[previous];
    if (next !== window || fell || restarted) {
      isKept[i] = 1;
      if (previous >= 0) isKept[previous] = 1;
    }
    window = next;
    previous = i;
  }
  if (previous >= 0) isKept[previous] = 1;
  const kept: number[] = [];
  for (let i = 0; i < isKept.length; i++) if (isKept[i] === 1) kept.push(i);
  return kept;
}

function pick({ timesMs, values, startsMs }: SeriesSamples, kept: readonly number[]): SeriesSamples {
  const picked = {
    timesMs: new Float64Array(kept.length),
    values: new Float64Array(kept.length),
    startsMs: startsMs && new Float64Array(kept.length),
    histograms: undefined,
  };
  // Element by element, because that keeps the bits of staleness markers.
  for (let to = 0; to < kept.length; to++) {
    const from = kept[to] as number;
    picked.timesMs[to] = timesMs[from] as number;
    picked.values[to] = values[from] as number;
    if (picked.startsMs) picked.startsMs[to] = startsMs?.[from] as number;
  }
  return picked;
}
