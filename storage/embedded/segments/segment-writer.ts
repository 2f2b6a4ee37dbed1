import { type DuckDBConnection, DuckDBDataChunk, type DuckDBValue } from "@duckdb/node-api";
import { Breather } from "./breather.ts";
import { checksumFile } from "./checksum-file.ts";
import { type DuckDatabase, quoteText } from "./duck-database.ts";
import { writeIndexFile } from "./index-file.ts";
import type { MergePlan, SegmentColumn, SegmentPlan } from "./segment-codec.ts";
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
  await database.withConnection(async (connection) => {
    const columns = plan.columns.map(({ name, type }) => `${name} ${type}`);
    await connection.run(`CREATE TEMP TABLE staged (${columns.join(", ")})`);
    await appendParts(connection, plan.columns, partRows);
    await connection.run(copyTo(target, "SELECT * FROM staged", plan.orderBy));
  });
  return finishFiles(target, plan.index);
}

/** Like {@link writeSegment}, with rows that DuckDB reads from other segments. */
export async function mergeSegments(database: DuckDatabase, target: Segment, plan: MergePlan): Promise<SegmentFiles> {
  await database.withConnection(async (connection) => {
    await connection.run(copyTo(target, plan.select, plan.orderBy));
  });
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

/**
 * Through an appender into a temporary table. A table function of JavaScript would need no table and half the time of
 * the event loop, but a process that exits while DuckDB waits for such a function hangs.
 */
async function appendParts(
  connection: DuckDBConnection,
  columns: readonly SegmentColumn[],
  partRows: readonly number[],
): Promise<void> {
  const appender = await connection.createAppender("staged");
  const types = columns.map(({ type }) => type);
  const breather = new Breather();
  for (const pieces of chunksOf(partRows)) {
    const rows = pieces.reduce((sum, { from, to }) => sum + to - from, 0);
    const chunk = DuckDBDataChunk.create(types, rows);
    for (const [number, column] of columns.entries()) {
      const values: DuckDBValue[] = new Array(rows).fill(null);
      let at = 0;
      for (const { part, from, to } of pieces) {
        column.fill(values, at, part, from, to);
        at += to - from;
      }
      chunk.setColumnValues(number, values);
      if (breather.due) await breather.pause();
    }
    appender.appendDataChunk(chunk);
    // Chunk by chunk: it holds the event loop, mostly for 9 ms; with two at a time 40 to 60 ms were usual. By itself the
    // appender collects a hundred.
    appender.flushSync();
  }
  appender.closeSync();
}

type Piece = { readonly part: number; readonly from: number; readonly to: number };

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
