import type { RangeCall, SeriesKernel } from "../eval/range-function.ts";
import { FLOAT } from "../eval/step-series.ts";
import type { StepWindows } from "../eval/step-windows.ts";
import { extrapolationFactor, unboundedToStart } from "./extrapolation.ts";
import type { RateKind } from "./rate-kind.ts";

/**
 * `rate`, `increase` or `delta` in all windows of a series, to the last bit as if each were computed by itself. What a
 * change is multiplied by depends on times alone, unless a counter is so low that it began in the range.
 */
export function rateKernel(windows: StepWindows, call: RangeCall, kind: RateKind): SeriesKernel {
  const factors = factorsOf(windows, call, kind);
  if (!kind.isCounter) return (values, _, out) => gaugeChanges(windows, factors, values, out);
  const lowFactor = (step: number, first: number, change: number) => {
    const zero = change > 0 && first >= 0 ? first / change : Number.POSITIVE_INFINITY;
    return factorAt(windows, call, kind, step, zero);
  };
  return (values, resets, out) => counterChanges(windows, factors, lowFactor, values, resets, out);
}

/** NaN where a counter at least as high as its change might still have begun in the range. */
function factorsOf(windows: StepWindows, call: RangeCall, kind: RateKind): Float64Array {
  const { timesMs, from, to, kinds } = windows;
  const factors = new Float64Array(kinds.length).fill(Number.NaN);
  for (let step = 0; step < kinds.length; step++) {
    if (kinds[step] !== FLOAT) continue;
    const firstMs = timesMs[from[step] as number] as number;
    const last = (to[step] as number) - 1;
    const sampled = ((timesMs[last] as number) - firstMs) / 1000;
    const startMs = windows.endMs(step) - call.rangeMs;
    const toStart = unboundedToStart({ startMs, endMs: 0 }, firstMs, sampled, last - (from[step] as number));
    if (kind.isCounter && !(sampled >= toStart)) continue;
    factors[step] = factorAt(windows, call, kind, step, Number.POSITIVE_INFINITY);
  }
  return factors;
}

function factorAt(windows: StepWindows, call: RangeCall, kind: RateKind, step: number, zero: number): number {
  const { timesMs } = windows;
  const from = windows.from[step] as number;
  const last = (windows.to[step] as number) - 1;
  const endMs = windows.endMs(step);
  const ends = { startMs: endMs - call.rangeMs, endMs };
  return extrapolationFactor(ends, call, kind, timesMs[from] as number, timesMs[last] as number, last - from, zero);
}

function gaugeChanges(
  { from, to, kinds }: StepWindows,
  factors: Float64Array,
  values: Float64Array,
  out: Float64Array,
): void {
  for (let step = 0; step < kinds.length; step++) {
    if (kinds[step] !== FLOAT) continue;
    const change = (values[(to[step] as number) - 1] as number) - (values[from[step] as number] as number);
    out[step] = change * (factors[step] as number);
  }
}

function counterChanges(
  { from, to, kinds }: StepWindows,
  factors: Float64Array,
  lowFactor: (step: number, first: number, change: number) => number,
  values: Float64Array,
  resets: readonly number[],
  out: Float64Array,
): void {
  let nextReset = 0;
  for (let step = 0; step < kinds.length; step++) {
    if (kinds[step] !== FLOAT) continue;
    const start = from[step] as number;
    const end = to[step] as number;
    const first = values[start] as number;
    let change = (values[end - 1] as number) - first;
    while (nextReset < resets.length && (resets[nextReset] as number) <= start) nextReset++;
    for (let reset = nextReset; reset < resets.length && (resets[reset] as number) < end; reset++) {
      change += values[(resets[reset] as number) - 1] as number;
    }
    let factor = factors[step] as number;
    if (!(first >= change) || Number.isNaN(factor)) factor = lowFactor(step, first, change);
    out[step] = change * factor;
  }
}
