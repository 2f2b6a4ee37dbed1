import type { DuckDBDataChunk } from "@duckdb/node-api";
import duckdb, { type Vector } from "@duckdb/node-bindings";
import { MAX_INLINE_BYTES, STRING_BYTES } from "./packed-column.ts";

/**
 * Reads columns of a chunk out of DuckDB's memory, which takes a fraction of the time of reading them value by value.
 * Columns must have the type that they are read as.
 */
export class ChunkReader {
  readonly length: number;
  readonly #chunk: DuckDBDataChunk;

  constructor(chunk: DuckDBDataChunk) {
    this.#chunk = chunk;
    this.length = chunk.rowCount;
  }

  /** Copies; of NULL anything. */
  bigInts(column: number): BigInt64Array {
    return new BigInt64Array(copyOf(this.#vector(column), 8 * this.length));
  }

  unsignedBigInts(column: number): BigUint64Array {
    return new BigUint64Array(copyOf(this.#vector(column), 8 * this.length));
  }

  doubles(column: number): Float64Array {
    return new Float64Array(copyOf(this.#vector(column), 8 * this.length));
  }

  unsignedIntegers(column: number): Uint32Array {
    return new Uint32Array(copyOf(this.#vector(column), 4 * this.length));
  }

  unsignedBytes(column: number): Uint8Array {
    return new Uint8Array(copyOf(this.#vector(column), this.length));
  }

  /** Undefined when every row has a value. */
  validity(column: number): Validity | undefined {
    return validityOf(this.#vector(column), this.length);
  }

  texts(column: number): TextReader {
    return new TextReader(this.#chunk, this.#vector(column), this.length);
  }

  #vector(column: number): Vector {
    return duckdb.data_chunk_get_vector(this.#chunk.chunk, column);
  }
}

/** Which rows have a value. */
export class Validity {
  readonly #bits: Uint8Array;
  readonly isEmpty: boolean;

  constructor(bits: Uint8Array, rows: number) {
    this.#bits = bits;
    let isEmpty = true;
    for (let row = 0; row < rows && isEmpty; row++) isEmpty = !this.has(row);
    this.isEmpty = isEmpty;
  }

  has(row: number): boolean {
    return ((this.#bits[row >>> 3] as number) & (1 << (row & 7))) !== 0;
  }
}

function validityOf(vector: Vector, rows: number): Validity | undefined {
  const bits: Uint8Array | null = duckdb.vector_get_validity(vector, Math.ceil(rows / 64) * 8);
  return bits ? new Validity(bits.slice(), rows) : undefined;
}

function copyOf(vector: Vector, bytes: number): ArrayBuffer {
  return duckdb.vector_get_data(vector, bytes).slice().buffer as ArrayBuffer;
}

/** The texts of a column, read when they are asked for; keeps the memory of the chunk. */
export class TextReader {
  /** Undefined when every row has a text. */
  readonly validity: Validity | undefined;
  readonly #entries: Buffer;
  /** What has the texts must not be freed before they are read. */
  readonly chunk: DuckDBDataChunk;

  constructor(chunk: DuckDBDataChunk, vector: Vector, rows: number) {
    this.chunk = chunk;
    this.validity = validityOf(vector, rows);
    const { buffer, byteOffset, byteLength } = duckdb.vector_get_data(vector, STRING_BYTES * rows);
    this.#entries = Buffer.from(buffer, byteOffset, byteLength);
  }

  /** UTF-8. The row must have a text. To be read before the chunk is freed. */
  bytes(row: number): Buffer {
    const entries = this.#entries;
    const at = row * STRING_BYTES;
    const length = entries.readUInt32LE(at);
    if (length <= MAX_INLINE_BYTES) return entries.subarray(at + 4, at + 4 + length);
    const address = entries.byteOffset + at + 8;
    const { buffer, byteOffset } = duckdb.get_data_from_pointer(entries.buffer as ArrayBuffer, address, length);
    return Buffer.from(buffer, byteOffset, length);
  }

  /** The row must have a text. */
  text(row: number): string {
    const bytes = this.bytes(row);
    return bytes.toString("utf8");
  }
}
