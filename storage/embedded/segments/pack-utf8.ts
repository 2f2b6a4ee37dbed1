import type { Utf8Texts } from "@sightline/model/utf8-texts.ts";
import { type PackedColumn, packHeap } from "./packed-column.ts";
import type { Piece } from "./segment-codec.ts";

/** Where the texts of a part's rows are. */
export type TextPart = { readonly texts: Utf8Texts; readonly rows: Uint32Array };

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
    for (let i = piece.from; i < piece.to; i++) bytes += lengthOf(source, i);
  }
  const heap = new Uint8Array(bytes);
  const ends = new Uint32Array(count);
  let at = 0;
  let row = 0;
  for (const { texts, rows, from, to } of sources) {
    for (let i = from; i < to; ) {
      // Neighbours are copied together; most often that is all of the piece.
      const first = rows[i] as number;
      const start = texts.start(first);
      let end = start;
      let next = first;
      for (; i < to && rows[i] === next; i++) {
        end = texts.end(next++);
        ends[row++] = at + end - start;
      }
      heap.set(texts.bytes.subarray(start, end), at);
      at += end - start;
    }
  }
  return packHeap(heap, ends);
}

function lengthOf({ texts, rows }: TextPart, i: number): number {
  const row = rows[i] as number;
  return texts.end(row) - texts.start(row);
}
