import type { DuckDatabaseOptions } from "./duck-database.ts";
import type { ColumnType, PackedColumn } from "./packed-column.ts";

export type StagedColumn = { readonly name: string; readonly type: ColumnType };

/**
 * What a {@link WriteThread} is told, in this order: how to open its database; then for each segment where it begins,
 * its chunks, and how to write them to a file; at the end, to let go of everything, after which it may be opened again. A
 * new beginning gives up what was staged before. Each is answered.
 */
export type WriteRequest =
  | { readonly kind: "open"; readonly options: DuckDatabaseOptions }
  | {
      readonly kind: "begin";
      readonly columns: readonly StagedColumn[];
      /** The column of texts whose grams (letter-grams.ts) are wanted; the answer to `copy` has them. */
      readonly gramsOf?: string | undefined;
    }
  | { readonly kind: "chunk"; readonly rows: number; readonly columns: readonly PackedColumn[] }
  | { readonly kind: "copy"; readonly sql: string }
  /** A statement about files alone, between segments. */
  | { readonly kind: "execute"; readonly sql: string }
  /** The answer has the grams (block-grams.ts) of a column of texts, between segments. */
  | { readonly kind: "block-grams"; readonly dataPath: string; readonly rows: number; readonly column: string }
  | { readonly kind: "close" };

/** `error` is the message of why it failed. */
export type WriteAnswer = { readonly error?: string; readonly grams?: Uint8Array | undefined };
