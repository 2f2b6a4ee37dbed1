import { DuckDBInstance } from "@duckdb/node-api";
import { expect, test } from "vitest";
import { ChunkReader } from "./chunk-reader.ts";
import { PackedTexts, packedTexts } from "./packed-texts.ts";

type Row = readonly (string | null)[];

async function readBack(rows: readonly Row[]): Promise<(string | undefined)[][]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const names = (rows[0] as Row).map((_, i) => `t${i}`);
  await connection.run(`CREATE TABLE texts (${names.map((name) => `${name} VARCHAR`).join(", ")})`);
  const parameters = names.map((_, i) => `$${i + 1}`).join(", ");
  for (const row of rows) await connection.run(`INSERT INTO texts VALUES (${parameters})`, [...row]);
  const result = await connection.stream(`SELECT ${packedTexts(names).join(", ")} FROM texts ORDER BY rowid`);
  const reader = new ChunkReader(
    (await result.fetchChunk()) as NonNullable<Awaited<ReturnType<typeof result.fetchChunk>>>,
  );
  const packed = new PackedTexts(reader, 0, names.length);
  const columns = names.map((_, i): (string | undefined)[] | undefined =>
    packed.isEmpty(i) ? undefined : new Array(rows.length).fill(undefined),
  );
  for (let row = 0; row < rows.length; row++) packed.read(row, columns);
  connection.closeSync();
  return rows.map((_, row) => columns.map((column) => column?.[row]));
}

const LONG = "a text that is longer than twelve bytes ".repeat(100);
const RARE = Array.from({ length: 300 }, (_, i) => [i === 299 ? "x" : null, "y"]);

test.each<[string, readonly Row[]]>([
  ["short and long texts", [["a", LONG, "b"]]],
  [
    "nothing, and empty texts",
    [
      [null, "", "a"],
      ["", null, null],
      [null, null, null],
    ],
  ],
  [
    "more than ASCII",
    [
      ["ä", "日本語", "x"],
      ["😀".repeat(50), "plain", "é"],
      ["plain", "plain", "plain"],
    ],
  ],
  [
    "a column of which no row has a text",
    [
      [null, "a"],
      [null, "b"],
    ],
  ],
  ["a column that few rows have", RARE],
])("reads back %s", async (_, rows) => {
  const expected = rows.map((row) => row.map((text) => text ?? undefined));
  expect(await readBack(rows)).toEqual(expected);
});
