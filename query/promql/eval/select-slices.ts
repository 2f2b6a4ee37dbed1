import type { SeriesRequest, SeriesSlice } from "@sightline/model/metric-store.ts";
import { withCheckedHints } from "../histogram/reset-hint.ts";
import type { QueryContext } from "./query-context.ts";

/** A look at a series costs at least as much as looking at so many samples. */
const SERIES_WORK = 50;

/**
 * Calls `visit` for every series as it comes, breathing in between. They come in the order of their labels: that makes
 * sums, which depend on order in their last bits, and ties of topk come out the same every time. With `transient`,
 * `visit` must not keep values. `work` is about how many steps it goes through.
 */
export async function selectSlices(
  context: QueryContext,
  request: Pick<SeriesRequest, "matchers" | "range" | "hints" | "transient">,
  work: number,
  visit: (slice: SeriesSlice) => void | Promise<void>,
): Promise<void> {
  context.checkAlive();
  const { tenant, signal, queryable } = context;
  let asked = performance.now();
  for await (const group of queryable.select({ tenant, sorted: true, ...request }, signal)) {
    context.selectMs += performance.now() - asked;
    for (const slice of group) {
      context.foreseen?.came(request.matchers);
      const visiting = visit(slice.histograms ? withCheckedHints(slice) : slice);
      if (visiting) await visiting;
      if (context.tired(SERIES_WORK + slice.timesMs.length + work)) await context.breathe();
    }
    asked = performance.now();
  }
  context.selectMs += performance.now() - asked;
  // Storage may have done its work without ever giving back the event loop.
  if (context.breathless) await context.breathe();
  context.checkAlive();
}
