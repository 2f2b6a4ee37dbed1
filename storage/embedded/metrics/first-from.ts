/** Index of the first time from `low` to `high` that is not before `timeMs`; `high` when there is none. */
export function firstFrom(timesMs: Float64Array, timeMs: number, low = 0, high = timesMs.length): number {
  let from = low;
  let to = high;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((timesMs[middle] as number) < timeMs) from = middle + 1;
    else to = middle;
  }
  return from;
}
