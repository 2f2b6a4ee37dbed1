import type { NativeHistogram } from "@sightline/model/histogram.ts";
import { compareLabels, EMPTY_LABELS } from "@sightline/model/labels.ts";
import { sortInTurns } from "../../http/sort-in-turns.ts";
import type { Expr, MatrixSelector, SubqueryExpr } from "../ast.ts";
import { EvaluationError } from "../evaluation-error.ts";
import { extendedSamples } from "../functions/extended-samples.ts";
import { histogramWeight } from "../histogram/histogram-weight.ts";
import type { MatrixSeries, PromValue, VectorSample } from "../result.ts";
import { Evaluator } from "./evaluator.ts";
import { type Grid, gridOf, instantGrid, timeAt } from "./grid.ts";
import { KEY_WORK, mergeSameLabels } from "./merge-series.ts";
import type { QueryContext } from "./query-context.ts";
import { type RangeInput, rangeInputOf } from "./range-input.ts";
import { dropMetadata } from "./result-labels.ts";
import { selectSlices } from "./select-slices.ts";
import { ABSENT, FLOAT, HISTOGRAM, type StepSeries } from "./step-series.ts";
import { firstGaze, gazeOf, knownDuration } from "./time-window.ts";

/** What making one sample of a result counts for in {@link QueryContext.tired}. */
const SAMPLE_WORK = 50;

/** A prepared query at one moment. Range vectors come as they are, everything else has the time of evaluation. */
export async function evaluateInstant(context: QueryContext, expr: Expr, timeMs: number): Promise<PromValue> {
  const evaluator = new Evaluator(context);
  const grid = instantGrid(timeMs);
  context.foreseeWork(expr, grid);
  const bare = bareExpr(expr);
  if (bare.kind === "matrix")
    return { type: "matrix", series: await sorted(context, await selectMatrix(context, bare, grid)) };
  if (bare.kind === "subquery") {
    return { type: "matrix", series: await sorted(context, await subqueryMatrix(evaluator, bare, grid)) };
  }
  const value = await evaluator.evaluate(expr, grid);
  if (value.type === "string") return { type: "string", timeMs, value: value.value };
  if (value.type === "scalar") return { type: "scalar", timeMs, value: value.values[0] as number };
  return { type: "vector", samples: await vectorSamples(context, await finished(context, value.series), timeMs) };
}

/** A prepared query at every step of a range of times; scalars as a series without labels. */
export async function evaluateRange(
  context: QueryContext,
  expr: Expr,
  range: { readonly startMs: number; readonly endMs: number; readonly stepMs: number },
): Promise<PromValue> {
  const grid = gridOf(range.startMs, range.endMs, range.stepMs);
  if (grid.steps === 0) return { type: "matrix", series: [] };
  context.checkSteps(grid.steps);
  context.foreseeWork(expr, grid);
  const value = await new Evaluator(context).evaluate(expr, grid);
  if (value.type === "string") throw new EvaluationError("a string has no range");
  if (value.type === "scalar") {
    const timesMs = Float64Array.from(value.values, (_, step) => timeAt(grid, step));
    return { type: "matrix", series: [{ labels: EMPTY_LABELS, timesMs, values: value.values }] };
  }
  const series = await matrixSeries(context, await finished(context, value.series), grid);
  return { type: "matrix", series: await sorted(context, series) };
}

function bareExpr(expr: Expr): Expr {
  let bare = expr;
  while (bare.kind === "paren" || bare.kind === "invariant") bare = bare.expr;
  return bare;
}

/** Names that were kept for the course of the query go now. */
async function finished(context: QueryContext, series: StepSeries[]): Promise<StepSeries[]> {
  if (context.delayedNameRemoval) {
    for (const [i, entry] of series.entries()) {
      if (entry.dropName) series[i] = entry.relabelled(dropMetadata(entry.labels), false);
      if (context.tired(KEY_WORK)) await context.breathe();
    }
  }
  return mergeSameLabels(context, series);
}

async function vectorSamples(
  context: QueryContext,
  series: readonly StepSeries[],
  timeMs: number,
): Promise<VectorSample[]> {
  const samples: VectorSample[] = [];
  for (const entry of series) {
    if (context.tired(SAMPLE_WORK)) await context.breathe();
    if (entry.kinds[0] === FLOAT) samples.push({ labels: entry.labels, timeMs, value: entry.values[0] as number });
    else if (entry.kinds[0] !== ABSENT) {
      samples.push({ labels: entry.labels, timeMs, value: 0, histogram: entry.histogramAt(0) });
    }
  }
  return samples;
}

