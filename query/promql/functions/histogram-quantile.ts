import { type Labels, labelsKey, labelValue } from "@sightline/model/labels.ts";
import { NOTES } from "../annotations.ts";
import type { Expr } from "../ast.ts";
import { timeAt } from "../eval/grid.ts";
import { KEY_WORK, mergeSameLabels } from "../eval/merge-series.ts";
import { dropMetadata, metricName, withLabel } from "../eval/result-labels.ts";
import { FLOAT, HISTOGRAM, StepSeries } from "../eval/step-series.ts";
import { formatFloat, formatGeneral } from "../format/format-float.ts";
import { parseGoFloat } from "../format/parse-go-float.ts";
import { type ClassicBuckets, classicFraction, classicQuantile } from "../histogram/classic-quantile.ts";
import { nativeFraction, nativeQuantile } from "../histogram/native-quantile.ts";
import type { FunctionCall, VectorFunction } from "./vector-function.ts";

/** Functions of whole histograms, classic ones (series with `le`) and native ones alike. */
export const QUANTILE_FUNCTIONS: ReadonlyMap<string, VectorFunction> = new Map<string, VectorFunction>([
  ["histogram_quantile", histogramQuantile],
  ["histogram_quantiles", histogramQuantiles],
  ["histogram_fraction", histogramFraction],
]);

async function histogramQuantile(call: FunctionCall) {
  const quantiles = call.scalar(0);
  noteQuantiles(call, quantiles, call.argExpr(0));
  const histograms = await collectHistograms(call, call.vector(1), call.argExpr(1));
  return call.result(await merged(call, await quantilesOf(call, histograms, call.argExpr(1), quantiles)));
}

async function histogramQuantiles(call: FunctionCall) {
  const label = call.string(1);
  const histograms = await collectHistograms(call, call.vector(0), call.argExpr(0));
  const results: StepSeries[] = [];
  for (let index = 2; index < call.args.length; index++) {
    const quantiles = call.scalar(index);
    noteQuantiles(call, quantiles, call.argExpr(index));
    for (const out of await quantilesOf(call, histograms, call.argExpr(0), quantiles)) {
      call.context.holdText(label.length);
      results.push(...labelledByQuantile(out, label, quantiles));
    }
  }
  return call.result(await merged(call, results));
}

/** The quantile may differ from step to step, and so then does the label. */
function labelledByQuantile(series: StepSeries, label: string, quantiles: Float64Array): StepSeries[] {
  return [...new Set(quantiles)].map((quantile) => {
    const kinds = series.kinds.map((kind, step) => (Object.is(quantiles[step], quantile) ? kind : 0));
    const labels = withLabel(series.labels, label, openMetricsFloat(quantile));
    return new StepSeries(labels, series.dropName, series.values, kinds);
  });
}

