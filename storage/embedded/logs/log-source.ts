import type { LogBatch } from "@sightline/model/log-batch.ts";

/** Matching rows of one place, hot batch or segment, in the order the query asks for. Opened only when needed. */
export type LogSource = {
  /** No row comes before this time in the order of the query. */
  readonly firstNs: bigint;
  /** Single use. */
  open(): AsyncGenerator<LogBatch>;
};
