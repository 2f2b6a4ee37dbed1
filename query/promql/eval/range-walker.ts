import { histogramWeight } from "../histogram/histogram-weight.ts";
import { type Grid, timeAt } from "./grid.ts";
import { indexAfter } from "./index-after.ts";
import type { QueryContext } from "./query-context.ts";
import type { RangeCall, RangeFunction, RangeResult, RangeWindow, SeriesKernel } from "./range-function.ts";
import type { RangeInput } from "./range-input.ts";
import { dropMetadata } from "./result-labels.ts";
import type { SampleStats } from "./sample-stats.ts";
import { FLOAT, type SeriesSink, StepSeries } from "./step-series.ts";
import { StepWindows } from "./step-windows.ts";
import type { Gaze } from "./time-window.ts";

/** How far beyond its range an extended range looks for samples, in milliseconds. */
export type Reach = { readonly beforeMs: number; readonly afterMs: number };

/** The windows over one array of times, and the function over all of them. */
type Planned = { readonly windows: StepWindows; readonly kernel: SeriesKernel };

/** Beyond that, windows are found step by step, so that working them out does not take long. */
const MAX_PLANNED_STEPS = 20_000;
/** Steps of plans that are kept at a time: about 20 MiB. */
const MAX_KEPT_STEPS = 1_000_000;
/** Samples looked at between two looks at the clock; some functions sort them. */
const STRETCH = 50_000;
const NONE = new Float64Array(0);

/** Moves the window over the samples of one series after the other; both ends only ever move forward. */
export class RangeWalker {
  readonly #context: QueryContext;
  readonly #grid: Grid;
  readonly #func: RangeFunction;
  readonly #gaze: Gaze;
  readonly #reach: Reach;
  readonly #window: RangeWindow;
  readonly #sink: SeriesSink;
  /** By times; undefined for those that were seen once. */
  readonly #plans = new Map<Float64Array, Planned | undefined>();
  /** Arrays for a sink that keeps nothing. */
  readonly #lent: { readonly values: Float64Array; readonly kinds: Uint8Array } | undefined;
  /** Steps of the current series that have a result. */
  #count = 0;

