import type { Labels } from "@sightline/model/labels.ts";
import type { PromValue } from "../promql/result.ts";

/** One log line with its labels by where they come from; a name is in one of the three only. */
export type LogEntry = {
  readonly timeNs: bigint;
  readonly line: string;
  /** Of the stream: what selectors select by. Equal streams are the same object. */
  readonly stream: Labels;
  /** Loki's structured metadata: every other attribute. */
  readonly metadata: Labels;
  /** Extracted from the line by the query. */
  readonly parsed: Labels;
};

export type LogqlStats = {
  /** Records looked at in this process; a store that filters itself shows fewer. */
  readonly linesProcessed: number;
  /** Characters of their bodies. */
  readonly bytesProcessed: number;
  /** Records that passed the query's filters. */
  readonly linesMatched: number;
  readonly execMs: number;
};

/** `entries` are in the order asked for. */
export type LogqlValue = { readonly type: "streams"; readonly entries: readonly LogEntry[] } | PromValue;
export type LogqlResult = { readonly value: LogqlValue; readonly stats: LogqlStats };
