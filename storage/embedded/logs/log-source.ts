import type { LogBatch } from "@sightline/model/log-batch.ts";

/** Matching rows of one place, hot batch or segment, in the order the query asks for. Opened only when needed. */
export type LogSource = {
  /** No row comes before this time in the order of the query, and none after the other. */
  readonly firstNs: bigint;
  readonly lastNs: bigint;
  /**
   * A `firstNs` that is nearer to the first row; undefined when there is no row. Asked at most once, when by `firstNs`
   * the source is to be opened next: for what can be told without reading rows.
   */
  readonly narrow?: (() => Promise<bigint | undefined>) | undefined;
  /** To open it is mostly waiting and takes little memory: it may be done before it is certain to be needed. */
  readonly mayOpenAhead: boolean;
  /** Known with the first batch: its rows meet all that was asked for, so that they count for the limit. */
  readonly isSure: boolean;
  /** Single use. When the signal aborts nobody wants its rows any more; it may throw then. */
  open(signal: AbortSignal): AsyncGenerator<LogBatch>;
};
