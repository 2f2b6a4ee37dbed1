import type { SeriesSlice } from "@sightline/model/metric-store.ts";
import type { CallExpr, Expr, MatrixSelector, SubqueryExpr } from "../ast.ts";
import { EvaluationError } from "../evaluation-error.ts";
import { secondsOf } from "../format/duration.ts";
import { ANCHORED_FUNCTIONS, SMOOTHED_FUNCTIONS } from "../functions/extended-range.ts";
import { statsOf } from "../histogram/histogram-stats.ts";
import type { ExprEvaluator } from "./expr-evaluator.ts";
import type { Grid } from "./grid.ts";
import { notedRange } from "./noted-range.ts";
import type { QueryContext } from "./query-context.ts";
import type { RangeCall, RangeFunction } from "./range-function.ts";
import { rangeInputOf, rangeInputOfSteps } from "./range-input.ts";
import { RangeWalker, type Reach } from "./range-walker.ts";
import { ReadAhead, seesFloatsAtLastStep } from "./read-ahead.ts";
import { selectSlices } from "./select-slices.ts";
import type { SeriesSink } from "./step-series.ts";
import { firstGaze, gazeOf, knownDuration, lastGaze } from "./time-window.ts";

/**
 * A function of a range vector at all steps of all series, one series after the other, in the order of their labels
 * (for a subquery: as its expression gives them).
 */
export async function streamRangeCall(
  evaluator: ExprEvaluator,
  expr: CallExpr,
  grid: Grid,
  func: RangeFunction,
  sink: SeriesSink,
): Promise<void> {
  const { context } = evaluator;
  const index = expr.args.findIndex((arg) => arg.kind === "matrix" || arg.kind === "subquery");
  const source = expr.args[index] as MatrixSelector | SubqueryExpr;
  const call = await rangeCall(evaluator, expr, grid, source, index);
  const walker = new RangeWalker(context, grid, func, call, gazeOf(selectorOf(source)), reachOf(call, context), sink);
  if (source.kind === "matrix") {
    const ahead = sink.holds && ReadAhead.pays(grid.steps);
    return walkRange(context, source, grid, call, { func, walker, ahead });
  }
  const inner = await evaluator.subquerySteps(source, grid);
  for (const series of inner.series) {
    await walker.walk(rangeInputOfSteps(series, inner.grid, func.needsResets === true));
    if (context.breathless) await context.breathe();
  }
}

async function walkRange(
  context: QueryContext,
  source: MatrixSelector,
  grid: Grid,
  call: RangeCall,
  { func, walker, ahead }: { readonly func: RangeFunction; readonly walker: RangeWalker; readonly ahead: boolean },
): Promise<void> {
  const gaze = gazeOf(source.vector);
  const reach = reachOf(call, context);
  const range = {
    startMs: firstGaze(gaze, grid) - call.rangeMs - reach.beforeMs + 1,
    endMs: lastGaze(gaze, grid) + reach.afterMs,
  };
  const hints = { stepMs: grid.stepMs, func: call.expr.func, rangeMs: call.rangeMs, aggregated: true };
  const { matchers, statsOnly } = source.vector;
  const walk = (slice: SeriesSlice) => {
    const input = rangeInputOf(statsOnly ? statsOf(slice) : slice, func.needsResets === true);
    const held = input.timesMs.length + input.histograms.length;
    context.hold(held);
    const walking = walker.walk(input);
    if (walking) return walking.then(() => context.release(held));
    context.release(held);
  };
  const request = { matchers, range, hints, transient: true };
  if (!ahead) return selectSlices(context, request, grid.steps, walk);
  const readAhead = new ReadAhead(context, grid.steps, walk);
  await selectSlices(context, request, grid.steps, (slice) => {
    const isPlain = !call.extend && !slice.startsMs && !slice.counts;
    const floats = Math.max(1, func.minFloats);
    return readAhead.add(slice, isPlain && seesFloatsAtLastStep(slice, range.endMs, call.rangeMs, floats));
  });
  await readAhead.finish();
}

async function rangeCall(
  evaluator: ExprEvaluator,
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
    argRange: notedRange(source),
    firstArgRange: notedRange(expr.args[0] as Expr),
    extend,
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
