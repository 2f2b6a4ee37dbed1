import { evaluateAggregate } from "../aggregate/evaluate-aggregate.ts";
import type { CallExpr, Expr, StepInvariantExpr, SubqueryExpr, UnaryExpr } from "../ast.ts";
import { evaluateBinary } from "../binary/evaluate-binary.ts";
import { evaluateInfo } from "../functions/info.ts";
import { RANGE_FUNCTIONS, VECTOR_FUNCTIONS } from "../functions/registry.ts";
import { absentSeries } from "../functions/scalars-and-vectors.ts";
import { FunctionCall } from "../functions/vector-function.ts";
import { scaleHistogram } from "../histogram/scale-histogram.ts";
import { CollectedSeries } from "./collected-series.ts";
import { streamRangeCall } from "./evaluate-range-call.ts";
import type { ExprEvaluator, SubquerySteps } from "./expr-evaluator.ts";
import { type Grid, gridOf, timeAt } from "./grid.ts";
import { type Aspect, evaluateInstantSelector, streamInstantSelector } from "./instant-selector.ts";
import { KEY_WORK, mergeSameLabels } from "./merge-series.ts";
import { NonCounterNotes } from "./non-counter-notes.ts";
import type { QueryContext } from "./query-context.ts";
import type { RangeFunction } from "./range-function.ts";
import { nameless } from "./result-labels.ts";
import { SampleStats } from "./sample-stats.ts";
import { evaluateSmoothedSelector } from "./smoothed-selector.ts";
import { ABSENT, type Evaluated, FLOAT, HISTOGRAM, type SeriesSink, StepSeries, vectorOf } from "./step-series.ts";
import { firstGaze, gazeOf, knownDuration, lastGaze } from "./time-window.ts";

/** Evaluates a prepared expression at all steps of a grid. */
export class Evaluator implements ExprEvaluator {
  readonly context: QueryContext;

  constructor(context: QueryContext) {
    this.context = context;
  }

  /** Of what an expression needs while it is evaluated, only its value stays in the account of samples. */
  async evaluate(expr: Expr, grid: Grid): Promise<Evaluated> {
    const { held } = this.context;
    const value = await this.#evaluate(expr, grid);
    this.context.settle(held + samplesIn(value, grid));
    return value;
  }

