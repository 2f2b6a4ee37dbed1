import { DuckDBDataChunk, DuckDBInstance, UBIGINT, UINTEGER, VARCHAR } from "@duckdb/node-api";
import duckdb from "@duckdb/node-bindings";
import { CODE_POINT } from "@sightline/model/testing/code-point.ts";
import { rounds } from "@sightline/model/testing/rounds.ts";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { fillVector } from "./fill-vector.ts";
import { type ColumnType, packColumn } from "./packed-column.ts";

const instance = await DuckDBInstance.create(":memory:");
const connection = await instance.connect();
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

const TYPES = { VARCHAR, UBIGINT, UINTEGER } as const;

/** What DuckDB has after it was given the column. */
async function throughDuckDb(type: keyof typeof TYPES, values: readonly (string | bigint | number | null)[]) {
  await connection.run(`CREATE OR REPLACE TEMP TABLE t (a ${type}, z ${type})`);
  const appender = await connection.createAppender("t");
  const chunk = DuckDBDataChunk.create([TYPES[type], TYPES[type]], values.length);
  for (const number of [0, 1]) {
    const packed = packColumn(type as ColumnType, values);
    fillVector(duckdb.data_chunk_get_vector(chunk.chunk, number), type, packed, values.length);
  }
  appender.appendDataChunk(chunk);
  appender.closeSync();
  const rows = (await connection.runAndReadAll("SELECT a, z FROM t")).getRows();
  expect(rows.map(([, z]) => z)).toEqual(rows.map(([a]) => a));
  return rows.map(([a]) => a);
}

const text = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.string({ maxLength: 30, unit: CODE_POINT }),
  fc.constantFrom("", "exactly 12 b", "thirteen byte", "\0", "a\0b and more than twelve", "ж".repeat(6), "ж".repeat(7)),
);

test("texts arrive in DuckDB as they were, however long, whatever is in them", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(text), { minLength: 1, maxLength: 70 }), async (values) => {
      expect(await throughDuckDb("VARCHAR", values)).toEqual(values.map((value) => value?.toWellFormed() ?? null));
    }),
    { numRuns: rounds(50) },
  );
});

test("numbers arrive in DuckDB as they were", async () => {
  const big = fc.array(fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })), { minLength: 1, maxLength: 70 });
  await fc.assert(
    fc.asyncProperty(big, async (values) => {
      expect(await throughDuckDb("UBIGINT", values)).toEqual(values);
    }),
    { numRuns: rounds(20) },
  );
  expect(await throughDuckDb("UINTEGER", [0, 2 ** 32 - 1, null])).toEqual([0, 2 ** 32 - 1, null]);
});

test("halves of a surrogate pair in two rows do not become one character", async () => {
  const values = ["abcdefghijklmnop\ud83d", "\ude00qrstuvwxyz"];
  expect(await throughDuckDb("VARCHAR", values)).toEqual(["abcdefghijklmnop\ufffd", "\ufffdqrstuvwxyz"]);
});

test("a full chunk of long texts points at the right places, beyond 4 GiB boundaries of addresses or not", async () => {
  const values = Array.from({ length: 2_048 }, (_, i) => (i % 5 === 0 ? null : `${i}-`.repeat(1 + (i % 300))));
  expect(await throughDuckDb("VARCHAR", values)).toEqual(values);
});
