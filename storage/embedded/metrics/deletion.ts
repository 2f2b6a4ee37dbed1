import type { Matcher } from "@sightline/model/matcher.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";

/** Samples that are deleted though files still have them: those of the matching series in the range, both ends included. */
export type Deletion = TimeRange & { readonly id: number; readonly matchers: readonly Matcher[] };

/** Adds a range to ranges that are ascending and apart from each other, and keeps them so. */
export function addRange(ranges: readonly TimeRange[], added: TimeRange): readonly TimeRange[] {
  let { startMs, endMs } = added;
  const before: TimeRange[] = [];
  const after: TimeRange[] = [];
  for (const range of ranges) {
    if (range.endMs < startMs - 1) before.push(range);
    else if (range.startMs > endMs + 1) after.push(range);
    else {
      startMs = Math.min(startMs, range.startMs);
      endMs = Math.max(endMs, range.endMs);
    }
  }
  return [...before, { startMs, endMs }, ...after];
}

/** The parts of a range that none of `taken`, ascending and apart from each other, covers. */
export function rangeWithout({ startMs, endMs }: TimeRange, taken: readonly TimeRange[]): readonly TimeRange[] {
  const parts: TimeRange[] = [];
  let from = startMs;
  for (const range of taken) {
    if (range.endMs < from) continue;
    if (range.startMs > endMs) break;
    if (range.startMs > from) parts.push({ startMs: from, endMs: range.startMs - 1 });
    from = range.endMs + 1;
  }
  if (from <= endMs) parts.push({ startMs: from, endMs });
  return parts;
}
