import type { LogBatch } from "@sightline/model/log-batch.ts";

/** Matching rows of one place, hot batch or segment, in the order the query asks for. Opened only when needed. */
export type LogSource = {
  /** No row comes before this time in the order of the query. */
  readonly firstNs: bigint;
  /** Known with the first batch: its rows meet all that was asked for, so that they count for the limit. */
  readonly isSure: boolean;
  /** Single use. */
  open(): AsyncGenerator<LogBatch>;
};
