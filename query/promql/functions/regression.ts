import { compensated } from "../eval/neumaier.ts";
import type { RangeFunction, RangeWindow } from "../eval/range-function.ts";
import { EvaluationError } from "../evaluation-error.ts";
import { onlyFloats } from "./over-time.ts";

/** Functions that fit a line, or a smoothed course, to the samples of a range. */
export const REGRESSION_FUNCTIONS: ReadonlyMap<string, RangeFunction> = new Map([
  ["deriv", onlyFloats((window) => linearRegression(window, window.timesMs[window.from] as number).slope, 2)],
  ["predict_linear", onlyFloats(predict, 2)],
  ["double_exponential_smoothing", onlyFloats(smooth, 2)],
]);

function predict(window: RangeWindow): number {
  const seconds = (window.call.params.get(1) as Float64Array)[window.step] as number;
  const { slope, intercept } = linearRegression(window, window.timeMs);
  return slope * seconds + intercept;
}

/** Least squares, all four sums compensated; `intercept` is the value at `atMs`. */
function linearRegression(
  { timesMs, values, from, to }: RangeWindow,
  atMs: number,
): { slope: number; intercept: number } {
  const first = values[from] as number;
  let constant = true;
  let sumX = 0;
  let sumY = 0;
  let sumXY = 0;
  let sumX2 = 0;
  let cX = 0;
  let cY = 0;
  let cXY = 0;
  let cX2 = 0;
  for (let i = from; i < to; i++) {
    const y = values[i] as number;
    if (y !== first && i > from) constant = false;
    const x = ((timesMs[i] as number) - atMs) / 1e3;
    let next = sumX + x;
    cX = compensated(cX, sumX, x, next);
    sumX = next;
    next = sumY + y;
    cY = compensated(cY, sumY, y, next);
    sumY = next;
    next = sumXY + x * y;
    cXY = compensated(cXY, sumXY, x * y, next);
    sumXY = next;
    next = sumX2 + x * x;
    cX2 = compensated(cX2, sumX2, x * x, next);
    sumX2 = next;
  }
  if (constant) {
    return Number.isFinite(first) || Number.isNaN(first)
      ? { slope: 0, intercept: first }
      : { slope: Number.NaN, intercept: Number.NaN };
  }
  const n = to - from;
  sumX += cX;
  sumY += cY;
  sumXY += cXY;
  sumX2 += cX2;
  const covariance = sumXY - (sumX * sumY) / n;
  const variance = sumX2 - (sumX * sumX) / n;
  const slope = covariance / variance;
  return { slope, intercept: sumY / n - (slope * sumX) / n };
}

/** Holt's linear trend method. */
function smooth({ values, from, to, call, step }: RangeWindow): number {
  const smoothing = (call.params.get(1) as Float64Array)[step] as number;
  const trendFactor = (call.params.get(2) as Float64Array)[step] as number;
  checkFactor("smoothing", "sf", smoothing);
  checkFactor("trend", "tf", trendFactor);
  let before = 0;
  let smoothed = values[from] as number;
  let trend = (values[from + 1] as number) - smoothed;
  for (let i = from + 1; i < to; i++) {
    const scaled = smoothing * (values[i] as number);
    if (i > from + 1) trend = trendFactor * (smoothed - before) + (1 - trendFactor) * trend;
    const continued = (1 - smoothing) * (smoothed + trend);
    before = smoothed;
    smoothed = scaled + continued;
  }
  return smoothed;
}

function checkFactor(name: string, short: string, value: number): void {
  if (!(value <= 0 || value >= 1)) return;
  throw new EvaluationError(`invalid ${name} factor. Expected: 0 < ${short} < 1, got: ${value.toFixed(6)}`);
}