  constructor(
    context: QueryContext,
    grid: Grid,
    func: RangeFunction,
    call: RangeCall,
    gaze: Gaze,
    reach: Reach,
    sink: SeriesSink,
  ) {
    this.#context = context;
    this.#grid = grid;
    this.#func = func;
    this.#gaze = gaze;
    this.#reach = reach;
    this.#sink = sink;
    this.#lent = sink.keeps ? undefined : { values: new Float64Array(grid.steps), kinds: new Uint8Array(grid.steps) };
    this.#window = {
      timesMs: NONE,
      values: NONE,
      from: 0,
      to: 0,
      histogramTimesMs: NONE,
      histograms: [],
      histogramFrom: 0,
      histogramTo: 0,
      startMs: 0,
      endMs: 0,
      step: 0,
      timeMs: 0,
      series: undefined as unknown as RangeInput,
      call,
    };
  }

  /** Gives the sink the result for a series, if there is one at any step. */
  walk(input: RangeInput): void | Promise<void> {
    const window = this.#window;
    window.series = input;
    window.timesMs = input.timesMs;
    window.values = input.values;
    window.histogramTimesMs = input.histogramTimesMs;
    window.histograms = input.histograms;
    window.from = window.to = window.histogramFrom = window.histogramTo = 0;
    if (this.#context.sampleStats) this.#countSamples(this.#context.sampleStats, input);
    const isPlain = input.histograms.length === 0 && !window.call.extend && this.#func.always?.(input) !== true;
    if (isPlain && this.#gaze.fixedMs === undefined) {
      const plan = this.#planOf(input.timesMs);
      if (plan) return this.#walkPlanned(plan, input);
    }
    this.#count = 0;
    const out = this.#output();
    const step = this.#stretch(out, 0, isPlain);
    if (step < this.#grid.steps) return this.#walkOn(out, step, isPlain);
    if (this.#count > 0) this.#sink.take(out);
  }

  #countSamples(stats: SampleStats, input: RangeInput): void {
    const { rangeMs, expr } = this.#window.call;
    const isRead = expr.args.every(({ kind }) => kind !== "subquery");
    stats.walked(input, { gaze: this.#gaze, rangeMs, ...this.#reach, isRead });
  }

  #walkPlanned({ windows, kernel }: Planned, { values, resets }: RangeInput): void {
    if (windows.count === 0) return;
    const out = this.#output(windows.kinds);
    kernel(values, resets, out.values);
    if (windows.isSolid) {
      out.solidFrom = windows.firstStep;
      out.solidTo = windows.endStep;
    }
    this.#context.samplesTotal += windows.samples;
    this.#sink.take(out);
  }

  /** For times that were seen before: to plan for one series alone takes longer than to walk over it. */
  #planOf(timesMs: Float64Array): Planned | undefined {
    const { steps } = this.#grid;
    if (!this.#func.overWindows || steps === 1 || steps > MAX_PLANNED_STEPS) return undefined;
    let plan = this.#plans.get(timesMs);
    if (plan) return plan;
    if (this.#plans.has(timesMs)) {
      const { call } = this.#window;
      const minSamples = Math.max(1, this.#func.minFloats);
      const windows = new StepWindows(timesMs, this.#grid, this.#gaze, call.rangeMs, minSamples);
      plan = { windows, kernel: this.#func.overWindows(windows, call) };
    }
    if (this.#plans.size * steps >= MAX_KEPT_STEPS) this.#plans.clear();
    this.#plans.set(timesMs, plan);
    return plan;
  }

  async #walkOn(out: StepSeries, firstStep: number, isPlain: boolean): Promise<void> {
    for (let step = firstStep; step < this.#grid.steps; ) {
      if (this.#context.breathless) await this.#context.breathe();
      step = this.#stretch(out, step, isPlain);
    }
    if (this.#count > 0) this.#sink.take(out);
  }

  /** A series of wide windows takes long, so it is walked a stretch at a time. Gives the step to go on from. */
  #stretch(out: StepSeries, step: number, isPlain: boolean): number {
    if (this.#gaze.fixedMs !== undefined) return this.#fixed(out, step);
    return isPlain ? this.#floats(out, step) : this.#any(out, step);
  }

  /** `kinds` when they are known. */
  #output(kinds?: Uint8Array): StepSeries {
    const { labels, dropName: dropsAlready } = this.#window.series;
    const dropName = dropsAlready || this.#func.keepsName !== true;
    const left = dropName && !this.#context.delayedNameRemoval ? dropMetadata(labels) : labels;
    if (!this.#lent) {
      const { steps } = this.#grid;
      return new StepSeries(left, dropName, new Float64Array(steps), kinds ?? new Uint8Array(steps));
    }
    return new StepSeries(left, dropName, this.#lent.values, kinds ?? this.#lent.kinds.fill(0));
  }

  /** The series is without histograms. */
  #floats(out: StepSeries, firstStep: number): number {
    const window = this.#window;
    const func = this.#func;
    const { timesMs } = window;
    const { startMs: firstMs, stepMs, steps } = this.#grid;
    const { rangeMs } = window.call;
    const { offsetMs } = this.#gaze;
    const { values: outValues, kinds } = out;
    const minFloats = Math.max(1, func.minFloats);
    let { from, to } = window;
    let [fromStride, toStride] = [0, 0];
    let count = 0;
    let touched = 0;
    let step = firstStep;
    for (; step < steps && touched < STRETCH; step++) {
      const timeMs = firstMs + step * stepMs;
      const endMs = timeMs - offsetMs;
      const startMs = endMs - rangeMs;
      const nextTo = indexAfter(timesMs, to, toStride, endMs);
      toStride = nextTo - to;
      to = nextTo;
      const nextFrom = indexAfter(timesMs, from, fromStride, startMs);
      fromStride = nextFrom - from;
      from = nextFrom;
      touched += to - from;
      if (to - from < minFloats) continue;
      window.from = from;
      window.to = to;
      window.startMs = startMs;
      window.endMs = endMs;
      window.step = step;
      window.timeMs = timeMs;
      outValues[step] = func.floats(window);
      kinds[step] = FLOAT;
      count++;
    }
    window.from = from;
    window.to = to;
    this.#count += count;
    this.#context.samplesTotal += touched;
    return step;
  }

  #any(out: StepSeries, firstStep: number): number {
    const start = this.#context.samplesTotal;
    let step = firstStep;
    for (; step < this.#grid.steps && this.#context.samplesTotal - start < STRETCH; step++) {
      this.#set(out, step, this.#at(step, timeAt(this.#grid, step) - this.#gaze.offsetMs));
    }
    return step;
  }

  /** With `@` the window is the same at every step, but the step's own time and parameters may count. */
  #fixed(out: StepSeries, firstStep: number): number {
    const window = this.#window;
    const start = this.#context.samplesTotal;
    let step = firstStep;
    for (; step < this.#grid.steps && this.#context.samplesTotal - start < STRETCH; step++) {
      window.from = window.to = window.histogramFrom = window.histogramTo = 0;
      this.#set(out, step, this.#at(step, this.#gaze.fixedMs as number));
    }
    return step;
  }

  #set(out: StepSeries, step: number, result: RangeResult): void {
    if (result === undefined) return;
    out.set(step, result);
    this.#count++;
  }

  #at(step: number, endMs: number): RangeResult {
    const window = this.#window;
    const { timesMs, histogramTimesMs, call } = window;
    window.startMs = endMs - call.rangeMs;
    window.endMs = endMs;
    window.step = step;
    window.timeMs = timeAt(this.#grid, step);
    const firstMs = window.startMs - this.#reach.beforeMs;
    const lastMs = endMs + this.#reach.afterMs;
    window.to = advance(timesMs, window.to, lastMs, timesMs.length);
    window.from = advance(timesMs, window.from, firstMs, window.to);
    window.histogramTo = advance(histogramTimesMs, window.histogramTo, lastMs, histogramTimesMs.length);
    window.histogramFrom = advance(histogramTimesMs, window.histogramFrom, firstMs, window.histogramTo);
    const floats = window.to - window.from;
    const histograms = window.histogramTo - window.histogramFrom;
    if (floats + histograms === 0) return undefined;
    this.#context.samplesTotal += floats;
    for (let i = window.histogramFrom; i < window.histogramTo; i++) {
      this.#context.samplesTotal += histogramWeight(window.histograms[i]!);
    }
    const func = this.#func;
    if (histograms > 0 || call.extend || func.always?.(window.series)) return func.any(window);
    return floats < func.minFloats ? undefined : func.floats(window);
  }
}

function advance(timesMs: Float64Array, from: number, timeMs: number, end: number): number {
  let next = from;
  while (next < end && (timesMs[next] as number) <= timeMs) next++;
  return next;
}
