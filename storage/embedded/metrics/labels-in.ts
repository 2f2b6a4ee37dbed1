import type { LabelRequest } from "@sightline/model/metric-store.ts";
import type { Awaitable } from "./awaitable.ts";
import type { SelectionCache } from "./selection-cache.ts";
import { MaskedSource } from "./series-mask.ts";
import type { SeriesSource } from "./series-source.ts";
import type { TimeSlice } from "./time-slice.ts";

const LABELS_AT_A_TIME = 4_096;

/**
 * The label names of the series that match, or with `name` the values of that label; in no order. `key` is `keyOfMatchers`
 * of the matchers.
 */
export function labelsIn(
  source: SeriesSource,
  { matchers, range }: Pick<LabelRequest, "matchers" | "range">,
  key: string,
  name: string | undefined,
  slice: TimeSlice,
  chosen: SelectionCache,
): Awaitable<Iterable<string>> {
  if (source instanceof MaskedSource) {
    const listed = async () => source.listed(await chosen.select(source, matchers, key, slice), range, slice);
    return collectLabels(source, listed(), name, slice);
  }
  if (matchers.length === 0) return name === undefined ? source.names() : source.valuesOf(name);
  return chosen.labels(source, key, name, () =>
    collectLabels(source, chosen.select(source, matchers, key, slice), name, slice),
  );
}

async function collectLabels(
  source: SeriesSource,
  selected: Awaitable<readonly number[]>,
  name: string | undefined,
  slice: TimeSlice,
): Promise<readonly string[]> {
  const ids = await selected;
  const labels = new Set<string>();
  for (let from = 0; from < ids.length; from += LABELS_AT_A_TIME) {
    source.collectLabels(ids.slice(from, from + LABELS_AT_A_TIME), name, labels);
    if (slice.due) await slice.pause();
  }
  return [...labels];
}
