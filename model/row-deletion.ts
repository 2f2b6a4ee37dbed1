import type { LineFilter } from "./line-filter.ts";
import type { Matcher } from "./matcher.ts";
import type { TenantId } from "./tenant.ts";
import type { TimeRangeNs } from "./time-range.ts";

/** Which rows are to go: those that were written before and meet all of this. */
export type RowDeletion = {
  readonly tenant: TenantId;
  /** Of the time of the record, or of the start of the span. */
  readonly range: TimeRangeNs;
  /** Of the index labels of a record's stream; ignored for spans. */
  readonly matchers: readonly Matcher[];
  /** Of a record's body; ignored for spans. */
  readonly line: readonly LineFilter[];
  /** Of attributes of the record or span or, where it lacks them, of its resource. */
  readonly attributes: readonly Matcher[];
  /** Says to people what was asked for. */
  readonly description: string;
};
export type Deletion = {
  readonly id: string;
  readonly description: string;
  readonly range: TimeRangeNs;
  readonly rows: number;
  readonly createdAtMs: number;
  /** From then on rows are removed from the files. */
  readonly removeAtMs: number;
  /** hidden: no query sees the rows, and it can be cancelled. removing: some are gone from the files. removed: all are. */
  readonly state: "hidden" | "removing" | "removed";
};

export interface DeletesRows {
  /** Durable, and no query sees the rows, once it settles. */
  deleteRows(request: RowDeletion, signal: AbortSignal): Promise<Deletion>;
  /** Of the tenant, newest first; those that are done are remembered for a while. */
  deletions(tenant: TenantId): Promise<readonly Deletion[]>;
  /** Queries see the rows again. False when there is no such deletion, or it is not `hidden` any more. */
  cancelDeletion(tenant: TenantId, id: string): Promise<boolean>;
}
