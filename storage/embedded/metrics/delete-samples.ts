import { checkMatchers, type Matcher } from "@sightline/model/matcher.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import type { Awaitable } from "./awaitable.ts";
import type { Head } from "./head.ts";
import type { ListedBlock } from "./listed-block.ts";
import { selectSeries } from "./select-series.ts";
import type { LabelIndex } from "./series-source.ts";
import { TimeSlice } from "./time-slice.ts";

/** More wait for files to be written anew only when nothing else helps: every read has to look at them. */
const MAX_DELETIONS = 500;

/** What deleting needs of a tenant. */
export type DeletionSite = {
  readonly heads: () => readonly Head[];
  readonly cut: () => Promise<void>;
  readonly purge: () => Promise<void>;
  readonly files: {
    readonly deletions: number;
    overlapping(range: TimeRange): readonly ListedBlock[];
    hide(
      matchers: readonly Matcher[],
      range: TimeRange,
      untouched: ReadonlySet<string>,
    ): Promise<TimeRange | undefined>;
  };
  /** The index of a block, undefined when it is damaged. */
  readonly indexOf: (entry: ListedBlock) => Awaitable<LabelIndex | undefined>;
};

/**
 * Deletes what is there: samples in memory are written to blocks first, so that one change of the manifest says for good
 * and for all of them what is deleted, and samples that come later are not meant. Returns the range in which samples may
 * have gone; undefined when there were none.
 */
export async function deleteSamples(
  site: DeletionSite,
  matchers: readonly Matcher[],
  asked: TimeRange,
): Promise<TimeRange | undefined> {
  checkMatchers(matchers);
  const range = {
    startMs: Math.max(asked.startMs, Number.MIN_SAFE_INTEGER),
    endMs: Math.min(asked.endMs, Number.MAX_SAFE_INTEGER),
  };
  if (!(range.startMs <= range.endMs)) return undefined;
  const slice = new TimeSlice();
  for (const head of site.heads()) {
    if (!head.overlaps(range) || (await selectSeries(head, matchers, slice)).length === 0) continue;
    await site.cut();
    break;
  }
  if (site.files.deletions >= MAX_DELETIONS) await site.purge();
  const changed = await site.files.hide(matchers, range, await untouched(site, matchers, range, slice));
  // Else the very samples that were deleted could not be written again: they would be taken for known.
  for (const head of site.heads()) head.forgetNewest(await selectSeries(head, matchers, slice), range);
  return changed;
}

/** Files of the blocks without a series that matches, which need not be written anew. */
async function untouched(
  { files, indexOf }: DeletionSite,
  matchers: readonly Matcher[],
  range: TimeRange,
  slice: TimeSlice,
): Promise<Set<string>> {
  const found = new Set<string>();
  for (const entry of files.overlapping(range)) {
    entry.block.acquire();
    try {
      const index = await indexOf(entry);
      if (!index || (await selectSeries(index, matchers, slice)).length === 0) found.add(entry.file);
    } finally {
      await entry.block.release();
    }
  }
  return found;
}
