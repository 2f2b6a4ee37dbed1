import { quoteText } from "./duck-database.ts";

/** The rows of a segment that count, as a table expression of SQL. */
export type SegmentRows = { readonly dataPath: string; readonly deletedPaths: readonly string[] };

/** DuckDB's name of a row's place in its file. */
export const ROW_NUMBER = "file_row_number";

export function segmentRows({ dataPath, deletedPaths }: SegmentRows): string {
  const file = quoteText(dataPath);
  if (deletedPaths.length === 0) return `read_parquet(${file})`;
  return `(SELECT * EXCLUDE (${ROW_NUMBER}) FROM ${numberedRows({ dataPath, deletedPaths })})`;
}

/** The same, with the column {@link ROW_NUMBER}. */
export function numberedRows({ dataPath, deletedPaths }: SegmentRows): string {
  const rows = `read_parquet(${quoteText(dataPath)}, ${ROW_NUMBER} = true)`;
  if (deletedPaths.length === 0) return rows;
  const deleted = `SELECT row FROM read_parquet([${deletedPaths.map(quoteText).join(", ")}])`;
  return `(SELECT * FROM ${rows} WHERE ${ROW_NUMBER} NOT IN (${deleted}))`;
}
