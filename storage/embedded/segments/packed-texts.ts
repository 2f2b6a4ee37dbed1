import type { ChunkReader, TextReader, Validity } from "./chunk-reader.ts";

/**
 * Expressions of SQL that give several columns of text as one, so that the texts of a row are read at once: to read them one
 * by one takes as many microseconds. The first has all of them one behind the other, the others say how long each is.
 */
export function packedTexts(columns: readonly string[]): readonly string[] {
  return [`concat(${columns.join(", ")})`, ...columns.map((column) => `strlen(${column})::UINTEGER`)];
}

/** Reads what {@link packedTexts} has selected, row by row. */
export class PackedTexts {
  readonly #all: TextReader;
  readonly #lengths: readonly Uint32Array[];
  readonly #validities: readonly (Validity | undefined)[];

  /** `first` is the column of the first expression; `count` the number of texts. */
  constructor(reader: ChunkReader, first: number, count: number) {
    const columns = Array.from({ length: count }, (_, i) => first + 1 + i);
    this.#all = reader.texts(first);
    this.#lengths = columns.map((column) => reader.unsignedIntegers(column));
    this.#validities = columns.map((column) => reader.validity(column));
  }

  /** No row has this text. */
  isEmpty(number: number): boolean {
    return this.#validities[number]?.isEmpty ?? false;
  }

  /** Puts the texts of a row at its place in `out`, an array per text; of NULL nothing, nor where there is no array. */
  read(row: number, out: readonly ((string | undefined)[] | undefined)[]): void {
    const bytes = this.#all.bytes(row);
    const all = bytes.toString("utf8");
    // Else lengths in bytes are others than those in characters.
    const isAscii = all.length === bytes.length;
    let at = 0;
    for (let i = 0; i < out.length; i++) {
      if (this.#validities[i]?.has(row) === false) continue;
      const end = at + (this.#lengths[i]?.[row] as number);
      const texts = out[i];
      if (texts) texts[row] = isAscii ? all.slice(at, end) : bytes.toString("utf8", at, end);
      at = end;
    }
  }
}
