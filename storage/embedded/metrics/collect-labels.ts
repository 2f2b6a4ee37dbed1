import type { LabelRequest } from "@sightline/model/metric-store.ts";
import { keyOfMatchers, type SelectionCache } from "./selection-cache.ts";
import { MaskedSource } from "./series-mask.ts";
import type { SeriesSource } from "./series-source.ts";
import type { TimeSlice } from "./time-slice.ts";

const LABELS_AT_A_TIME = 4_096;

/** Adds the label names of the series that match, or with `name` the values of that label. */
export async function collectLabels(
  source: SeriesSource,
  { matchers, range }: Pick<LabelRequest, "matchers" | "range">,
  name: string | undefined,
  slice: TimeSlice,
  into: Set<string>,
  chosen: SelectionCache,
): Promise<void> {
  const selected = await chosen.select(source, matchers, keyOfMatchers(matchers), slice);
  const ids = source instanceof MaskedSource ? await source.listed(selected, range, slice) : selected;
  for (let from = 0; from < ids.length; from += LABELS_AT_A_TIME) {
    source.collectLabels(ids.slice(from, from + LABELS_AT_A_TIME), name, into);
    if (slice.due) await slice.pause();
  }
}
