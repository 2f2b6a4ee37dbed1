import type { LogBatch } from "./log-batch.ts";
import type { StreamRequest } from "./log-store.ts";

/**
 * The form that many lines share: `GET <_> took <_>`. As a LogQL pattern filter (`|> "…"`) it matches every line that was
 * counted for it.
 */
export type LogPattern = {
  readonly pattern: string;
  /** As LogQL's `detected_level`. */
  readonly level: string;
  /** Beginnings of intervals in which lines came, by the lines' own times, ascending. Older intervals are longer. */
  readonly timesMs: Float64Array;
  /** Lines in each of them. */
  readonly counts: Float64Array;
};
/** `isComplete` false: the store can't tell all that the request selects, and gives nothing; lines have to be read. */
export type LogPatternSelection = { readonly isComplete: boolean; readonly patterns: readonly LogPattern[] };

/** Patterns of all lines that were taken in, per stream. A pattern and level comes once; in no order. */
export interface LogPatternStore {
  patterns(request: StreamRequest, signal: AbortSignal): Promise<LogPatternSelection>;
  /** Finds patterns of other lines by the same rules: of those that a query selected. Belongs to the caller. */
  miner(): LogPatternMiner;
  /** Forgets the patterns of the streams: they may have words of lines that were deleted. */
  forget(request: Pick<StreamRequest, "tenant" | "matchers">): Promise<void>;
}
export interface LogPatternMiner {
  add(line: string, level: string, timeMs: number): void;
  patterns(): readonly LogPattern[];
}
/** Tells the levels of a batch's rows as LogQL's `detected_level` has them. */
export type LogLevels = (batch: LogBatch) => (row: number) => string;
