import type { Segment } from "./segment-directory.ts";

/** Merging fewer than this many rewrites rows more often than it saves files. */
const MIN_INPUTS = 4;
const MAX_INPUTS = 16;
/** The result must be so many times its largest input, or a large segment would be rewritten for a few more rows. */
const MIN_GROWTH = 3;
/** Files come to a little more than a quarter of the target each when rows come fast: four of them are one. */
const MAX_OVERSHOOT = 1.25;

/**
 * The next segments of one tenant to merge; undefined when there is nothing to do. They are of one day and, but for
 * larger ones in between, neighbours in time. Small ones go first, so that a row is rewritten only a few times.
 */
export function compactionInputs(segments: readonly Segment[], targetRows: number): readonly Segment[] | undefined {
  for (const sameDay of Map.groupBy(segments, ({ info }) => info.day).values()) {
    sameDay.sort((a, b) => Number(a.info.minNs - b.info.minNs) || a.info.id - b.info.id);
    for (const level of new Set(sameDay.map(levelOf).sort((a, b) => a - b))) {
      const run = firstRun(
        sameDay.filter((segment) => levelOf(segment) <= level),
        targetRows,
      );
      if (run) return run;
    }
  }
  return undefined;
}

/** Segments of a level differ by less than a factor of four. */
function levelOf({ info }: Segment): number {
  return Math.floor(Math.log2(info.rows) / 2);
}

function firstRun(segments: readonly Segment[], targetRows: number): readonly Segment[] | undefined {
  let run: Segment[] = [];
  let rows = 0;
  for (const segment of segments) {
    if (run.length === MAX_INPUTS || rows >= targetRows || rows + segment.info.rows > MAX_OVERSHOOT * targetRows) {
      if (isWorthIt(run, rows)) return run;
      run = [];
      rows = 0;
    }
    run.push(segment);
    rows += segment.info.rows;
  }
  return isWorthIt(run, rows) ? run : undefined;
}

function isWorthIt(run: readonly Segment[], rows: number): boolean {
  return run.length >= MIN_INPUTS && rows >= MIN_GROWTH * Math.max(...run.map(({ info }) => info.rows));
}
