import { CUSTOM_BUCKETS_SCHEMA, type NativeHistogram } from "@sightline/model/histogram.ts";
import { NeumaierSum } from "../eval/neumaier.ts";
import { nameless } from "../eval/result-labels.ts";
import { HISTOGRAM, type StepSeries } from "../eval/step-series.ts";
import { allBuckets } from "../histogram/all-buckets.ts";
import type { FunctionCall, VectorFunction } from "./vector-function.ts";

/** Functions of each native histogram by itself; floats are left out. */
export const HISTOGRAM_FUNCTIONS: ReadonlyMap<string, VectorFunction> = new Map<string, VectorFunction>([
  ["histogram_count", (call) => mapHistograms(call, ({ count }) => count)],
  ["histogram_sum", (call) => mapHistograms(call, ({ sum }) => sum)],
  ["histogram_avg", (call) => mapHistograms(call, ({ sum, count }) => sum / count)],
  ["histogram_stdvar", (call) => mapHistograms(call, variance)],
  ["histogram_stddev", (call) => mapHistograms(call, (histogram) => Math.sqrt(variance(histogram)))],
]);

async function mapHistograms(call: FunctionCall, map: (histogram: NativeHistogram) => number) {
  const results: StepSeries[] = [];
  for (const input of call.vector(0)) {
    if (!input.histograms) continue;
    const out = nameless(call.context, input);
    for (let step = 0; step < input.kinds.length; step++) {
      if (input.kinds[step] === HISTOGRAM) out.setFloat(step, map(input.histogramAt(step)));
    }
    if (!out.isEmpty()) results.push(out);
    if (call.context.tired(50 * input.kinds.length)) await call.context.breathe();
  }
  return call.result(results);
}

/** Every observation is taken to be at the middle of its bucket: the geometric one for exponential buckets. */
function variance(histogram: NativeHistogram): number {
  const mean = histogram.sum / histogram.count;
  const sum = new NeumaierSum();
  for (const { lower, upper, count } of allBuckets(histogram)) {
    if (count === 0) continue;
    let value = 0;
    if (histogram.schema === CUSTOM_BUCKETS_SCHEMA) value = (upper + lower) / 2;
    else if (lower > 0 || upper < 0) value = Math.sqrt(upper * lower) * (upper < 0 ? -1 : 1);
    const delta = value - mean;
    sum.add(count * delta * delta);
  }
  return sum.total() / histogram.count;
}
