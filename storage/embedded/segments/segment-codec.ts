import type { DuckDBDataChunk, DuckDBType, DuckDBValue } from "@duckdb/node-api";
import type { LetterGrams } from "./letter-grams.ts";
import type { PackedColumn } from "./packed-column.ts";
import type { RowGroup } from "./segment-retention.ts";

/** Some rows of a batch, in any order. */
export type RowPart<Batch> = { readonly batch: Batch; readonly rows: Uint32Array };

/** Rows `from` (included) to `to` (excluded) of a part. */
export type Piece = { readonly part: number; readonly from: number; readonly to: number };

/** A column of a segment file. */
export type SegmentColumn = {
  readonly name: string;
  readonly type: DuckDBType;
  /** Writes the values of rows `from` (included) to `to` (excluded) of a part to `out`, beginning at `at`. */
  readonly fill: (out: DuckDBValue[], at: number, part: number, from: number, to: number) => void;
  /** Does the same for some pieces at once, where that is possible without making values of each row. */
  readonly pack?: ((pieces: readonly Piece[]) => PackedColumn | undefined) | undefined;
};

/** How rows become a segment. */
export type SegmentPlan = {
  readonly columns: readonly SegmentColumn[];
  /** Expressions of SQL: the order of rows in the file, chosen so that row groups can be skipped. */
  readonly orderBy: string;
  /** Lines of the index file, asked for when the rows have been written. */
  readonly index: Iterable<unknown>;
  /** Is given the grams of a column of texts before the index is asked for. */
  readonly grams?: { readonly column: string; take(grams: LetterGrams): void } | undefined;
};

/** How several segments become one. */
export type MergePlan = {
  /** One SELECT over all of them with the columns of the new file; order does not matter. */
  readonly select: string;
  readonly orderBy: string;
  readonly index: Iterable<unknown>;
};

export type MergeInput<Index> = {
  /** A table expression of SQL. */
  readonly rows: string;
  readonly index: Index;
  /** Some rows were deleted, so that the index may name what is not there any more. */
  readonly isThinned: boolean;
};

export type SegmentQuery = (sql: string) => AsyncIterable<DuckDBDataChunk>;

/** What the store of segments must know of a signal. */
export interface SegmentCodec<Batch, Index> {
  readonly signal: "logs" | "traces";
  timesOf(batch: Batch): BigInt64Array;
  pick(batch: Batch, rows: Uint32Array): Batch;
  approximateBytes(batch: Batch): number;
  /** Why a row can't be kept, naming what to fix; undefined when it can. */
  refusal(batch: Batch, row: number): string | undefined;
  /** Counts and dictionaries are made here, so it may take a while: it pauses now and then. */
  plan(parts: readonly RowPart<Batch>[]): Promise<SegmentPlan>;
  /** `query` runs SQL that may read the inputs. */
  merge(inputs: readonly MergeInput<Index>[], query: SegmentQuery): Promise<MergePlan>;
  parseIndex(lines: readonly unknown[]): Index;
  /** The rows of a segment by what they are kept by; a group's place is the number in {@link groupColumn}. */
  groups(index: Index): readonly RowGroup[];
  readonly groupColumn: string;
  /** A column of texts that are looked for by a part of them; undefined: none. */
  readonly searchedColumn?: string | undefined;
}
