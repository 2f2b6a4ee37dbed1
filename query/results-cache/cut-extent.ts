import { Turn } from "../http/turn.ts";
import type { MatrixSeries } from "../promql/result.ts";
import type { Extent, StepRange } from "./extent.ts";

/** The steps of an extent that lie within `range`, in the memory of the whole; undefined when there is none. */
export async function cutExtent(extent: Extent, range: StepRange, stepMs: number): Promise<Extent | undefined> {
  const steps = stepsWithin(extent, range, stepMs);
  if (!steps) return undefined;
  if (steps.startMs === extent.startMs && steps.endMs === extent.endMs) return extent;
  const turn = new Turn();
  const cuts = new Map<Float64Array, Float64Array>();
  const series: MatrixSeries[] = [];
  for (const whole of extent.series) {
    const cut = cutSeries(whole, steps, cuts);
    if (cut) series.push(cut);
    await turn.rest();
  }
  return { ...steps, series };
}

/** {@link cutExtent} of each. */
export async function cutExtents(extents: readonly Extent[], range: StepRange, stepMs: number): Promise<Extent[]> {
  const cut: Extent[] = [];
  for (const extent of extents) {
    const part = await cutExtent(extent, range, stepMs);
    if (part) cut.push(part);
  }
  return cut;
}

function stepsWithin(extent: StepRange, range: StepRange, stepMs: number): StepRange | undefined {
  const { startMs: originMs } = extent;
  const startMs = originMs + Math.max(0, Math.ceil((range.startMs - originMs) / stepMs)) * stepMs;
  const endMs = originMs + Math.floor((Math.min(range.endMs, extent.endMs) - originMs) / stepMs) * stepMs;
  return startMs > endMs ? undefined : { startMs, endMs };
}

function cutSeries(
  { labels, timesMs, values, histograms }: MatrixSeries,
  range: StepRange,
  cuts: Map<Float64Array, Float64Array>,
): MatrixSeries | undefined {
  const [from, to] = within(timesMs, range);
  let times = cuts.get(timesMs);
  if (!times) {
    times = timesMs.subarray(from, to);
    cuts.set(timesMs, times);
  }
  const floats = { labels, timesMs: times, values: values.subarray(from, to) };
  const [first, last] = histograms ? within(histograms.timesMs, range) : [0, 0];
  if (!histograms || first === last) return from === to ? undefined : floats;
  const cut = { timesMs: histograms.timesMs.subarray(first, last), values: histograms.values.slice(first, last) };
  return { ...floats, histograms: cut };
}

function within(timesMs: Float64Array, { startMs, endMs }: StepRange): [from: number, to: number] {
  return [firstNotBefore(timesMs, startMs), firstNotBefore(timesMs, endMs + 1)];
}

function firstNotBefore(timesMs: Float64Array, timeMs: number): number {
  let low = 0;
  let high = timesMs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((timesMs[middle] as number) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
