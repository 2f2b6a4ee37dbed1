import { quoteText } from "./duck-database.ts";

/** The rows of a segment that count, as a table expression of SQL. */
export type SegmentRows = {
  readonly dataPath: string;
  readonly deletedPaths: readonly string[];
  /** A table that has the same rows as the file, with the column {@link ROW_NUMBER}. */
  readonly table?: string | undefined;
};

/** DuckDB's name of a row's place in its file. */
export const ROW_NUMBER = "file_row_number";

export function segmentRows({ dataPath, deletedPaths, table }: SegmentRows): string {
  if (deletedPaths.length === 0 && table === undefined) return `read_parquet(${quoteText(dataPath)})`;
  return `(SELECT * EXCLUDE (${ROW_NUMBER}) FROM ${numberedRows({ dataPath, deletedPaths, table })})`;
}

/** The same, with the column {@link ROW_NUMBER}. */
export function numberedRows({ dataPath, deletedPaths, table }: SegmentRows): string {
  const rows = table ?? `read_parquet(${quoteText(dataPath)}, ${ROW_NUMBER} = true)`;
  if (deletedPaths.length === 0) return rows;
  const deleted = `SELECT row FROM read_parquet([${deletedPaths.map(quoteText).join(", ")}])`;
  return `(SELECT * FROM ${rows} WHERE ${ROW_NUMBER} NOT IN (${deleted}))`;
}
