import type { RangeInput } from "../eval/range-input.ts";
import { EvaluationError } from "../evaluation-error.ts";
import type { MatrixSeries } from "../result.ts";
import { endIndexesOrAfter, interpolate } from "./range-ends.ts";

/**
 * What an `anchored` or `smoothed` range vector shows of a series by itself: its samples, and one at each end of the
 * range. Undefined when nothing lies in the range.
 */
export function extendedSamples(
  input: RangeInput,
  startMs: number,
  endMs: number,
  extend: "anchored" | "smoothed",
): MatrixSeries | undefined {
  const { timesMs, values, labels } = input;
  if (input.histograms.length > 0) throw new EvaluationError(`${extend} modifier is not supported with histograms`);
  const smoothed = extend === "smoothed";
  const ends = endIndexesOrAfter(timesMs, 0, timesMs.length, startMs, endMs, smoothed);
  if (!ends) return undefined;
  let { first, last } = ends;
  const left =
    smoothed && (timesMs[first] as number) < startMs
      ? interpolate(timesMs, values, first, startMs, false)
      : (values[first] as number);
  const right =
    smoothed && last > 0 && (timesMs[last] as number) > endMs
      ? interpolate(timesMs, values, last - 1, endMs, false)
      : (values[last] as number);
  if ((timesMs[first] as number) <= startMs) first++;
  if ((timesMs[last] as number) >= endMs) last--;
  const inside = { times: timesMs.slice(first, last + 1), values: values.slice(first, last + 1) };
  return {
    labels,
    timesMs: Float64Array.of(startMs, ...inside.times, endMs),
    values: Float64Array.of(left, ...inside.values, right),
  };
}
