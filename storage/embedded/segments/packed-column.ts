import type { DuckDBValue } from "@duckdb/node-api";

/** SQL types that columns of segments have. */
export type ColumnType = "VARCHAR" | "BIGINT" | "UBIGINT" | "UINTEGER" | "UTINYINT";

/**
 * The rows of one column in a chunk, laid out as DuckDB's vectors are, in buffers that can go to another thread.
 *
 * `data` of texts holds a `duckdb_string_t` (duckdb.h) a row: its length in bytes, then the bytes themselves up to 12 of
 * them, else the first four and the address of all, here relative to `heap`, which has the bytes of all rows. `validity`
 * has a bit a row, 0 for NULL; absent when no row is NULL. `data` is absent when all are.
 */
export type PackedColumn = {
  readonly data?: ArrayBuffer;
  readonly heap?: ArrayBuffer;
  readonly validity?: ArrayBuffer;
};

/** Longer texts are not kept in the row itself. */
export const MAX_INLINE_BYTES = 12;
export const STRING_BYTES = 16;
const WORDS = STRING_BYTES / 4;

export function packColumn(type: ColumnType, values: readonly DuckDBValue[]): PackedColumn {
  const validity = validityOf(values);
  if (validity === "none") return {};
  const column = type === "VARCHAR" ? packTexts(values as (string | null)[]) : { data: packNumbers(type, values) };
  return validity ? { ...column, validity } : column;
}

/** What to transfer with a message that has the column. */
export function buffersOf({ data, heap, validity }: PackedColumn): ArrayBuffer[] {
  return [data, heap, validity].filter((buffer) => buffer !== undefined);
}

/** Undefined when all rows have a value, "none" when no row has. */
function validityOf(values: readonly DuckDBValue[]): ArrayBuffer | "none" | undefined {
  let nulls = 0;
  for (const value of values) if (value === null) nulls++;
  if (nulls === 0) return undefined;
  if (nulls === values.length) return "none";
  return validityBits(values.length, (row) => values[row] !== null);
}

export function validityBits(rows: number, isThere: (row: number) => boolean): ArrayBuffer {
  const bits = new Uint8Array(Math.ceil(rows / 64) * 8);
  for (let row = 0; row < rows; row++) {
    if (isThere(row)) bits[row >>> 3] = (bits[row >>> 3] as number) | (1 << (row & 7));
  }
  return bits.buffer;
}

function packNumbers(type: Exclude<ColumnType, "VARCHAR">, values: readonly DuckDBValue[]): ArrayBuffer {
  const { length } = values;
  if (type === "UINTEGER" || type === "UTINYINT") {
    const data = type === "UINTEGER" ? new Uint32Array(length) : new Uint8Array(length);
    for (let row = 0; row < length; row++) data[row] = (values[row] as number | null) ?? 0;
    return data.buffer;
  }
  const data = type === "BIGINT" ? new BigInt64Array(length) : new BigUint64Array(length);
  for (let row = 0; row < length; row++) data[row] = (values[row] as bigint | null) ?? 0n;
  return data.buffer;
}

/** All texts are encoded by one call: one call for each would cost more than everything else. */
function packTexts(values: readonly (string | null)[]): { data: ArrayBuffer; heap: ArrayBuffer } {
  const joined = values.join("");
  const bytes = Buffer.byteLength(joined);
  const isAscii = bytes === joined.length;
  if (!isAscii && values.reduce((sum, text) => sum + byteLength(text), 0) !== bytes) {
    // Halves of a surrogate pair, in two texts, that would become one character.
    return packTexts(values.map((text) => text?.toWellFormed() ?? null));
  }
  const heap = new Uint8Array(bytes);
  Buffer.from(heap.buffer).write(joined, isAscii ? "latin1" : "utf8");
  const ends = new Uint32Array(values.length);
  let end = 0;
  for (let row = 0; row < values.length; row++) {
    const text = values[row] as string | null;
    if (text !== null) end += isAscii ? text.length : Buffer.byteLength(text);
    ends[row] = end;
  }
  return packHeap(heap, ends);
}

/** Texts that lie one behind the other in `heap`, of which all is theirs; `ends` says where each of them ends. */
export function packHeap(heap: Uint8Array<ArrayBuffer>, ends: Uint32Array): { data: ArrayBuffer; heap: ArrayBuffer } {
  const words = new Uint32Array(ends.length * WORDS);
  const inline = new Uint8Array(words.buffer);
  let start = 0;
  for (let row = 0; row < ends.length; row++) {
    const end = ends[row] as number;
    const length = end - start;
    const word = row * WORDS;
    words[word] = length;
    const kept = length > MAX_INLINE_BYTES ? 4 : length;
    const at = row * STRING_BYTES + 4;
    for (let i = 0; i < kept; i++) inline[at + i] = heap[start + i] as number;
    if (length > MAX_INLINE_BYTES) words[word + 2] = start;
    start = end;
  }
  return { data: words.buffer, heap: heap.buffer };
}

function byteLength(text: string | null): number {
  return text === null ? 0 : Buffer.byteLength(text);
}
