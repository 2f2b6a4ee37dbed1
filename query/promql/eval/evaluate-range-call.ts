import type { CallExpr, Expr, MatrixSelector, SubqueryExpr } from "../ast.ts";
import { EvaluationError } from "../evaluation-error.ts";
import { secondsOf } from "../format/duration.ts";
import { ANCHORED_FUNCTIONS, SMOOTHED_FUNCTIONS } from "../functions/extended-range.ts";
import { statsOf } from "../histogram/histogram-stats.ts";
import { histogramWeight } from "../histogram/histogram-weight.ts";
import type { Evaluator } from "./evaluator.ts";
import { type Grid, timeAt } from "./grid.ts";
import type { QueryContext } from "./query-context.ts";
import type { RangeCall, RangeFunction, RangeResult, RangeWindow } from "./range-function.ts";
import { type RangeInput, rangeInputOf, rangeInputOfSteps } from "./range-input.ts";
import { dropMetadata } from "./result-labels.ts";
import { selectSlices, sortByLabels } from "./select-slices.ts";
import { StepSeries } from "./step-series.ts";
import { firstGaze, type Gaze, gazeOf, knownDuration, lastGaze } from "./time-window.ts";

/** How far beyond its range an extended range looks for samples, in milliseconds. */
type Reach = { readonly beforeMs: number; readonly afterMs: number };

/** A function of a range vector at all steps of all series, one series after the other. */
export async function evaluateRangeCall(
  evaluator: Evaluator,
  expr: CallExpr,
  grid: Grid,
  func: RangeFunction,
): Promise<StepSeries[]> {
  const { context } = evaluator;
  const index = expr.args.findIndex((arg) => arg.kind === "matrix" || arg.kind === "subquery");
  const source = expr.args[index] as MatrixSelector | SubqueryExpr;
  const call = await rangeCall(evaluator, expr, grid, source, index);
  const walker = new RangeWalker(context, grid, func, call, gazeOf(selectorOf(source)), reachOf(call, context));
  if (source.kind === "subquery") {
    const inner = await evaluator.subquerySteps(source, grid);
    for (const series of inner.series) {
      await walker.walk(rangeInputOfSteps(series, inner.grid));
      if (context.breathless) await context.breathe();
    }
    return walker.results;
  }
  await selectRange(context, source, grid, call, walker);
  return sortByLabels(walker.results);
}

async function selectRange(
  context: QueryContext,
  source: MatrixSelector,
  grid: Grid,
  call: RangeCall,
  walker: RangeWalker,
): Promise<void> {
  const gaze = gazeOf(source.vector);
  const reach = reachOf(call, context);
  const range = {
    startMs: firstGaze(gaze, grid) - call.rangeMs - reach.beforeMs + 1,
    endMs: lastGaze(gaze, grid) + reach.afterMs,
  };
  const hints = { stepMs: grid.stepMs, func: call.expr.func, rangeMs: call.rangeMs };
  await selectSlices(context, { matchers: source.vector.matchers, range, hints }, (slice) =>
    walker.walk(rangeInputOf(source.vector.statsOnly ? statsOf(slice) : slice)),
  );
}

async function rangeCall(
  evaluator: Evaluator,
  expr: CallExpr,
  grid: Grid,
  source: MatrixSelector | SubqueryExpr,
  index: number,
): Promise<RangeCall> {
  const params = new Map<number, Float64Array>();
  for (const [i, arg] of expr.args.entries()) if (i !== index) params.set(i, await evaluator.scalar(arg, grid));
  const extend = source.kind === "matrix" ? source.vector.extend : undefined;
  checkExtension(extend, expr.func);
  const rangeMs = knownDuration(source.length);
  return {
    expr,
    rangeMs,
    rangeSeconds: secondsOf(rangeMs),
    params,
    annotations: evaluator.context.annotations,
    argRange: source.range,
    firstArgRange: (expr.args[0] as Expr).range,
    extend,
    resets: [],
  };
}

function checkExtension(extend: RangeCall["extend"], func: string): void {
  const allowed = extend === "anchored" ? ANCHORED_FUNCTIONS : extend === "smoothed" ? SMOOTHED_FUNCTIONS : undefined;
  if (!allowed || allowed.includes(func)) return;
  throw new EvaluationError(`${extend} modifier can only be used with: ${allowed.join(", ")} - not with ${func}`);
}

