import { NOTES } from "../annotations.ts";
import type { VectorSelector } from "../ast.ts";
import { interpolate } from "../functions/range-ends.ts";
import { interpolateHistograms } from "../histogram/interpolate-histograms.ts";
import { type Grid, timeAt } from "./grid.ts";
import type { QueryContext } from "./query-context.ts";
import { type RangeInput, rangeInputOf } from "./range-input.ts";
import { metricName } from "./result-labels.ts";
import { selectSlices } from "./select-slices.ts";
import { StepSeries } from "./step-series.ts";
import { firstGaze, gazeOf, lastGaze } from "./time-window.ts";

/**
 * An instant selector with `smoothed`: the value at a step lies on the line between the samples before and after it,
 * both within the lookback. Without one after it, the one before stands.
 */
export async function evaluateSmoothedSelector(
  context: QueryContext,
  selector: VectorSelector,
  grid: Grid,
): Promise<StepSeries[]> {
  const gaze = gazeOf(selector);
  const { lookbackMs } = context;
  const range = { startMs: firstGaze(gaze, grid) - lookbackMs + 1, endMs: lastGaze(gaze, grid) + lookbackMs };
  const hints = { stepMs: grid.stepMs, func: "", rangeMs: 0 };
  const results: StepSeries[] = [];
  const request = { matchers: selector.matchers, range, hints, transient: true };
  await selectSlices(context, request, grid.steps, (slice) => {
    const input = rangeInputOf(slice);
    const out = StepSeries.empty(slice.labels, grid.steps);
    let count = 0;
    for (let step = 0; step < grid.steps; step++) {
      if (smoothAt(context, selector, input, gaze.fixedMs ?? timeAt(grid, step) - gaze.offsetMs, out, step)) count++;
    }
    if (count === 0) return;
    context.hold(count);
    results.push(out);
  });
  return results;
}

function smoothAt(
  context: QueryContext,
  { range }: VectorSelector,
  input: RangeInput,
  atMs: number,
  out: StepSeries,
  step: number,
): boolean {
  const fromMs = atMs - context.lookbackMs;
  const toMs = atMs + context.lookbackMs;
  const floats = around(input.timesMs, fromMs, atMs, toMs);
  const histograms = around(input.histogramTimesMs, fromMs, atMs, toMs);
  if (floats.any && histograms.any) {
    context.annotations.warn(range, NOTES.mixedFloatsHistograms(metricName(input.labels)));
    return false;
  }
  if (floats.exact !== undefined) out.setFloat(step, input.values[floats.exact] as number);
  else if (histograms.exact !== undefined) out.setHistogram(step, input.histograms[histograms.exact]!);
  else if (floats.before !== undefined) {
    const before = floats.before;
    const value = floats.after
      ? interpolate(input.timesMs, input.values, before, atMs, false)
      : (input.values[before] as number);
    out.setFloat(step, value);
  } else if (histograms.before !== undefined) {
    const from = input.histograms[histograms.before]!;
    if (!histograms.after) {
      out.setHistogram(step, { ...from, counterResetHint: 0 });
      return true;
    }
    const to = input.histograms[histograms.before + 1]!;
    const times = [input.histogramTimesMs[histograms.before]!, input.histogramTimesMs[histograms.before + 1]!] as const;
    const fraction = (atMs - times[0]) / (times[1] - times[0]);
    const value = interpolateHistograms(context.annotations, range, metricName(input.labels), from, to, fraction);
    if (!value) return false;
    out.setHistogram(step, value);
  } else return false;
  return true;
}

type Around = { any: boolean; exact?: number; before?: number; after: boolean };

/** What there is in `(fromMs, toMs]`: a sample at `atMs`, or the last before it and whether there is one after. */
function around(timesMs: Float64Array, fromMs: number, atMs: number, toMs: number): Around {
  let low = 0;
  let high = timesMs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((timesMs[middle] as number) < atMs) low = middle + 1;
    else high = middle;
  }
  const next = timesMs[low];
  const hasNext = next !== undefined && next <= toMs;
  const hasBefore = low > 0 && (timesMs[low - 1] as number) > fromMs;
  return {
    any: hasNext || hasBefore,
    ...(hasNext && next === atMs ? { exact: low } : {}),
    ...(hasBefore ? { before: low - 1 } : {}),
    after: hasNext,
  };
}
