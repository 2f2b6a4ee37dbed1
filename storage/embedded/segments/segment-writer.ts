import type { DuckDBType, DuckDBValue } from "@duckdb/node-api";
import { Breather } from "./breather.ts";
import { checksumFile } from "./checksum-file.ts";
import { quoteText } from "./duck-database.ts";
import { writeIndexFile } from "./index-file.ts";
import { LetterGrams } from "./letter-grams.ts";
import { type ColumnType, type PackedColumn, packColumn } from "./packed-column.ts";
import type { MergePlan, Piece, SegmentColumn, SegmentPlan } from "./segment-codec.ts";
import type { Segment } from "./segment-directory.ts";
import type { WriteThread } from "./write-thread.ts";

/** Rows per data chunk: DuckDB's vector size. */
const CHUNK_ROWS = 2_048;
const MAX_CHUNKS_IN_FLIGHT = 4;
/** Small, because a row group is what a query can skip and because a look-up reads whole ones. */
const ROW_GROUP_ROWS = 16_384;
const PARQUET = `FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE ${ROW_GROUP_ROWS}`;

export type SegmentFiles = {
  /** Of both. */
  readonly bytes: number;
  readonly indexBytes: number;
  readonly dataCrc: number;
  readonly indexCrc: number;
};

/** Durably writes both files of a segment. `partRows` are the numbers of rows of the plan's parts. */
export async function writeSegment(
  thread: WriteThread,
  target: Segment,
  plan: SegmentPlan,
  partRows: readonly number[],
): Promise<SegmentFiles> {
  const columns = plan.columns.map(({ name, type }) => ({ name, type: columnTypeOf(type) }));
  await thread.request({ kind: "begin", columns, gramsOf: plan.grams?.column });
  await sendParts(thread, plan.columns, partRows);
  const copy = copyTo(target, "SELECT * FROM staged", plan.orderBy);
  const { grams } = await thread.request({ kind: "copy", sql: copy });
  if (grams) plan.grams?.take(new LetterGrams(grams));
  return finishFiles(target, plan.index);
}

/** Like {@link writeSegment}, with rows that DuckDB reads from other segments. */
export async function mergeSegments(thread: WriteThread, target: Segment, plan: MergePlan): Promise<SegmentFiles> {
  await thread.request({ kind: "execute", sql: copyTo(target, plan.select, plan.orderBy) });
  return finishFiles(target, plan.index);
}

function copyTo(target: Segment, select: string, orderBy: string): string {
  return `COPY (SELECT * FROM (${select}) ORDER BY ${orderBy}) TO ${quoteText(target.dataPath)} (${PARQUET})`;
}

async function finishFiles(target: Segment, index: Iterable<unknown>): Promise<SegmentFiles> {
  const indexFile = await writeIndexFile(target.indexPath, index);
  const data = await checksumFile(target.dataPath, { sync: true });
  const indexBytes = indexFile.bytes;
  return { bytes: data.bytes + indexBytes, indexBytes, dataCrc: data.crc, indexCrc: indexFile.crc };
}

/** Rows as columns, chunk by chunk; a few at a time, so that the thread never waits and little waits for it. */
async function sendParts(
  thread: WriteThread,
  columns: readonly SegmentColumn[],
  partRows: readonly number[],
): Promise<void> {
  const breather = new Breather({ isBackground: true });
  const inFlight: Promise<unknown>[] = [];
  for (const pieces of chunksOf(partRows)) {
    const rows = pieces.reduce((sum, { from, to }) => sum + to - from, 0);
    const packed: PackedColumn[] = [];
    for (const column of columns) {
      packed.push(column.pack?.(pieces) ?? packValues(column, pieces, rows));
      if (breather.due) await breather.pause();
    }
    const sent = thread.request({ kind: "chunk", rows, columns: packed });
    // Seen by the `await` below, at the latest; not at once.
    sent.catch(() => {});
    inFlight.push(sent);
    if (inFlight.length >= MAX_CHUNKS_IN_FLIGHT) await inFlight.shift();
  }
  await Promise.all(inFlight);
}

function packValues({ type, fill }: SegmentColumn, pieces: readonly Piece[], rows: number): PackedColumn {
  const values: DuckDBValue[] = new Array(rows).fill(null);
  let at = 0;
  for (const { part, from, to } of pieces) {
    fill(values, at, part, from, to);
    at += to - from;
  }
  return packColumn(columnTypeOf(type), values);
}

function columnTypeOf(type: DuckDBType): ColumnType {
  return String(type) as ColumnType;
}

/** Cuts parts into chunks of {@link CHUNK_ROWS} rows, putting small ones together. */
function* chunksOf(partRows: readonly number[]): Generator<readonly Piece[]> {
  let pieces: Piece[] = [];
  let free = CHUNK_ROWS;
  for (const [part, rows] of partRows.entries()) {
    for (let from = 0; from < rows; ) {
      const to = Math.min(rows, from + free);
      pieces.push({ part, from, to });
      free -= to - from;
      from = to;
      if (free > 0) continue;
      yield pieces;
      pieces = [];
      free = CHUNK_ROWS;
    }
  }
  if (pieces.length > 0) yield pieces;
}
