import type { Labels } from "@sightline/model/labels.ts";
import type { RangeAggregationExpr } from "../ast.ts";
import type { QueryBudget } from "./query-budget.ts";
import type { StepGrid } from "./step-grid.ts";
import { emptySeries, type StepSeries } from "./step-series.ts";
import { type Window, type WindowFunction, windowFunction } from "./window-functions.ts";

/** Samples of a range aggregation on their way to its value at every step. */
export interface RangeAccumulator {
  /** `timeNs` counts from the first step, `series` from 0; times of a series never descend. */
  add(series: number, timeNs: number, value: number): void;
  finish(labels: readonly Labels[]): Promise<StepSeries[]>;
}

/** Which steps have a sample in their range `(step - interval, step]`. */
export class Windows {
  readonly count: number;
  readonly stepNs: number;
  readonly intervalNs: number;

  constructor({ count, stepNs }: StepGrid, intervalNs: number) {
    this.count = count;
    this.stepNs = Number(stepNs);
    this.intervalNs = intervalNs;
  }

  first(timeNs: number): number {
    return Math.max(0, Math.ceil(timeNs / this.stepNs));
  }

  /** Exclusive. At or below {@link first}: no step has it. */
  end(timeNs: number): number {
    return Math.min(this.count, Math.ceil((timeNs + this.intervalNs) / this.stepNs));
  }
}

export function rangeAccumulator(expr: RangeAggregationExpr, grid: StepGrid, budget: QueryBudget): RangeAccumulator {
  const { op, parameter, logRange } = expr;
  const windows = new Windows(grid, logRange.intervalNs);
  const isCounted = !logRange.unwrap || op === "absent_over_time";
  if (!isCounted) return new SampleAccumulator(windows, windowFunction(op, parameter), budget);
  const perSecond = op === "rate" || op === "bytes_rate";
  return new CountAccumulator(windows, perSecond ? logRange.intervalNs / 1e9 : 1, budget);
}

/**
 * Sums of whole numbers: every sample is noted where it enters the steps and where it leaves them, which is exact, and
 * costs the same however the ranges overlap.
 */
class CountAccumulator implements RangeAccumulator {
  readonly #windows: Windows;
  readonly #divisor: number;
  readonly #budget: QueryBudget;
  /** Per series: changes of the sum, and of the number of samples in it, from step to step. */
  readonly #sums: Float64Array[] = [];
  readonly #counts: Float64Array[] = [];

  constructor(windows: Windows, divisor: number, budget: QueryBudget) {
    this.#windows = windows;
    this.#divisor = divisor;
    this.#budget = budget;
  }

  add(series: number, timeNs: number, value: number): void {
    const first = this.#windows.first(timeNs);
    const end = this.#windows.end(timeNs);
    let sums = this.#sums[series];
    if (!sums) {
      const length = this.#windows.count + 1;
      this.#budget.hold(2 * length);
      sums = new Float64Array(length);
      this.#sums[series] = sums;
      this.#counts[series] = new Float64Array(length);
    }
    if (end <= first) return;
    const counts = this.#counts[series] as Float64Array;
    sums[first] = (sums[first] as number) + value;
    sums[end] = (sums[end] as number) - value;
    counts[first] = (counts[first] as number) + 1;
    counts[end] = (counts[end] as number) - 1;
  }

  async finish(labels: readonly Labels[]): Promise<StepSeries[]> {
    const result: StepSeries[] = [];
    for (const [i, ofSeries] of labels.entries()) {
      const series = emptySeries(ofSeries, this.#windows.count);
      this.#fill(series, this.#sums[i] as Float64Array, this.#counts[i] as Float64Array);
      result.push(series);
      await this.#budget.worked(this.#windows.count);
    }
    return result;
  }

  #fill({ values, present }: StepSeries, sums: Float64Array, counts: Float64Array): void {
    let sum = 0;
    let count = 0;
    for (let step = 0; step < values.length; step++) {
      sum += sums[step] as number;
      count += counts[step] as number;
      if (count === 0) continue;
      values[step] = sum / this.#divisor;
      present[step] = 1;
    }
  }
}

class Samples {
  times = new Float64Array(16);
  values = new Float64Array(16);
  length = 0;

  push(time: number, value: number): void {
    if (this.length === this.times.length) {
      this.times = grown(this.times);
      this.values = grown(this.values);
    }
    this.times[this.length] = time;
    this.values[this.length++] = value;
  }
}

function grown(array: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}

/** Keeps the samples, and calls the function for the window of every step. */
class SampleAccumulator implements RangeAccumulator {
  readonly #windows: Windows;
  readonly #apply: WindowFunction;
  readonly #budget: QueryBudget;
  readonly #samples: Samples[] = [];

  constructor(windows: Windows, apply: WindowFunction, budget: QueryBudget) {
    this.#windows = windows;
    this.#apply = apply;
    this.#budget = budget;
  }

  add(series: number, timeNs: number, value: number): void {
    let samples = this.#samples[series];
    if (!samples) {
      samples = new Samples();
      this.#samples[series] = samples;
    }
    this.#budget.hold(2);
    samples.push(timeNs, value);
  }

  async finish(labels: readonly Labels[]): Promise<StepSeries[]> {
    const result: StepSeries[] = [];
    for (const [i, ofSeries] of labels.entries()) {
      this.#budget.hold(this.#windows.count);
      const series = emptySeries(ofSeries, this.#windows.count);
      const samples = this.#samples[i] as Samples;
      await this.#fill(series, samples);
      this.#budget.release(2 * samples.length);
      result.push(series);
    }
    return result;
  }

  async #fill({ values, present }: StepSeries, { times, values: samples, length }: Samples): Promise<void> {
    const { stepNs, intervalNs } = this.#windows;
    const window: Window = { values: samples, times, from: 0, to: 0, end: 0, seconds: intervalNs / 1e9 };
    for (let step = 0; step < values.length; step++) {
      window.end = step * stepNs;
      while (window.to < length && (times[window.to] as number) <= window.end) window.to++;
      while (window.from < window.to && (times[window.from] as number) <= window.end - intervalNs) window.from++;
      if (window.from < window.to) {
        values[step] = this.#apply(window);
        present[step] = 1;
      }
      // Awaited only now and then: a promise per step would cost more than the step.
      this.#pending += window.to - window.from + 1;
      if (this.#pending > POINTS_PER_CHECK) {
        await this.#budget.worked(this.#pending);
        this.#pending = 0;
      }
    }
  }

  #pending = 0;
}
const POINTS_PER_CHECK = 5_000;
