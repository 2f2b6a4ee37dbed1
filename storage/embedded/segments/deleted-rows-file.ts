import { BIGINT, DuckDBDataChunk } from "@duckdb/node-api";
import { checksumFile } from "./checksum-file.ts";
import { type DuckDatabase, quoteText } from "./duck-database.ts";

const CHUNK_ROWS = 2_048;

/** Durably writes row numbers as a Parquet file with the one column `row`. */
export async function writeDeletedRows(
  database: DuckDatabase,
  path: string,
  rows: readonly number[],
): Promise<{ readonly rows: number; readonly bytes: number; readonly crc: number }> {
  await database.withConnection(async (connection) => {
    await connection.run("CREATE TEMP TABLE deleted (row BIGINT)");
    const appender = await connection.createAppender("deleted");
    for (let at = 0; at < rows.length; at += CHUNK_ROWS) {
      const part = rows.slice(at, at + CHUNK_ROWS);
      const chunk = DuckDBDataChunk.create([BIGINT], part.length);
      chunk.setColumnValues(0, part.map(BigInt));
      appender.appendDataChunk(chunk);
      appender.flushSync();
    }
    appender.closeSync();
    await connection.run(`COPY (SELECT row FROM deleted ORDER BY row) TO ${quoteText(path)} (FORMAT parquet)`);
  });
  const { bytes, crc } = await checksumFile(path, { sync: true });
  return { rows: rows.length, bytes, crc };
}
