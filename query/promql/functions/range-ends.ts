/** The samples that stand for the ends of the range; undefined when nothing lies inside of it. */
export function endIndexes(
  timesMs: Float64Array,
  from: number,
  to: number,
  startMs: number,
  endMs: number,
  smoothed: boolean,
): { first: number; last: number } | undefined {
  const ends = endIndexesOrAfter(timesMs, from, to, startMs, endMs, smoothed);
  return ends && smoothed && (timesMs[ends.first] as number) > endMs ? undefined : ends;
}

/** The same, but for a smoothed range that all samples come after, the first of them. */
export function endIndexesOrAfter(
  timesMs: Float64Array,
  from: number,
  to: number,
  startMs: number,
  endMs: number,
  smoothed: boolean,
): { first: number; last: number } | undefined {
  let last = to - 1;
  let first = from;
  while (first < last && (timesMs[first] as number) <= startMs) first++;
  first = Math.max(from, first - 1);
  if (smoothed) {
    let at = from;
    while (at < last && (timesMs[at] as number) < endMs) at++;
    last = at;
  }
  return last < from || (timesMs[last] as number) <= startMs ? undefined : { first, last };
}

/** The value at `timeMs` on the line from sample `index` to the next; a counter that fell began at zero. */
export function interpolate(
  timesMs: Float64Array,
  values: Float64Array,
  index: number,
  timeMs: number,
  isCounter: boolean,
): number {
  const fromMs = timesMs[index] as number;
  const toMs = timesMs[index + 1] as number;
  const to = values[index + 1] as number;
  let from = values[index] as number;
  if (isCounter && to < from) from = 0;
  return from + ((to - from) * (timeMs - fromMs)) / (toMs - fromMs);
}
