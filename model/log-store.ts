import type { LineFilter } from "./line-filter.ts";
import type { LogBatch, LogStream } from "./log-batch.ts";
import type { Matcher } from "./matcher.ts";
import type { Store } from "./ports.ts";
import type { DeletesRows } from "./row-deletion.ts";
import type { TenantId } from "./tenant.ts";
import type { TimeRangeNs } from "./time-range.ts";

export type StreamRequest = {
  readonly tenant: TenantId;
  readonly range: TimeRangeNs;
  /** Of the streams' index labels. */
  readonly matchers: readonly Matcher[];
};
export type LogRequest = StreamRequest & {
  /** A conjunction. `|~` and `!~` are RE2 and match somewhere in the body. */
  readonly line: readonly LineFilter[];
  readonly newestFirst: boolean;
  /** A store may stop after so many rows if it applied everything (`exact`). */
  readonly limit: number;
  /**
   * A conjunction. The engine checks it again whatever `exact` says, for there may be rows of which the store can't tell
   * (nested attributes): it gives those, and does not count them for the limit. A store without
   * {@link LogStore.appliesFields} ignores it, and must be given no limit beside it.
   */
  readonly fields?: readonly FieldFilter[] | undefined;
  /** What the caller leaves out of the rows later on in any case. May be ignored. */
  readonly hints?: readonly LineHint[] | undefined;
  /**
   * Beside {@link hints}: most rows that meet them are wanted, and so many are likely to be enough. A store may look for these
   * first, and keep them; it gives the others, too, when it is asked for more.
   */
  readonly likelyRows?: number | undefined;
  /** The caller knows {@link LogBatch.load}: what it leaves out after a look at the line need not be read as a whole. */
  readonly deferred?: boolean | undefined;
};
/**
 * What a record must have as a label that Loki would know it by: a label of its stream, or else an attribute of the record,
 * its scope or resource, or `trace_id`, `span_id`, `severity_text` or `severity_number`. `name` is the label's name
 * (`http_status_code`): several attributes may have it. A record without the label has "". As in matchers a regular
 * expression matches the whole value. Without `op` the value must be equal.
 */
export type FieldFilter = {
  readonly name: string;
  readonly op?: Matcher["op"] | undefined;
  readonly value: string;
};
/**
 * Of records that do not have the label, as a {@link FieldFilter} knows it, those whose body `text` does not match anywhere need
 * not be given. RE2.
 */
export type LineHint = { readonly label: string; readonly text: string };
/**
 * Rows in the order of time asked for (equal times: in no order). Matchers and range are always applied; `exact` says
 * that line filters and limit were, too. Otherwise the rows are a superset and the engine re-checks.
 */
export type LogSelection = { readonly exact: boolean; readonly batches: AsyncIterable<LogBatch> };

export interface LogStore extends Store<LogBatch>, DeletesRows {
  /** See {@link LogRequest.fields}. */
  readonly appliesFields?: boolean;
  select(request: LogRequest, signal: AbortSignal): LogSelection;
  /** Streams that have records in the range. */
  streams(request: StreamRequest, signal: AbortSignal): Promise<readonly LogStream[]>;
  /**
   * Counts records without handing them out. Undefined when the store can't say exactly (a regular expression it does not
   * know, nested attributes), or there would be more than `maxGroups` groups: then they have to be read. Absent: always.
   */
  counts?(request: LogCountRequest, signal: AbortSignal): Promise<readonly LogCountGroup[] | undefined>;
}

/** Every record that `select` would give, without limit, and that meets `fields`. */
export type LogCountRequest = StreamRequest & {
  readonly line: readonly LineFilter[];
  readonly fields?: readonly FieldFilter[] | undefined;
  /** Names of labels as a {@link FieldFilter} has them. */
  readonly by: readonly string[];
  /** Positive. Bucket k is from range.startNs + k * bucketNs, included, to the beginning of the next or the range's end. */
  readonly bucketNs: bigint;
  /** Says whether {@link LogCountGroup.bytes} are wanted; they cost more than the counts. */
  readonly withBytes: boolean;
  readonly maxGroups: number;
};
/** Records that are equal in all labels asked for; every group has a record. In no order. */
export type LogCountGroup = {
  /** The labels' values in the order of `by`, "" for a record that lacks the label. */
  readonly values: readonly string[];
  /** Numbers of the buckets that have records, ascending. */
  readonly buckets: Float64Array;
  /** Records in each of them. */
  readonly counts: Float64Array;
  /** Bytes of their bodies in UTF-8. */
  readonly bytes?: Float64Array | undefined;
};

/** Records as they come in, for those who watch. */
export interface LogFeed {
  /**
   * Gives the listener each batch of the tenant that a store has taken, until the function that it returns is called. The
   * batch is the store's: read only. The listener must return soon and must not throw.
   */
  subscribe(tenant: TenantId, listener: (batch: LogBatch) => void): () => void;
  /** Whether its listeners get all that comes to the store now, whichever process takes it in. */
  isWhole(tenant: TenantId): boolean;
}
