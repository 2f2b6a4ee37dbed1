import { isStaleHistogram, type NativeHistogram } from "@sightline/model/histogram.ts";
import { EMPTY_LABELS, type Labels } from "@sightline/model/labels.ts";
import type { SeriesSlice } from "@sightline/model/metric-store.ts";
import { isStaleAt, wordsOf } from "@sightline/model/stale.ts";
import type { VectorSelector } from "../ast.ts";
import { EvaluationError } from "../evaluation-error.ts";
import { formatLabelSet } from "../format/format-label-set.ts";
import { statsOf } from "../histogram/histogram-stats.ts";
import { histogramWeight } from "../histogram/histogram-weight.ts";
import { CollectedSeries } from "./collected-series.ts";
import { type Grid, timeAt } from "./grid.ts";
import type { QueryContext } from "./query-context.ts";
import { ReadAhead, seesFloatsAtLastStep } from "./read-ahead.ts";
import { selectSlices } from "./select-slices.ts";
import { StepArrays } from "./step-arrays.ts";
import { ABSENT, FLOAT, type SeriesSink, StepSeries } from "./step-series.ts";
import { firstGaze, type Gaze, gazeOf, lastGaze } from "./time-window.ts";

/** With fewer samples than that, their steps are filled rather than each step looked at. */
const STEPS_PER_SAMPLE = 4;

/**
 * What `timestamp()` and `start_timestamp()` look at instead of the value. `info-time` is the time, too, but allows for
 * floats only, as info metrics have them.
 */
export type Aspect = "value" | "time" | "start" | "info-time";

/**
 * An instant selector at all steps: the newest sample of each series that is less than the lookback old, nothing if
 * that is the staleness marker. Series come in the order of their labels.
 */
export async function evaluateInstantSelector(
  context: QueryContext,
  selector: VectorSelector,
  grid: Grid,
  aspect: Aspect = "value",
): Promise<StepSeries[]> {
  const collected = new CollectedSeries(context);
  await streamInstantSelector(context, selector, grid, collected, aspect);
  return collected.series;
}

/** {@link evaluateInstantSelector}, one series after the other. */
export async function streamInstantSelector(
  context: QueryContext,
  selector: VectorSelector,
  grid: Grid,
  sink: SeriesSink,
  aspect: Aspect = "value",
): Promise<void> {
  const gaze = gazeOf(selector);
  const { lookbackMs } = context;
  const look = aspect === "time" || aspect === "start" ? gazeOfTimestamp(selector) : gaze;
  const range = { startMs: firstGaze(gaze, grid) - lookbackMs + 1, endMs: lastGaze(gaze, grid) };
  const hints = { stepMs: grid.stepMs, func: "", rangeMs: 0, newestOnly: grid.steps === 1 };
  const arrays = new StepArrays(grid.steps);
  const lent = sink.keeps ? undefined : StepSeries.empty(EMPTY_LABELS, grid.steps);
  const evaluate = (slice: SeriesSlice) => {
    const read = selector.statsOnly ? statsOf(slice) : slice;
    const out = lent
      ? new StepSeries(read.labels, false, lent.values, lent.kinds.fill(ABSENT))
      : keptSeries(read.labels, arrays);
    const weight = pickNewest(read, grid, look, lookbackMs, aspect, out);
    if (weight === 0) return;
    context.samplesTotal += weight;
    context.sampleStats?.selected(out);
    context.hold(weight);
    sink.take(out);
    context.release(weight);
  };
  const request = { matchers: selector.matchers, range, hints, transient: true };
  if (!sink.holds || !ReadAhead.pays(grid.steps)) return selectSlices(context, request, grid.steps, evaluate);
  const ahead = new ReadAhead(context, grid.steps, evaluate);
  await selectSlices(context, request, grid.steps, (slice) =>
    ahead.add(slice, seesFloatsAtLastStep(slice, range.endMs, lookbackMs, 1)),
  );
  await ahead.finish();
}

/**
 * With `@` these functions look at that moment whatever the offset, which only bounds what is read
 * (rangeEvalTimestampFunctionOverVectorSelector in Prometheus' promql/engine.go).
 */
function gazeOfTimestamp(selector: VectorSelector): Gaze {
  return gazeOf(selector.at === undefined ? selector : { ...selector, offset: 0 });
}

function keptSeries(labels: Labels, arrays: StepArrays): StepSeries {
  const { values, kinds } = arrays.next();
  return new StepSeries(labels, false, values, kinds);
}

/** The samples in it, as they count. */
function pickNewest(
  slice: SeriesSlice,
  grid: Grid,
  gaze: Gaze,
  lookbackMs: number,
  aspect: Aspect,
  out: StepSeries,
): number {
  if (!slice.histograms && aspect === "value") return pickNewestFloat(slice, grid, gaze, lookbackMs, out);
  pickNewestOfAny(slice, grid, gaze, lookbackMs, aspect, out);
  return weightOf(out);
}

function weightOf(series: StepSeries): number {
  let weight = 0;
  for (const kind of series.kinds) if (kind !== ABSENT) weight++;
  if (!series.histograms) return weight;
  for (const histogram of series.histograms) if (histogram) weight += histogramWeight(histogram) - 1;
  return weight;
}

