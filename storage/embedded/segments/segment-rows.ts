import type { RowSpan } from "./block-grams.ts";
import { quoteText } from "./duck-database.ts";

/** The rows of a segment that count, as a table expression of SQL. */
export type SegmentRows = {
  readonly dataPath: string;
  readonly deletedPaths: readonly string[];
  /** A table that has the same rows as the file, with the column {@link ROW_NUMBER}. */
  readonly table?: string | undefined;
  /** Only these count, ascending; undefined: all. There is at least one. */
  readonly spans?: readonly RowSpan[] | undefined;
};

/** DuckDB's name of a row's place in its file. */
export const ROW_NUMBER = "file_row_number";

export function segmentRows(rows: SegmentRows): string {
  const { dataPath, deletedPaths, table, spans } = rows;
  if (deletedPaths.length === 0 && table === undefined && !spans) return `read_parquet(${quoteText(dataPath)})`;
  return `(SELECT * EXCLUDE (${ROW_NUMBER}) FROM ${numberedRows(rows)})`;
}

/** The same, with the column {@link ROW_NUMBER}. */
export function numberedRows({ dataPath, deletedPaths, table, spans }: SegmentRows): string {
  const all = table ?? `read_parquet(${quoteText(dataPath)}, ${ROW_NUMBER} = true)`;
  // DuckDB does not read row groups that such a condition leaves out; with bounds of all spans beside it, it would.
  const inSpan = spans?.map(({ from, to }) => `${ROW_NUMBER} BETWEEN ${from} AND ${to}`).join(" OR ");
  const rows = inSpan === undefined ? all : `(SELECT * FROM ${all} WHERE ${inSpan})`;
  if (deletedPaths.length === 0) return rows;
  const deleted = `SELECT row FROM read_parquet([${deletedPaths.map(quoteText).join(", ")}])`;
  return `(SELECT * FROM ${rows} WHERE ${ROW_NUMBER} NOT IN (${deleted}))`;
}