async function matrixSeries(context: QueryContext, all: readonly StepSeries[], grid: Grid): Promise<MatrixSeries[]> {
  const allTimes = new Float64Array(grid.steps);
  const { startMs, stepMs, steps } = grid;
  for (let step = 0; step < steps; step++) allTimes[step] = startMs + step * stepMs;
  const results: MatrixSeries[] = [];
  for (const series of all) {
    const result = matrixOf(series, allTimes);
    if (result) results.push(result);
    if (context.breathless) await context.breathe();
  }
  return results;
}

function matrixOf(series: StepSeries, allTimes: Float64Array): MatrixSeries | undefined {
  const { labels, kinds, values } = series;
  if (series.histograms) return mixedMatrix(series, allTimes);
  const first = kinds.indexOf(FLOAT);
  if (first < 0) return undefined;
  const end = kinds.lastIndexOf(FLOAT) + 1;
  const gap = kinds.indexOf(ABSENT, first);
  if (gap >= 0 && gap < end) return { labels, ...floatsOf(series, allTimes, countOf(kinds, FLOAT)) };
  return { labels, timesMs: allTimes.subarray(first, end), values: values.subarray(first, end) };
}

function countOf(kinds: Uint8Array, kind: number): number {
  let count = 0;
  for (let step = 0; step < kinds.length; step++) if (kinds[step] === kind) count++;
  return count;
}

function floatsOf({ kinds, values }: StepSeries, allTimes: Float64Array, count: number) {
  const kept = { timesMs: new Float64Array(count), values: new Float64Array(count) };
  let at = 0;
  for (let step = 0; step < kinds.length; step++) {
    if (kinds[step] !== FLOAT) continue;
    kept.timesMs[at] = allTimes[step] as number;
    kept.values[at++] = values[step] as number;
  }
  return kept;
}

function mixedMatrix(series: StepSeries, allTimes: Float64Array): MatrixSeries | undefined {
  const { labels, kinds } = series;
  const [floats, count] = [countOf(kinds, FLOAT), countOf(kinds, HISTOGRAM)];
  if (floats + count === 0) return undefined;
  const kept = floatsOf(series, allTimes, floats);
  if (count === 0) return { labels, ...kept };
  const timesMs = new Float64Array(count);
  const values: NativeHistogram[] = [];
  for (let step = 0; step < kinds.length; step++) {
    if (kinds[step] !== HISTOGRAM) continue;
    timesMs[values.length] = allTimes[step] as number;
    values.push(series.histogramAt(step));
  }
  return { labels, ...kept, histograms: { timesMs, values } };
}

async function selectMatrix(context: QueryContext, expr: MatrixSelector, grid: Grid): Promise<MatrixSeries[]> {
  const gaze = gazeOf(expr.vector);
  const { extend } = expr.vector;
  const endMs = firstGaze(gaze, grid);
  const startMs = endMs - knownDuration(expr.length);
  const range = {
    startMs: startMs + 1 - (extend ? context.lookbackMs : 0),
    endMs: endMs + (extend === "smoothed" ? context.lookbackMs : 0),
  };
  const hints = { stepMs: 0, func: "", rangeMs: endMs - startMs };
  const results: MatrixSeries[] = [];
  if (startMs === endMs) return results;
  await selectSlices(context, { matchers: expr.vector.matchers, range, hints }, 0, (slice) => {
    const input = rangeInputOf(slice);
    const count = input.timesMs.length + input.histograms.length;
    context.samplesTotal += count;
    context.hold(count);
    const series = extend ? extendedSamples(input, startMs, endMs, extend) : samplesOf(input);
    if (series) context.sampleStats?.add(0, ...readAtOnce(series));
    if (series && series.timesMs.length + (series.histograms?.values.length ?? 0) > 0) results.push(series);
  });
  return results;
}

/** All of it is looked at, and read. */
function readAtOnce({ timesMs, histograms }: MatrixSeries): [total: number, read: number] {
  let weight = timesMs.length;
  for (const histogram of histograms?.values ?? []) weight += histogramWeight(histogram);
  return [weight, weight];
}

function samplesOf(input: RangeInput): MatrixSeries {
  const { labels, timesMs, values } = input;
  if (input.histograms.length === 0) return { labels, timesMs, values };
  return { labels, timesMs, values, histograms: { timesMs: input.histogramTimesMs, values: input.histograms } };
}

async function subqueryMatrix(evaluator: Evaluator, expr: SubqueryExpr, grid: Grid): Promise<MatrixSeries[]> {
  const inner = await evaluator.subquerySteps(expr, grid);
  evaluator.context.sampleStats?.add(0, inner.stats?.total ?? 0, 0);
  return matrixSeries(evaluator.context, await finished(evaluator.context, inner.series), inner.grid);
}

function sorted(context: QueryContext, series: MatrixSeries[]): Promise<MatrixSeries[]> {
  return sortInTurns(series, (a, b) => compareLabels(a.labels, b.labels), context);
}
