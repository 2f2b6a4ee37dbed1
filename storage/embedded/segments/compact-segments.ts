import type { DuckDatabase } from "./duck-database.ts";
import type { MergeInput, SegmentCodec, SegmentQuery } from "./segment-codec.ts";
import type { Segment, SegmentDirectory } from "./segment-directory.ts";
import { segmentRows } from "./segment-rows.ts";
import { mergeSegments, type SegmentFiles } from "./segment-writer.ts";
import type { WriteThread } from "./write-thread.ts";

/** A part of a segment that is left out: a condition of SQL that holds for its rows. */
export type LeaveOut = { readonly condition: string };

export type Compaction<Index> = {
  readonly database: DuckDatabase;
  readonly writer: WriteThread;
  readonly directory: SegmentDirectory;
  readonly codec: Pick<SegmentCodec<unknown, Index>, "merge">;
  /** undefined when the segment is damaged. */
  readonly indexOf: (segment: Segment) => Promise<Index | undefined>;
  /** Called with the new segment before it counts. */
  readonly onWritten: (segment: Segment, files: SegmentFiles) => Promise<void>;
};

const NEVER_ABORTED = new AbortController().signal;

/**
 * Writes the rows of held segments of one tenant and day as one segment, without those that were deleted, and puts it
 * in their place. False when one of them turned out to be damaged.
 */
export async function compactSegments<Index>(
  compaction: Compaction<Index>,
  inputs: readonly Segment[],
  leaveOut?: LeaveOut,
): Promise<boolean> {
  const { database, writer, directory, codec, indexOf, onWritten } = compaction;
  const query = (sql: string) => database.stream(sql, [], NEVER_ABORTED);
  const merged: MergeInput<Index>[] = [];
  for (const segment of inputs) {
    const index = await indexOf(segment);
    if (index === undefined) return false;
    const all = segmentRows(segment);
    const rows = leaveOut ? `(SELECT * FROM ${all} WHERE NOT (${leaveOut.condition}))` : all;
    merged.push({ rows, index, isThinned: leaveOut !== undefined || segment.deleted.length > 0 });
  }
  const extent = extentOf(inputs);
  if (leaveOut) extent.rows = await countRows(merged, query);
  if (extent.rows === 0) {
    await directory.change({ drop: inputs });
    return true;
  }
  const plan = await codec.merge(merged, query);
  const { tenant, day } = (inputs[0] as Segment).info;
  const { draft } = directory.create({ tenant, day, ...extent });
  let written: Segment;
  try {
    const files = await mergeSegments(writer, draft, plan);
    written = directory.finish(draft, files);
    await onWritten(written, files);
  } catch (error) {
    await directory.discard(draft).catch(() => {});
    throw error;
  }
  // Should this fail, the manifest may be on disk all the same: what it names must stay.
  await directory.change({ add: [written], drop: inputs });
  return true;
}

async function countRows(inputs: readonly MergeInput<unknown>[], query: SegmentQuery): Promise<number> {
  let count = 0;
  for (const { rows } of inputs) {
    for await (const chunk of query(`SELECT count(*)::DOUBLE FROM ${rows}`))
      count += Number(chunk.getColumnValues(0)[0]);
  }
  return count;
}

function extentOf(segments: readonly Segment[]): { minNs: bigint; maxNs: bigint; rows: number } {
  let { minNs, maxNs } = (segments[0] as Segment).info;
  let rows = 0;
  for (const { info, deleted } of segments) {
    if (info.minNs < minNs) minNs = info.minNs;
    if (info.maxNs > maxNs) maxNs = info.maxNs;
    rows += info.rows - deleted.reduce((sum, file) => sum + file.rows, 0);
  }
  return { minNs, maxNs, rows };
}