/** As `le` and `quantile` labels are written: whole numbers with `.0`. */
function openMetricsFloat(value: number): string {
  const text = Number.isFinite(value) ? formatGeneral(value) : formatFloat(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

async function histogramFraction(call: FunctionCall) {
  const lower = call.scalar(0);
  const upper = call.scalar(1);
  const arg = call.argExpr(2);
  const note = (message: string) => call.context.annotations.info(arg.range, message);
  const histograms = await collectHistograms(call, call.vector(2), arg);
  const results = await evaluateAll(call, histograms, (histogram, step) => {
    const from = lower[step] as number;
    const to = upper[step] as number;
    const native = histogram.nativeAt(step);
    if (native) return nativeFraction(from, to, native, histogram.metric, note);
    const buckets = histogram.bucketsAt(step);
    return buckets && classicFraction(from, to, buckets);
  });
  return call.result(await merged(call, results));
}

async function quantilesOf(
  call: FunctionCall,
  histograms: readonly Histogram[],
  arg: Expr,
  quantiles: Float64Array,
): Promise<StepSeries[]> {
  const { annotations } = call.context;
  const note = (message: string) => annotations.info(arg.range, message);
  return evaluateAll(call, histograms, (histogram, step) => {
    const quantile = quantiles[step] as number;
    const native = histogram.nativeAt(step);
    if (native) return nativeQuantile(quantile, native, histogram.metric, note);
    const buckets = histogram.bucketsAt(step);
    if (!buckets) return undefined;
    return classicQuantile(quantile, buckets, (forced) => {
      const metric = call.context.delayedNameRemoval ? histogram.metric : "";
      annotations.forcedMonotonicity(metric, arg.range, timeAt(call.grid, step), forced);
    });
  });
}

/** One series per histogram, without those that have no value at any step. */
async function evaluateAll(
  { context, grid }: FunctionCall,
  histograms: readonly Histogram[],
  valueAt: (histogram: Histogram, step: number) => number | undefined,
): Promise<StepSeries[]> {
  const results: StepSeries[] = [];
  for (const histogram of histograms) {
    const { labels, buckets } = histogram;
    const out = StepSeries.empty(context.delayedNameRemoval ? labels : dropMetadata(labels), grid.steps, true);
    for (let step = 0; step < grid.steps; step++) {
      const value = valueAt(histogram, step);
      if (value !== undefined) out.setFloat(step, value);
      if (context.tired(50 + 20 * buckets.length)) await context.breathe();
    }
    if (!out.isEmpty()) {
      context.hold(grid.steps);
      results.push(out);
    }
  }
  return results;
}

async function merged({ grid, context }: FunctionCall, results: StepSeries[]): Promise<StepSeries[]> {
  return grid.steps === 1 ? results : mergeSameLabels(context, results);
}

function noteQuantiles({ context }: FunctionCall, quantiles: Float64Array, arg: Expr): void {
  for (const quantile of new Set(quantiles)) {
    if (!(quantile >= 0 && quantile <= 1)) context.annotations.warn(arg.range, NOTES.invalidQuantile(quantile));
  }
}

const NO_BUCKETS = new Float64Array(0);

/** All series of one label set without `le`: the buckets of a classic histogram, native histograms, or both. */
class Histogram {
  readonly labels: Labels;
  readonly buckets: { readonly upper: number; readonly series: StepSeries }[] = [];
  native: StepSeries | undefined;
  /** Steps that have both kinds, which say nothing then. */
  conflicts: Set<number> | undefined;
  /** Of the sorted buckets: what is looked at at every step, without the way through objects. */
  #uppers = NO_BUCKETS;
  #values: readonly Float64Array[] = [];
  #kinds: readonly Uint8Array[] = [];
  #atStep: ClassicBuckets = { uppers: NO_BUCKETS, counts: NO_BUCKETS, length: 0 };

  constructor(labels: Labels) {
    this.labels = labels;
  }

  get metric(): string {
    return metricName(this.labels);
  }

  nativeAt(step: number) {
    if (this.native?.kinds[step] !== HISTOGRAM || this.conflicts?.has(step)) return undefined;
    return this.native.histogramAt(step);
  }

  /** Valid until the next call. */
  bucketsAt(step: number): ClassicBuckets | undefined {
    if (this.conflicts?.has(step)) return undefined;
    const { uppers, counts } = this.#atStep;
    let length = 0;
    for (let bucket = 0; bucket < this.#values.length; bucket++) {
      if ((this.#kinds[bucket] as Uint8Array)[step] !== FLOAT) continue;
      uppers[length] = this.#uppers[bucket] as number;
      counts[length++] = (this.#values[bucket] as Float64Array)[step] as number;
    }
    this.#atStep.length = length;
    return length === 0 ? undefined : this.#atStep;
  }

  /** To be called when all buckets are there. */
  sortBuckets(): void {
    const { length } = this.buckets;
    this.buckets.sort((a, b) => (a.upper < b.upper ? -1 : a.upper > b.upper ? 1 : 0));
    this.#uppers = Float64Array.from(this.buckets, ({ upper }) => upper);
    this.#values = this.buckets.map(({ series }) => series.values);
    this.#kinds = this.buckets.map(({ series }) => series.kinds);
    this.#atStep = { uppers: new Float64Array(length), counts: new Float64Array(length), length: 0 };
  }
}

async function collectHistograms(call: FunctionCall, series: readonly StepSeries[], arg: Expr): Promise<Histogram[]> {
  const { annotations, delayedNameRemoval } = call.context;
  const byKey = new Map<string, Histogram>();
  const histogramOf = (labels: Labels): Histogram => {
    const key = labelsKey(labels);
    let histogram = byKey.get(key);
    if (!histogram) {
      histogram = new Histogram(labels);
      byKey.set(key, histogram);
    }
    return histogram;
  };
  for (const member of series) {
    if (call.context.tired(KEY_WORK)) await call.context.breathe();
    if (member.histograms) histogramOf(member.labels).native = member;
    if (!member.kinds.includes(FLOAT)) continue;
    const le = labelValue(member.labels, "le");
    const upper = parseGoFloat(le);
    if (upper === undefined) {
      const metric = delayedNameRemoval ? metricName(member.labels) : "";
      annotations.warn(arg.range, NOTES.badBucketLabel(metric, le));
    } else {
      histogramOf(withLabel(member.labels, "le", "")).buckets.push({ upper, series: member });
    }
  }
  for (const histogram of byKey.values()) {
    histogram.sortBuckets();
    findConflicts(call, histogram, arg);
    if (call.context.tired(KEY_WORK)) await call.context.breathe();
  }
  return [...byKey.values()];
}

function findConflicts({ context, grid }: FunctionCall, histogram: Histogram, arg: Expr): void {
  const { native, buckets } = histogram;
  if (!native || buckets.length === 0) return;
  const conflicts = new Set<number>();
  for (let step = 0; step < grid.steps; step++) {
    if (native.kinds[step] !== HISTOGRAM) continue;
    if (buckets.some(({ series }) => series.kinds[step] === FLOAT)) conflicts.add(step);
  }
  if (conflicts.size === 0) return;
  histogram.conflicts = conflicts;
  const metric = context.delayedNameRemoval ? histogram.metric : "";
  context.annotations.warn(arg.range, NOTES.mixedClassicNative(metric));
}
