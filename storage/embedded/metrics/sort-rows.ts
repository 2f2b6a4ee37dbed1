import type { TimeSlice } from "./time-slice.ts";

const RUN = 2048;

/** The numbers below `count` in the order of `compare`, without holding the event loop: a merge sort of sorted runs. */
export async function sortRows(
  count: number,
  compare: (a: number, b: number) => number,
  slice: TimeSlice,
): Promise<number[]> {
  let runs: number[][] = [];
  for (let from = 0; from < count; from += RUN) {
    const run = Array.from({ length: Math.min(RUN, count - from) }, (_, i) => from + i);
    runs.push(run.sort(compare));
    if (slice.due) await slice.pause();
  }
  while (runs.length > 1) {
    const merged: number[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      merged.push(await merge(runs[i] as number[], runs[i + 1] ?? [], compare, slice));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

async function merge(
  a: readonly number[],
  b: readonly number[],
  compare: (a: number, b: number) => number,
  slice: TimeSlice,
): Promise<number[]> {
  const merged: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if ((merged.length & 1023) === 0 && slice.due) await slice.pause();
    const takeA = j === b.length || (i < a.length && compare(a[i] as number, b[j] as number) <= 0);
    merged.push((takeA ? a[i++] : b[j++]) as number);
  }
  return merged;
}