function selectorOf(source: MatrixSelector | SubqueryExpr) {
  return source.kind === "matrix" ? source.vector : source;
}

function reachOf({ extend }: RangeCall, { lookbackMs }: QueryContext): Reach {
  return { beforeMs: extend ? lookbackMs : 0, afterMs: extend === "smoothed" ? lookbackMs : 0 };
}

/** Moves the window over the samples of one series after the other; both ends only ever move forward. */
class RangeWalker {
  readonly results: StepSeries[] = [];
  readonly #context: QueryContext;
  readonly #grid: Grid;
  readonly #func: RangeFunction;
  readonly #gaze: Gaze;
  readonly #reach: Reach;
  readonly #window: RangeWindow;
  /** Steps of the current series that have a result. */
  #count = 0;

  constructor(context: QueryContext, grid: Grid, func: RangeFunction, call: RangeCall, gaze: Gaze, reach: Reach) {
    this.#context = context;
    this.#grid = grid;
    this.#func = func;
    this.#gaze = gaze;
    this.#reach = reach;
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

  async walk(input: RangeInput): Promise<void> {
    const window = this.#window;
    window.series = input;
    window.timesMs = input.timesMs;
    window.values = input.values;
    window.histogramTimesMs = input.histogramTimesMs;
    window.histograms = input.histograms;
    const held = input.timesMs.length + input.histograms.length;
    this.#context.hold(held);
    const func = this.#func;
    const dropName = input.dropName || func.keepsName !== true;
    const labels = dropName && !this.#context.delayedNameRemoval ? dropMetadata(input.labels) : input.labels;
    const out = StepSeries.empty(labels, this.#grid.steps, dropName);
    const plain = input.histograms.length === 0 && !window.call.extend && func.always?.(input) !== true;
    const count = await this.#allSteps(out, plain);
    this.#context.release(held);
    if (count === 0) return;
    this.#context.hold(this.#grid.steps);
    this.results.push(out);
  }

  /** How many steps have a result. A series of wide windows takes long, so it is walked a stretch at a time. */
  async #allSteps(out: StepSeries, plain: boolean): Promise<number> {
    const window = this.#window;
    window.from = window.to = window.histogramFrom = window.histogramTo = 0;
    if (plain && this.#gaze.fixedMs === undefined) this.#func.prepare?.(window);
    this.#count = 0;
    for (let step = 0; step < this.#grid.steps; ) {
      if (this.#gaze.fixedMs !== undefined) step = this.#fixed(out, step);
      else step = plain ? this.#floats(out, step) : this.#any(out, step);
      if (this.#context.breathless) await this.#context.breathe();
    }
    return this.#count;
  }

  /** Walks on from a step of a series without histograms; gives the step to go on from. */
  #floats(out: StepSeries, firstStep: number): number {
    const window = this.#window;
    const func = this.#func;
    const { timesMs } = window;
    const { startMs: firstMs, stepMs, steps } = this.#grid;
    const { rangeMs } = window.call;
    const { offsetMs } = this.#gaze;
    const { values: outValues, kinds } = out;
    const minFloats = Math.max(1, func.minFloats);
    const length = timesMs.length;
    let { from, to } = window;
    let count = 0;
    let touched = 0;
    let step = firstStep;
    for (; step < steps && touched < STRETCH; step++) {
      const timeMs = firstMs + step * stepMs;
      const endMs = timeMs - offsetMs;
      const startMs = endMs - rangeMs;
      while (to < length && (timesMs[to] as number) <= endMs) to++;
      while (from < to && (timesMs[from] as number) <= startMs) from++;
      touched += to - from;
      if (to - from < minFloats) continue;
      window.from = from;
      window.to = to;
      window.startMs = startMs;
      window.endMs = endMs;
      window.step = step;
      window.timeMs = timeMs;
      outValues[step] = func.floats(window);
      kinds[step] = 1;
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
    if (floats < func.minFloats) return undefined;
    func.prepare?.(window);
    return func.floats(window);
  }
}

const NONE = new Float64Array(0);
/** Samples looked at between two looks at the clock; some functions sort them. */
const STRETCH = 50_000;

function advance(timesMs: Float64Array, from: number, timeMs: number, end: number): number {
  let next = from;
  while (next < end && (timesMs[next] as number) <= timeMs) next++;
  return next;
}
