import type { DuckDBDataChunk, DuckDBValue } from "@duckdb/node-api";
import { checksumFile } from "./checksum-file.ts";
import { type DuckDatabase, quoteText } from "./duck-database.ts";
import { writeIndexFile } from "./index-file.ts";
import type { RowSource } from "./row-sources.ts";
import type { MergePlan, SegmentPlan } from "./segment-codec.ts";
import type { Segment } from "./segment-directory.ts";

/** Rows per data chunk: DuckDB's vector size. */
const CHUNK_ROWS = 2_048;
/** Small, because a row group is what a query can skip and because a look-up reads whole ones. */
const ROW_GROUP_ROWS = 16_384;
const PARQUET = `FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE ${ROW_GROUP_ROWS}`;

export type SegmentFiles = { readonly bytes: number; readonly dataCrc: number; readonly indexCrc: number };

/** Durably writes both files of a segment. `partRows` are the numbers of rows of the plan's parts. */
export async function writeSegment(
  database: DuckDatabase,
  target: Segment,
  plan: SegmentPlan,
  partRows: readonly number[],
): Promise<SegmentFiles> {
  await database.writeRows(rowSource(plan, partRows), (from) => copyTo(target, `SELECT * FROM ${from}`, plan.orderBy));
  return finishFiles(target, plan.index);
}

/** Like {@link writeSegment}, with rows that DuckDB reads from other segments. */
export async function mergeSegments(database: DuckDatabase, target: Segment, plan: MergePlan): Promise<SegmentFiles> {
  await database.write(copyTo(target, plan.select, plan.orderBy));
  return finishFiles(target, plan.index);
}

function copyTo(target: Segment, select: string, orderBy: string): string {
  return `COPY (SELECT * FROM (${select}) ORDER BY ${orderBy}) TO ${quoteText(target.dataPath)} (${PARQUET})`;
}

async function finishFiles(target: Segment, index: Iterable<unknown>): Promise<SegmentFiles> {
  const indexFile = await writeIndexFile(target.indexPath, index);
  const data = await checksumFile(target.dataPath, { sync: true });
  return { bytes: data.bytes + indexFile.bytes, dataCrc: data.crc, indexCrc: indexFile.crc };
}

function rowSource({ columns }: SegmentPlan, partRows: readonly number[]): RowSource {
  const chunks = chunksOf(partRows);
  const fill = (chunk: DuckDBDataChunk) => {
    const pieces = chunks.next().value ?? [];
    const rows = pieces.reduce((sum, { from, to }) => sum + to - from, 0);
    chunk.rowCount = rows;
    if (rows === 0) return;
    for (const [number, column] of columns.entries()) {
      const values: DuckDBValue[] = new Array(rows).fill(null);
      let at = 0;
      for (const { part, from, to } of pieces) {
        column.fill(values, at, part, from, to);
        at += to - from;
      }
      chunk.setColumnValues(number, values);
    }
  };
  return { columns, rows: partRows.reduce((sum, rows) => sum + rows, 0), fill };
}

type Piece = { readonly part: number; readonly from: number; readonly to: number };

/** Cuts parts into chunks of {@link CHUNK_ROWS} rows, putting small ones together. */
function* chunksOf(partRows: readonly number[]): Generator<readonly Piece[], undefined> {
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
  return undefined;
}
