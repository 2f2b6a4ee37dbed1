import { histogramWeight } from "../histogram/histogram-weight.ts";
import { type Grid, timeAt } from "./grid.ts";
import type { RangeInput } from "./range-input.ts";
import { FLOAT, HISTOGRAM, type StepSeries } from "./step-series.ts";
import type { Gaze } from "./time-window.ts";

/** The windows of a function of ranges, and whether their samples were read for it (and not made by a subquery). */
export type CountedWindows = {
  readonly gaze: Gaze;
  readonly rangeMs: number;
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly isRead: boolean;
};

/**
 * The samples of a query by step, as Prometheus tells of them for `stats=all` (util/stats/query_stats.go): those that each
 * step looked at, as if it were a query of its own, and those that had to be read for it and not for the step before.
 * It counts by itself, beside evaluation, and so takes time only for who asked.
 */
export class SampleStats {
  readonly grid: Grid;
  readonly totals: Float64Array;
  readonly reads: Float64Array;

  constructor(grid: Grid) {
    this.grid = grid;
    this.totals = new Float64Array(grid.steps);
    this.reads = new Float64Array(grid.steps);
  }

  get total(): number {
    return this.totals.reduce((sum, count) => sum + count, 0);
  }

  get read(): number {
    return this.reads.reduce((sum, count) => sum + count, 0);
  }

  /** What an instant selector found of a series. */
  selected(series: StepSeries): void {
    for (let step = 0; step < series.kinds.length; step++) {
      const kind = series.kinds[step];
      if (kind === FLOAT) this.add(step, 1, 1);
      else if (kind === HISTOGRAM) {
        const weight = histogramWeight(series.histogramAt(step));
        this.add(step, weight, weight);
      }
    }
  }

  /** What a function of ranges finds of a series. */
  walked({ timesMs, histogramTimesMs, histograms }: RangeInput, windows: CountedWindows): void {
    this.#walked(timesMs, undefined, windows);
    if (histograms.length === 0) return;
    this.#walked(histogramTimesMs, (index) => histogramWeight(histograms[index]!), windows);
  }

  #walked(timesMs: Float64Array, weightOf: ((index: number) => number) | undefined, windows: CountedWindows): void {
    const { gaze, rangeMs, beforeMs, afterMs, isRead } = windows;
    let [from, to, seen, weight] = [0, 0, 0, 0];
    for (let step = 0; step < this.grid.steps; step++) {
      const endMs = gaze.fixedMs ?? timeAt(this.grid, step) - gaze.offsetMs;
      let read = 0;
      for (; to < timesMs.length && (timesMs[to] as number) <= endMs + afterMs; to++) weight += weightOf?.(to) ?? 1;
      for (; from < to && (timesMs[from] as number) <= endMs - rangeMs - beforeMs; from++)
        weight -= weightOf?.(from) ?? 1;
      for (seen = Math.max(seen, from); seen < to; seen++) read += weightOf?.(seen) ?? 1;
      this.add(step, weight, isRead ? read : 0);
    }
  }

  add(step: number, total: number, read: number): void {
    this.totals[step] = (this.totals[step] as number) + total;
    this.reads[step] = (this.reads[step] as number) + read;
  }

  /**
   * What was read for a subquery counts for the first step that sees it, and not at all between windows. What it looked
   * at is not counted: the function that is given its samples looks at those.
   */
  addSubquery(inner: SampleStats, offsetMs: number, rangeMs: number): void {
    const { steps, startMs, stepMs } = this.grid;
    for (let k = 0; k < inner.grid.steps; k++) {
      const read = inner.reads[k] as number;
      if (read === 0) continue;
      const timeMs = timeAt(inner.grid, k) + offsetMs;
      const step = Math.min(steps - 1, Math.max(0, Math.ceil((timeMs - startMs) / stepMs)));
      if (steps === 1 || timeMs > timeAt(this.grid, step) - rangeMs) this.add(step, 0, read);
    }
  }

  /** What is evaluated once is looked at by every step, and read for the first. */
  addInvariant(inner: SampleStats): void {
    const { total, read } = inner;
    for (let step = 0; step < this.grid.steps; step++) this.add(step, total, step === 0 ? read : 0);
  }
}
