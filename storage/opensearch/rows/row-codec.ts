import type { Labels } from "@sightline/model/labels.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { TenantId } from "@sightline/model/tenant.ts";

/** One row by itself, made of a batch or of a document. */
export type Row = { readonly timeNs: bigint };

export type Analysis = {
  readonly tokenizer: Readonly<Record<string, object>>;
  readonly analyzer: Readonly<Record<string, object>>;
};

/** Where rows come from, in their documents: a stream of records, a source of spans. */
export type RowOrigin = {
  /** Its id; documents of earlier versions may lack it. */
  readonly field: string;
  /** The fields that `labelsOf` needs. */
  readonly source: readonly string[];
  /** Labels that selectors of settings select by. */
  labelsOf(source: object): Labels;
};

/** What a store of rows has to know of the kind of rows it keeps. */
export interface RowCodec<Batch extends { readonly length: number }, R extends Row> {
  readonly signal: "logs" | "traces";
  /** Of the documents, beside those that every row has. */
  readonly mapping: Readonly<Record<string, object>>;
  /** How texts are cut up, beside what every index has for it. */
  readonly analysis: Analysis;
  readonly origin: RowOrigin;
  timesOf(batch: Batch): BigInt64Array;
  /** Why the row can't be kept; undefined when it can. */
  refusal(batch: Batch, row: number): string | undefined;
  /**
   * Letters, digits, `-` and `_` that tell batches of different content apart, the same for equal ones in every process. By them
   * rows are recognised when a request is sent again; absent: they are not.
   */
  digestOf?(tenant: TenantId, batch: Batch): string;
  /** In memory, estimated. */
  approximateBytes(batch: Batch): number;
  rowAt(batch: Batch, row: number): R;
  /** Fields of the document beside those that every row has, one at least, as JSON. {@link rowOf} gets the same back. */
  jsonOf(row: R): string;
  rowOf(timeNs: bigint, fields: Readonly<Record<string, unknown>>): R;
  batchOf(rows: readonly R[]): Batch;
}

/** What of the rows is wanted: a query that finds those rows, and maybe others, and the test that tells. */
export type RowFilter<R extends Row> = {
  readonly must: readonly object[];
  readonly mustNot: readonly object[];
  readonly matches: (row: R) => boolean;
};

export type { Matcher };
