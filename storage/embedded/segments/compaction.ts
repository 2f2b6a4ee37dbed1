import type { Segment } from "./segment-directory.ts";

/** Merging fewer than this many rewrites rows more often than it saves files. */
const MIN_INPUTS = 4;
const MAX_INPUTS = 16;

/**
 * The next segments of one tenant to merge, neighbours in time of one day; undefined when there is nothing to do.
 * Segments of about one size are merged (a power of four apart), so that a row is rewritten only a few times.
 */
export function compactionInputs(segments: readonly Segment[], targetRows: number): readonly Segment[] | undefined {
  const byDay = Map.groupBy(segments, ({ info }) => info.day);
  for (const sameDay of byDay.values()) {
    sameDay.sort((a, b) =>
      a.info.minNs < b.info.minNs ? -1 : a.info.minNs > b.info.minNs ? 1 : a.info.id - b.info.id,
    );
    const levels = sameDay.map(({ info }) => Math.floor(Math.log2(info.rows) / 2));
    for (const level of new Set(levels.toSorted((a, b) => a - b))) {
      const run = firstRun(sameDay, levels, level, targetRows);
      if (run) return run;
    }
  }
  return undefined;
}

/** The first run of neighbours that are at most of this level, long enough and together not above the target. */
function firstRun(
  segments: readonly Segment[],
  levels: readonly number[],
  level: number,
  targetRows: number,
): readonly Segment[] | undefined {
  let run: Segment[] = [];
  let rows = 0;
  for (const [i, segment] of segments.entries()) {
    const fits = (levels[i] as number) <= level && rows + segment.info.rows <= targetRows && run.length < MAX_INPUTS;
    if (!fits) {
      if (run.length >= MIN_INPUTS) return run;
      run = [];
      rows = 0;
      if ((levels[i] as number) > level || segment.info.rows > targetRows) continue;
    }
    run.push(segment);
    rows += segment.info.rows;
  }
  return run.length >= MIN_INPUTS ? run : undefined;
}