function pickNewestFloat(slice: SeriesSlice, grid: Grid, gaze: Gaze, lookbackMs: number, out: StepSeries): number {
  const { timesMs, values } = slice;
  const { values: outValues, kinds } = out;
  const length = timesMs.length;
  if (gaze.fixedMs === undefined && timesMs.length * STEPS_PER_SAMPLE < grid.steps) {
    return spreadFloats(slice, grid, gaze.offsetMs, lookbackMs, out);
  }
  let words: Uint32Array | undefined;
  let next = 0;
  let picked = 0;
  for (let step = 0; step < grid.steps; step++) {
    const lookMs = gaze.fixedMs ?? timeAt(grid, step) - gaze.offsetMs;
    while (next < length && (timesMs[next] as number) <= lookMs) next++;
    if (next === 0 || (timesMs[next - 1] as number) <= lookMs - lookbackMs) continue;
    const value = values[next - 1] as number;
    if (Number.isNaN(value)) {
      words ??= wordsOf(values);
      if (isStaleAt(words, next - 1)) continue;
    }
    outValues[step] = value;
    kinds[step] = 1;
    picked++;
  }
  return picked;
}

/** {@link pickNewestFloat} for many steps and few samples: fills the steps that see one sample at once. */
function spreadFloats(slice: SeriesSlice, grid: Grid, offsetMs: number, lookbackMs: number, out: StepSeries): number {
  const { timesMs, values } = slice;
  const { stepMs, steps } = grid;
  const firstMs = grid.startMs - offsetMs;
  let words: Uint32Array | undefined;
  let picked = 0;
  // The first step that looks at this time or later.
  let to = stepFrom((timesMs[0] as number) - firstMs, stepMs);
  for (let i = 0; i < timesMs.length && to < steps; i++) {
    const from = to;
    to = i + 1 < timesMs.length ? stepFrom((timesMs[i + 1] as number) - firstMs, stepMs) : steps;
    const end = Math.min(to, steps, stepFrom((timesMs[i] as number) + lookbackMs - firstMs, stepMs));
    if (end <= from) continue;
    const value = values[i] as number;
    if (Number.isNaN(value)) {
      words ??= wordsOf(values);
      if (isStaleAt(words, i)) continue;
    }
    out.values.fill(value, from, end);
    out.kinds.fill(FLOAT, from, end);
    picked += end - from;
  }
  return picked;
}

/** Times are whole milliseconds, and so are steps: the quotient is exact where it matters. */
function stepFrom(ms: number, stepMs: number): number {
  return Math.max(0, Math.ceil(ms / stepMs));
}

function pickNewestOfAny(
  slice: SeriesSlice,
  grid: Grid,
  gaze: Gaze,
  lookbackMs: number,
  aspect: Aspect,
  out: StepSeries,
): void {
  const { timesMs, histograms } = slice;
  const words = wordsOf(slice.values);
  let nextFloat = 0;
  let nextHistogram = 0;
  for (let step = 0; step < grid.steps; step++) {
    const lookMs = gaze.fixedMs ?? timeAt(grid, step) - gaze.offsetMs;
    nextFloat = advance(timesMs, nextFloat, lookMs);
    if (histograms) nextHistogram = advance(histograms.timesMs, nextHistogram, lookMs);
    const floatMs = timesMs[nextFloat - 1] ?? Number.NEGATIVE_INFINITY;
    const histogramMs = histograms?.timesMs[nextHistogram - 1] ?? Number.NEGATIVE_INFINITY;
    if (Math.max(floatMs, histogramMs) <= lookMs - lookbackMs) continue;
    if (histogramMs <= floatMs) {
      if (!isStaleAt(words, nextFloat - 1)) out.setFloat(step, floatAspect(slice, nextFloat - 1, aspect));
    } else if (!isStaleHistogram(histograms?.values[nextHistogram - 1] as NativeHistogram)) {
      out.set(step, histogramAspect(slice, nextHistogram - 1, aspect));
    }
  }
}

function floatAspect({ timesMs, values, startsMs }: SeriesSlice, index: number, aspect: Aspect): number {
  if (aspect === "value") return values[index] as number;
  return (aspect === "start" ? (startsMs?.[index] ?? 0) : (timesMs[index] as number)) / 1000;
}

function histogramAspect({ labels, histograms }: SeriesSlice, index: number, aspect: Aspect): number | NativeHistogram {
  if (aspect === "value") return histograms?.values[index] as NativeHistogram;
  if (aspect === "start") return (histograms?.startsMs?.[index] ?? 0) / 1000;
  if (aspect === "time") return (histograms?.timesMs[index] as number) / 1000;
  throw new EvaluationError(`this should be an info metric, with float samples: ${formatLabelSet(labels)}`);
}

/** The first index from `from` on whose time is after `timeMs`. */
function advance(timesMs: Float64Array, from: number, timeMs: number): number {
  let next = from;
  while (next < timesMs.length && (timesMs[next] as number) <= timeMs) next++;
  return next;
}
