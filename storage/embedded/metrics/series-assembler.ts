import type { NativeHistogram } from "@sightline/model/histogram.ts";
import type { HistogramSlice, SeriesSlice } from "@sightline/model/metric-store.ts";

/** Samples of one series as they are put together. */
export type AssembledSeries = Omit<SeriesSlice, "labels" | "info">;

/** Slabs grow up to this, unless a series is longer. */
const SLAB_VALUES = 32 * 1024;

const MAX_SPARE_VALUES = 4 * SLAB_VALUES;
const NO_VALUES = new Float64Array(0);
/** Left by the last one that reuses, so that a short query need not make and clear one. */
let spareSlab = NO_VALUES;

/**
 * Puts a series together from fragments, each ascending in time, given oldest write first. Fragments that follow each
 * other in time become one run without copying values again; others are merged, the first write of a time wins.
 *
 * Values are decoded straight into slabs of this object, and results are views of them. Times that several series
 * share (they come from one scrape) stay one array when the series are read one after the other.
 */
export class SeriesAssembler {
  readonly #reuses: boolean;
  #slab = NO_VALUES;
  #used = 0;
  #from = 0;
  #fragments: Fragment[] = [];
  #previous: Fragment[] = [];
  #previousTimes = NO_VALUES;
  #histograms: HistogramRun | undefined;

  /** With `reuses`, values are overwritten after the next call of {@link SeriesAssembler.beginGroup}. */
  constructor(reuses = false) {
    this.#reuses = reuses;
    if (!reuses) return;
    this.#slab = spareSlab;
    spareSlab = NO_VALUES;
  }

  /** To be called when nobody looks at the values any more: the next one that reuses may have their memory. */
  end(): void {
    if (this.#reuses && this.#slab.length > spareSlab.length && this.#slab.length <= MAX_SPARE_VALUES) {
      spareSlab = this.#slab;
    }
    this.#slab = NO_VALUES;
    this.#used = 0;
  }

