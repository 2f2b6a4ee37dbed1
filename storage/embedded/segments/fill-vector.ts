import duckdb, { type Vector } from "@duckdb/node-bindings";
import { type ColumnType, MAX_INLINE_BYTES, type PackedColumn, STRING_BYTES } from "./packed-column.ts";

const WORDS = STRING_BYTES / 4;
const TWO_TO_32 = 2 ** 32;

/**
 * Copies a packed column into a vector of a chunk that has `rows`. Changes the column. All long texts go to DuckDB in
 * one piece, which it keeps as long as the vector; the rows then point into it.
 */
export function fillVector(vector: Vector, type: ColumnType, column: PackedColumn, rows: number): void {
  const { data, heap, validity } = column;
  if (!data || validity) {
    const bits = validity ?? new ArrayBuffer(Math.ceil(rows / 64) * 8);
    duckdb.vector_ensure_validity_writable(vector);
    duckdb.copy_data_to_vector_validity(vector, 0, bits, 0, bits.byteLength);
  }
  if (!data) return;
  if (type === "VARCHAR" && heap && heap.byteLength > MAX_INLINE_BYTES) {
    duckdb.vector_assign_string_element_len(vector, 0, new Uint8Array(heap));
    relocate(new Uint32Array(data), addressOfFirst(vector));
  }
  duckdb.copy_data_to_vector(vector, 0, data, 0, data.byteLength);
}

/** Low and high half of where the bytes of the vector's first text are, which must be a long one. */
function addressOfFirst(vector: Vector): readonly [low: number, high: number] {
  const first = duckdb.vector_get_data(vector, STRING_BYTES);
  const view = new DataView(first.buffer, first.byteOffset, STRING_BYTES);
  return [view.getUint32(8, true), view.getUint32(12, true)];
}

function relocate(words: Uint32Array, [low, high]: readonly [number, number]): void {
  for (let word = 0; word < words.length; word += WORDS) {
    if ((words[word] as number) <= MAX_INLINE_BYTES) continue;
    const sum = low + (words[word + 2] as number);
    words[word + 2] = sum;
    words[word + 3] = sum >= TWO_TO_32 ? high + 1 : high;
  }
}
