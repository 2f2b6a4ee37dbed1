import type { SeriesRequest } from "@sightline/model/metric-store.ts";
import type { BlockCache } from "./block.ts";
import { JoinedSeries, type SelectedSeries } from "./joined-series.ts";
import { keyOfMatchers, type SelectionCache } from "./selection-cache.ts";
import { SeriesLink } from "./series-link.ts";
import { MaskedSource } from "./series-mask.ts";
import type { SeriesSource } from "./series-source.ts";
import type { TimeSlice } from "./time-slice.ts";

/**
 * The series of all sources (oldest write first) that a request selects. With `listing`, series of which all is hidden
 * are left out; reading finds nothing of them anyway.
 */
export async function joinSources(
  sources: readonly SeriesSource[],
  { sorted, range, matchers }: Omit<SeriesRequest, "tenant">,
  slice: TimeSlice,
  {
    cache,
    chosen,
    listing,
  }: { readonly cache: BlockCache; readonly chosen: SelectionCache; readonly listing: boolean },
): Promise<JoinedSeries> {
  const selections: SelectedSeries[] = [];
  const key = keyOfMatchers(matchers);
  for (const source of sources) {
    const ids = await chosen.select(source, matchers, key, slice);
    const isMasked = listing && source instanceof MaskedSource;
    selections.push({ source, ids: isMasked ? await source.listed(ids, range, slice) : ids });
  }
  const linkOf = (from: SeriesSource, to: SeriesSource) => linkIn(cache, from, to);
  return JoinedSeries.from(selections, slice, { sorted: sorted === true, linkOf });
}

function linkIn(cache: BlockCache, from: SeriesSource, to: SeriesSource): SeriesLink {
  const key = `${from.key} in ${to.key}`;
  const known = cache.get(key);
  const link = known instanceof SeriesLink ? known : new SeriesLink(from.seriesCount);
  const { bytes } = link;
  link.ensure(from.seriesCount);
  if (link !== known || link.bytes !== bytes) cache.set(key, link);
  return link;
}
