import type { TimeRange } from "@sightline/model/time-range.ts";
import { firstFrom } from "./first-from.ts";
import type { AssembledSeries, SeriesAssembler } from "./series-assembler.ts";

/** Adds what a series has in some ranges, ascending and apart from each other. Its times must stay as they are. */
export function addParts(series: AssembledSeries, parts: readonly TimeRange[], into: SeriesAssembler): void {
  const { histograms } = series;
  for (const part of parts) {
    addFloats(series, part, into);
    if (!histograms) continue;
    const { timesMs, startsMs, values } = histograms;
    const [from, to] = [firstFrom(timesMs, part.startMs), firstFrom(timesMs, part.endMs + 1)];
    const starts = startsMs ? Array.from(startsMs.subarray(from, to)) : new Array<number>(to - from).fill(0);
    into.addHistograms(Array.from(timesMs.subarray(from, to)), starts, values.slice(from, to));
  }
}

function addFloats(series: AssembledSeries, { startMs, endMs }: TimeRange, into: SeriesAssembler): void {
  const { timesMs, values, startsMs, counts } = series;
  const [from, to] = [firstFrom(timesMs, startMs), firstFrom(timesMs, endMs + 1)];
  if (from >= to) return;
  if (counts) {
    into.addCounted(timesMs.subarray(from, to), values.subarray(from, to), counts.subarray(from, to));
    return;
  }
  const at = into.reserve(to - from);
  into.values.set(values.subarray(from, to), at);
  into.add(timesMs, from, to - from, 0, startsMs, from);
}