  beginGroup(): void {
    if (this.#reuses) this.#used = 0;
  }

  /** Starts a series. */
  begin(): void {
    this.#fragments = [];
    this.#histograms = undefined;
    this.#from = this.#used;
  }

  /** Makes room for `count` more values and returns the index of the first; moves what this series has, if it must. */
  reserve(count: number): number {
    if (this.#used + count > this.#slab.length) {
      const kept = this.#slab.subarray(this.#from, this.#used);
      const values = Math.min(SLAB_VALUES, this.#slab.length * 4);
      this.#slab = new Float64Array(Math.max(values, (kept.length + count) * 2));
      this.#slab.set(kept);
      this.#used = kept.length;
      this.#from = 0;
    }
    return this.#used;
  }

  /** Where to put values after `reserve`. */
  get values(): Float64Array {
    return this.#slab;
  }

  /**
   * Takes values `skip` to `skip + count` of those written after the last `reserve`. They belong to the times and the
   * start times from `timesFrom` and `startsFrom` on. The arrays are kept: what was given of them must not change.
   */
  add(
    timesMs: Float64Array,
    timesFrom: number,
    count: number,
    skip: number,
    startsMs?: Float64Array | undefined,
    startsFrom = 0,
  ): void {
    if (count === 0) return;
    if (skip > 0) this.#slab.copyWithin(this.#used, this.#used + skip, this.#used + skip + count);
    this.#used += count;
    this.#fragments.push({ timesMs, from: timesFrom, to: timesFrom + count, startsMs, startsFrom, counts: undefined });
  }

  /** Adds values each of which stands for several samples: see `SeriesSlice.counts`. */
  addCounted(timesMs: Float64Array, values: Float64Array, counts: Float64Array): void {
    const count = timesMs.length;
    if (count === 0) return;
    const at = this.reserve(count);
    this.#slab.set(values, at);
    this.#used += count;
    this.#fragments.push({ timesMs, from: 0, to: count, startsMs: undefined, startsFrom: 0, counts });
  }

  addHistograms(timesMs: readonly number[], startsMs: readonly number[], values: readonly NativeHistogram[]): void {
    if (timesMs.length === 0) return;
    const run = { timesMs, startsMs, values };
    this.#histograms = this.#histograms ? mergeHistograms(this.#histograms, run) : run;
  }

  /** The series, undefined when it has no sample. */
  finish(): AssembledSeries | undefined {
    const histograms = this.#histograms;
    const floats = this.#floats();
    if (floats.timesMs.length === 0 && !histograms) return undefined;
    if (!histograms) return floats;
    return { ...floats, histograms: histogramSlice(histograms, floats.timesMs) };
  }

  #floats(): AssembledSeries {
    const fragments = this.#fragments;
    const values = this.#slab.subarray(this.#from, this.#used);
    if (!ascending(fragments)) return mergeFragments(fragments, values);
    const timesMs = this.#times(fragments);
    const startsMs = startsOf(fragments, timesMs.length);
    const counts = countsOf(fragments, timesMs.length);
    return { timesMs, values, startsMs, ...(counts && { counts }), histograms: undefined };
  }

  #times(fragments: Fragment[]): Float64Array {
    const [first] = fragments;
    if (!first) return NO_VALUES;
    if (sameTimes(fragments, this.#previous)) return this.#previousTimes;
    let times: Float64Array;
    if (fragments.length === 1) times = first.timesMs.subarray(first.from, first.to);
    else {
      times = new Float64Array(fragments.reduce((sum, { from, to }) => sum + to - from, 0));
      let at = 0;
      for (const { timesMs, from, to } of fragments) {
        times.set(timesMs.subarray(from, to), at);
        at += to - from;
      }
    }
    this.#previous = fragments;
    this.#previousTimes = times as Float64Array<ArrayBuffer>;
    return times;
  }
}

type Fragment = {
  readonly timesMs: Float64Array;
  readonly from: number;
  readonly to: number;
  readonly startsMs: Float64Array | undefined;
  readonly startsFrom: number;
  /** From its first sample on. */
  readonly counts: Float64Array | undefined;
};
type HistogramRun = {
  readonly timesMs: readonly number[];
  readonly startsMs: readonly number[];
  readonly values: readonly NativeHistogram[];
};
function ascending(fragments: readonly Fragment[]): boolean {
  for (let i = 1; i < fragments.length; i++) {
    const before = fragments[i - 1] as Fragment;
    const next = fragments[i] as Fragment;
    if ((next.timesMs[next.from] as number) <= (before.timesMs[before.to - 1] as number)) return false;
  }
  return true;
}

function sameTimes(a: readonly Fragment[], b: readonly Fragment[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!isSameRun(a[i] as Fragment, b[i] as Fragment)) return false;
  return true;
}

/** Mostly it is the same array. A head has others for series that began later, and for each group. */
function isSameRun(a: Fragment, b: Fragment): boolean {
  if (a.to - a.from !== b.to - b.from) return false;
  if (a.timesMs === b.timesMs && a.from === b.from) return true;
  const shift = b.from - a.from;
  for (let i = a.from; i < a.to; i++) if (a.timesMs[i] !== b.timesMs[i + shift]) return false;
  return true;
}

function startsOf(fragments: readonly Fragment[], length: number): Float64Array | undefined {
  let any = false;
  for (let i = 0; i < fragments.length; i++) if ((fragments[i] as Fragment).startsMs) any = true;
  if (!any) return undefined;
  const starts = new Float64Array(length);
  let at = 0;
  for (const { startsMs, startsFrom, from, to } of fragments) {
    if (startsMs) starts.set(startsMs.subarray(startsFrom, startsFrom + to - from), at);
    at += to - from;
  }
  return starts.some((start) => start !== 0) ? starts : undefined;
}

function countsOf(fragments: readonly Fragment[], length: number): Float64Array | undefined {
  let any = false;
  for (let i = 0; i < fragments.length; i++) if ((fragments[i] as Fragment).counts) any = true;
  if (!any) return undefined;
  const all = new Float64Array(length).fill(1);
  let at = 0;
  for (const { counts, from, to } of fragments) {
    if (counts) all.set(counts, at);
    at += to - from;
  }
  return all;
}

/** `values` has those of all fragments one after the other. */
function mergeFragments(fragments: readonly Fragment[], values: Float64Array): AssembledSeries {
  let at = 0;
  let merged: Columns = { timesMs: NO_VALUES, values: NO_VALUES, startsMs: NO_VALUES, counts: NO_VALUES };
  for (const { timesMs, startsMs, startsFrom, from, to, counts } of fragments) {
    const count = to - from;
    const next: Columns = {
      timesMs: timesMs.subarray(from, to),
      values: values.subarray(at, at + count),
      startsMs: startsMs?.subarray(startsFrom, startsFrom + count) ?? new Float64Array(count),
      counts: counts ?? new Float64Array(count).fill(1),
    };
    merged = mergeColumns(merged, next);
    at += count;
  }
  const hasStarts = merged.startsMs.some((start) => start !== 0);
  const startsMs = hasStarts ? merged.startsMs : undefined;
  const hasCounts = fragments.some(({ counts }) => counts);
  const { timesMs, values: all, counts } = merged;
  return { timesMs, values: all, startsMs, ...(hasCounts && { counts }), histograms: undefined };
}

type Columns = {
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  readonly startsMs: Float64Array;
  readonly counts: Float64Array;
};

function mergeColumns(a: Columns, b: Columns): Columns {
  const timesMs = new Float64Array(a.timesMs.length + b.timesMs.length);
  const values = new Float64Array(timesMs.length);
  const startsMs = new Float64Array(timesMs.length);
  const counts = new Float64Array(timesMs.length);
  let length = 0;
  for (let i = 0, j = 0; i < a.timesMs.length || j < b.timesMs.length; length++) {
    const timeA = i < a.timesMs.length ? (a.timesMs[i] as number) : Number.POSITIVE_INFINITY;
    const timeB = j < b.timesMs.length ? (b.timesMs[j] as number) : Number.POSITIVE_INFINITY;
    const [from, index] = timeA <= timeB ? [a, i] : [b, j];
    timesMs[length] = from.timesMs[index] as number;
    values[length] = from.values[index] as number;
    startsMs[length] = from.startsMs[index] as number;
    counts[length] = from.counts[index] as number;
    if (timeA <= timeB) i++;
    if (timeB <= timeA) j++;
  }
  return {
    timesMs: timesMs.subarray(0, length),
    values: values.subarray(0, length),
    startsMs: startsMs.subarray(0, length),
    counts: counts.subarray(0, length),
  };
}

function mergeHistograms(a: HistogramRun, b: HistogramRun): HistogramRun {
  const merged = { timesMs: [] as number[], startsMs: [] as number[], values: [] as NativeHistogram[] };
  for (let i = 0, j = 0; i < a.timesMs.length || j < b.timesMs.length; ) {
    const timeA = a.timesMs[i] ?? Number.POSITIVE_INFINITY;
    const timeB = b.timesMs[j] ?? Number.POSITIVE_INFINITY;
    const [from, index] = timeA <= timeB ? [a, i] : [b, j];
    merged.timesMs.push(from.timesMs[index] as number);
    merged.startsMs.push(from.startsMs[index] as number);
    merged.values.push(from.values[index] as NativeHistogram);
    if (timeA <= timeB) i++;
    if (timeB <= timeA) j++;
  }
  return merged;
}

/** Where a series has both kinds at one time, the plain sample counts. */
function histogramSlice(run: HistogramRun, floatTimesMs: Float64Array): HistogramSlice | undefined {
  const kept: number[] = [];
  let j = 0;
  run.timesMs.forEach((timeMs, i) => {
    while (j < floatTimesMs.length && (floatTimesMs[j] as number) < timeMs) j++;
    if (floatTimesMs[j] !== timeMs) kept.push(i);
  });
  if (kept.length === 0) return undefined;
  const starts = kept.map((i) => run.startsMs[i] as number);
  return {
    timesMs: Float64Array.from(kept, (i) => run.timesMs[i] as number),
    values: kept.map((i) => run.values[i] as NativeHistogram),
    ...(starts.some((start) => start !== 0) && { startsMs: Float64Array.from(starts) }),
  };
}