  async #evaluate(expr: Expr, grid: Grid): Promise<Evaluated> {
    switch (expr.kind) {
      case "number":
        this.context.hold(grid.steps);
        return { type: "scalar", values: new Float64Array(grid.steps).fill(expr.value) };
      case "string":
        return { type: "string", value: expr.value };
      case "vector":
        return vectorOf(
          expr.extend === "smoothed"
            ? await evaluateSmoothedSelector(this.context, expr, grid)
            : await evaluateInstantSelector(this.context, expr, grid),
        );
      case "paren":
        return this.evaluate(expr.expr, grid);
      case "unary":
        return this.#unary(expr, grid);
      case "binary":
        return evaluateBinary(this, expr, grid);
      case "aggregate":
        return vectorOf(await evaluateAggregate(this, expr, grid));
      case "call":
        return this.#call(expr, grid);
      case "invariant":
        return this.#invariant(expr, grid);
      case "matrix":
      case "subquery":
        throw new TypeError("a range vector has no value at a step");
    }
  }

  async stream(expr: Expr, grid: Grid, sink: SeriesSink): Promise<void> {
    if (expr.kind === "vector" && expr.extend !== "smoothed") {
      return streamInstantSelector(this.context, expr, grid, sink);
    }
    // Without delayed name removal, series that only their name told apart must be found.
    if (expr.kind === "call" && expr.func !== "absent_over_time" && this.context.delayedNameRemoval) {
      const rangeFunction = RANGE_FUNCTIONS.get(expr.func);
      if (rangeFunction) return this.#streamRangeFunction(expr, grid, rangeFunction, sink);
    }
    for (const series of await this.vector(expr, grid)) {
      sink.take(series);
      if (this.context.tired(grid.steps)) await this.context.breathe();
    }
  }

  async vector(expr: Expr, grid: Grid): Promise<StepSeries[]> {
    const value = await this.evaluate(expr, grid);
    if (value.type !== "vector") throw new TypeError(`expected an instant vector, got a ${value.type}`);
    return value.series;
  }

  async scalar(expr: Expr, grid: Grid): Promise<Float64Array> {
    const value = await this.evaluate(expr, grid);
    if (value.type !== "scalar") throw new TypeError(`expected a scalar, got a ${value.type}`);
    return value.values;
  }

  async subquerySteps(expr: SubqueryExpr, grid: Grid): Promise<SubquerySteps> {
    const stepMs = expr.step === undefined ? this.context.defaultStepMs : knownDuration(expr.step);
    const gaze = gazeOf(expr);
    const afterMs = firstGaze(gaze, grid) - knownDuration(expr.length);
    let startMs = stepMs * Math.trunc(afterMs / stepMs);
    if (startMs <= afterMs) startMs += stepMs;
    const inner = gridOf(startMs, lastGaze(gaze, grid), stepMs);
    this.context.checkSubquerySteps(inner.steps);
    if (inner.steps === 0) return { series: [], grid: inner, stats: undefined };
    const [series, stats] = await this.#counted(inner, () => this.vector(expr.expr, inner));
    if (stats) this.context.sampleStats?.addSubquery(stats, knownDuration(expr.offset), knownDuration(expr.length));
    return { series, grid: inner, stats };
  }

  /** With its own count of samples, if they are counted. */
  async #counted<T>(grid: Grid, evaluate: () => Promise<T>): Promise<[T, SampleStats | undefined]> {
    const { context } = this;
    const outer = context.sampleStats;
    if (!outer) return [await evaluate(), undefined];
    const inner = new SampleStats(grid);
    context.sampleStats = inner;
    const result = await evaluate();
    context.sampleStats = outer;
    return [result, inner];
  }

  async #unary(expr: UnaryExpr, grid: Grid): Promise<Evaluated> {
    const value = await this.evaluate(expr.expr, grid);
    if (expr.op === "+" || value.type === "string") return value;
    if (value.type === "scalar") return { type: "scalar", values: value.values.map((number) => -number) };
    const negated: StepSeries[] = [];
    for (const series of value.series) {
      const out = nameless(this.context, series);
      for (let step = 0; step < grid.steps; step++) {
        if (series.kinds[step] === FLOAT) out.setFloat(step, -(series.values[step] as number));
        else if (series.kinds[step] === HISTOGRAM) out.setHistogram(step, scaleHistogram(series.histogramAt(step), -1));
      }
      this.context.hold(grid.steps);
      negated.push(out);
      if (this.context.tired(2 * grid.steps)) await this.context.breathe();
    }
    return vectorOf(await this.#checked(negated));
  }

  async #call(expr: CallExpr, grid: Grid): Promise<Evaluated> {
    const rangeFunction = RANGE_FUNCTIONS.get(expr.func);
    if (rangeFunction) {
      const collected = new CollectedSeries(this.context);
      await this.#streamRangeFunction(expr, grid, rangeFunction, collected);
      if (expr.func === "absent_over_time") {
        return vectorOf(await absentSeries(this.context, collected.series, expr.args[0] as Expr, grid.steps, true));
      }
      return vectorOf(await this.#checked(collected.series));
    }
    if (expr.func === "timestamp" || expr.func === "start_timestamp") return this.#timestamp(expr, grid);
    if (expr.func === "info") return vectorOf(await evaluateInfo(this, expr, grid));
    if (expr.args.length === 0) this.context.hold(grid.steps);
    const args: Evaluated[] = [];
    for (const arg of expr.args) args.push(await this.evaluate(arg, grid));
    const vectorFunction = VECTOR_FUNCTIONS.get(expr.func);
    if (!vectorFunction) throw new TypeError(`function ${expr.func} is not implemented`);
    const result = await vectorFunction(new FunctionCall(this.context, expr, grid, args));
    if (this.context.breathless) await this.context.breathe();
    return result.type === "vector" ? vectorOf(await this.#checked(result.series)) : result;
  }

  /** Without delayed name removal, series that only their name told apart are an error at once. */
  #checked(series: StepSeries[]): StepSeries[] | Promise<StepSeries[]> {
    return this.context.delayedNameRemoval ? series : mergeSameLabels(this.context, series);
  }

  async #timestamp(expr: CallExpr, grid: Grid): Promise<Evaluated> {
    const arg = expr.args[0] as Expr;
    const aspect: Aspect = expr.func === "timestamp" ? "time" : "start";
    if (arg.kind === "vector") {
      const series = await evaluateInstantSelector(this.context, arg, grid, aspect);
      for (const [i, input] of series.entries()) {
        const { labels, dropName } = nameless(this.context, input);
        series[i] = input.relabelled(labels, dropName);
        if (this.context.tired(KEY_WORK)) await this.context.breathe();
      }
      return vectorOf(await this.#checked(series));
    }
    const series = await this.vector(arg, grid);
    // Of a computed vector nothing is known but that it was computed now.
    if (aspect === "start") return vectorOf([]);
    const results: StepSeries[] = [];
    for (const input of series) {
      const out = nameless(this.context, input);
      for (let step = 0; step < grid.steps; step++) {
        if (input.kinds[step] !== ABSENT) out.setFloat(step, timeAt(grid, step) / 1000);
      }
      this.context.hold(grid.steps);
      results.push(out);
      if (this.context.tired(2 * grid.steps)) await this.context.breathe();
    }
    return vectorOf(await this.#checked(results));
  }

  #streamRangeFunction(expr: CallExpr, grid: Grid, func: RangeFunction, sink: SeriesSink): Promise<void> {
    const isOfCounters = expr.func === "rate" || expr.func === "increase";
    const noting = isOfCounters ? new NonCounterNotes(this.context.annotations, expr, sink) : sink;
    return streamRangeCall(this, expr, grid, func, noting);
  }

  /** Evaluated at the first step, the same at all others. */
  async #invariant({ expr }: StepInvariantExpr, grid: Grid): Promise<Evaluated> {
    const once = { ...grid, steps: Math.min(1, grid.steps), isSpan: false };
    const [value, stats] = await this.#counted(once, () => this.evaluate(expr, once));
    if (stats) this.context.sampleStats?.addInvariant(stats);
    if (value.type === "string" || grid.steps <= 1) return value;
    if (value.type === "scalar")
      return { type: "scalar", values: new Float64Array(grid.steps).fill(value.values[0] as number) };
    const series: StepSeries[] = [];
    for (const one of value.series) {
      this.context.hold(grid.steps);
      series.push(repeated(one, grid.steps));
      if (this.context.tired(grid.steps)) await this.context.breathe();
    }
    return vectorOf(series);
  }
}

/** There is room for a sample at every step of a series, whether there is one or not. */
function samplesIn(value: Evaluated, { steps }: Grid): number {
  if (value.type === "string") return 0;
  return value.type === "scalar" ? steps : value.series.length * steps;
}

function repeated({ labels, dropName, values, kinds, histograms }: StepSeries, steps: number): StepSeries {
  const everywhere = new Float64Array(steps).fill(values[0] as number);
  const kind = new Uint8Array(steps).fill(kinds[0] as number);
  return new StepSeries(labels, dropName, everywhere, kind, histograms && new Array(steps).fill(histograms[0]));
}
