import type { FoundSeries } from "./find-series.ts";

/** Sorted names of the labels that some of them have, or sorted values of one label. */
export function listLabels(
  series: readonly FoundSeries[],
  name: string | undefined,
  limit: number | undefined,
): string[] {
  const found = new Set<string>();
  for (const { labels } of series) {
    for (const [key, value] of labels) {
      if (name === undefined) found.add(key);
      else if (key === name) found.add(value);
    }
  }
  const sorted = [...found].sort();
  return limit ? sorted.slice(0, limit) : sorted;
}
