/** So many are sorted at a go: a few milliseconds, whatever it takes to compare two of them. */
const RUN_LENGTH = 250;
/** What comparing two items counts for in {@link Breather.tired}. */
const COMPARE_WORK = 200;

/** Who does the sorting knows when it is time to let others work; `work` is in samples that could have been looked at. */
export type Breather = { tired(work: number): boolean; breathe(): Promise<void> };

/** A sorted copy (stable), made without holding the event loop for long. What is in order already takes one pass. */
export async function sortInTurns<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
  breather: Breather,
): Promise<T[]> {
  let runs = await runsOf(items, compare, breather);
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      const [a, b] = [runs[i] as T[], runs[i + 1]];
      merged.push(b ? await merge(a, b, compare, breather) : a);
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

/** Pieces that are in order: long ones where the items were, others sorted. */
async function runsOf<T>(items: readonly T[], compare: (a: T, b: T) => number, breather: Breather): Promise<T[][]> {
  const runs: T[][] = [];
  for (let from = 0; from < items.length; ) {
    let to = from + 1;
    while (to < items.length && compare(items[to - 1] as T, items[to] as T) <= 0) {
      to++;
      if (breather.tired(COMPARE_WORK)) await breather.breathe();
    }
    if (to - from >= RUN_LENGTH || to === items.length) {
      runs.push(items.slice(from, to));
    } else {
      to = Math.min(from + RUN_LENGTH, items.length);
      runs.push(items.slice(from, to).sort(compare));
      if (breather.tired(10 * RUN_LENGTH * COMPARE_WORK)) await breather.breathe();
    }
    from = to;
  }
  return runs;
}

async function merge<T>(a: T[], b: T[], compare: (a: T, b: T) => number, breather: Breather): Promise<T[]> {
  const merged: T[] = [];
  let next = 0;
  for (const item of a) {
    while (next < b.length && compare(item, b[next] as T) > 0) merged.push(b[next++] as T);
    merged.push(item);
    if (breather.tired(COMPARE_WORK)) await breather.breathe();
  }
  while (next < b.length) merged.push(b[next++] as T);
  return merged;
}
