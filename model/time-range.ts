/** Both ends included, integral milliseconds. */
export type TimeRange = { readonly startMs: number; readonly endMs: number };

/** Start included, end excluded, as in Loki's API. */
export type TimeRangeNs = { readonly startNs: bigint; readonly endNs: bigint };
