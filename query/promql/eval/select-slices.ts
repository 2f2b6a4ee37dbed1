import { compareLabels } from "@sightline/model/labels.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { SelectHints, SeriesSlice, TimeRange } from "@sightline/model/ports.ts";
import type { QueryContext } from "./query-context.ts";

/** Calls `visit` for every series as it comes, in no order, breathing in between. */
export async function selectSlices(
  context: QueryContext,
  request: { readonly matchers: readonly Matcher[]; readonly range: TimeRange; readonly hints: SelectHints },
  visit: (slice: SeriesSlice) => void | Promise<void>,
): Promise<void> {
  context.checkAlive();
  const { tenant, signal, queryable } = context;
  let asked = performance.now();
  for await (const group of queryable.select({ tenant, ...request }, signal)) {
    context.selectMs += performance.now() - asked;
    for (const slice of group) {
      const visiting = visit(slice);
      if (visiting) await visiting;
      if (context.breathless) await context.breathe();
    }
    asked = performance.now();
  }
  context.selectMs += performance.now() - asked;
  // Storage may have done its work without ever giving back the event loop.
  if (context.breathless) await context.breathe();
  context.checkAlive();
}

/**
 * Series come from storage in no order. Sorting them makes sums, which depend on order in their last bits, and ties
 * of topk come out the same every time.
 */
export function sortByLabels<T extends { readonly labels: SeriesSlice["labels"] }>(series: T[]): T[] {
  for (let i = 1; i < series.length; i++) {
    if (compareLabels((series[i - 1] as T).labels, (series[i] as T).labels) > 0) {
      return series.sort((a, b) => compareLabels(a.labels, b.labels));
    }
  }
  return series;
}
