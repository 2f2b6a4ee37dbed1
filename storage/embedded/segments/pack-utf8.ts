import type { Utf8Texts } from "@sightline/model/utf8-texts.ts";
import { type PackedColumn, packHeap, validityBits } from "./packed-column.ts";
import type { Piece } from "./segment-codec.ts";

/** Where the texts of a part's rows are. Rows beyond the last text have none; without texts no row has. */
export type TextPart = { readonly texts: Utf8Texts | undefined; readonly rows: Uint32Array };

/** Texts of several pieces as a column of DuckDB. Undefined when those of a part are no bytes. */
export function packUtf8(
  pieces: readonly Piece[],
  partOf: (part: number) => TextPart | undefined,
): PackedColumn | undefined {
  const sources: (Piece & TextPart)[] = [];
  let count = 0;
  let bytes = 0;
  for (const piece of pieces) {
    const source = partOf(piece.part);
    if (!source) return undefined;
    sources.push({ ...piece, ...source });
    count += piece.to - piece.from;
    bytes += bytesOf(source, piece);
  }
  const packed = new TextPacker(count, bytes);
  for (const source of sources) packed.add(source);
  return packed.finish();
}

function bytesOf({ texts, rows }: TextPart, { from, to }: Piece): number {
  let bytes = 0;
  for (let i = from; texts && i < to; i++) {
    const row = rows[i] as number;
    if (row < texts.length) bytes += texts.end(row) - texts.start(row);
  }
  return bytes;
}

class TextPacker {
  readonly #heap: Uint8Array<ArrayBuffer>;
  readonly #ends: Uint32Array;
  readonly #has: Uint8Array;
  #bytes = 0;
  #rows = 0;
  #count = 0;

  constructor(rows: number, bytes: number) {
    this.#heap = new Uint8Array(bytes);
    this.#ends = new Uint32Array(rows);
    this.#has = new Uint8Array(rows);
  }

  add({ texts, rows, from, to }: Piece & TextPart): void {
    for (let i = from; i < to; ) {
      const first = rows[i] as number;
      if (!texts || first >= texts.length) {
        this.#ends[this.#rows++] = this.#bytes;
        i++;
      } else i = this.#addNeighbours(texts, rows, i, to);
    }
  }

  finish(): PackedColumn {
    if (this.#count === 0) return {};
    const packed = packHeap(this.#heap, this.#ends);
    const { length } = this.#has;
    return this.#count === length
      ? packed
      : { ...packed, validity: validityBits(length, (row) => this.#has[row] === 1) };
  }

  /** Neighbours are copied together; most often that is all of the piece. Returns where they end. */
  #addNeighbours(texts: Utf8Texts, rows: Uint32Array, from: number, to: number): number {
    const { ends, has, length } = texts;
    const first = rows[from] as number;
    const start = texts.start(first);
    let end = start;
    let i = from;
    for (let row = first; i < to && row < length && rows[i] === row; row++, i++) {
      end = ends[row] as number;
      this.#ends[this.#rows] = this.#bytes + end - start;
      const isThere = has?.[row] ?? 1;
      this.#has[this.#rows++] = isThere;
      this.#count += isThere;
    }
    this.#heap.set(texts.bytes.subarray(start, end), this.#bytes);
    this.#bytes += end - start;
    return i;
  }
}
