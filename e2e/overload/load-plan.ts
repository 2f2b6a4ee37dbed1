import type { Kind } from "./payloads.ts";

export type PerSignal = Record<Kind["name"], number>;

/** What the load process is to do. */
export type LoadPlan = {
  readonly http: string;
  readonly grpc: string;
  readonly firstClient: number;
  /** Of each signal. */
  readonly clients: number;
  readonly itemsPerSecond: Readonly<PerSignal>;
};

/** So far. Items, and for the rest attempts or requests. */
export type LoadProgress = {
  readonly offered: PerSignal;
  readonly acknowledged: PerSignal;
  readonly statuses: Record<string, number>;
  /** What was said to those that were not accepted: the beginnings of texts, numbers as #. */
  readonly refusals: Record<string, number>;
  /** Answers that ask for a repetition without saying when. */
  withoutRetryAfter: number;
  /** For good. */
  refused: number;
  /** Still refused when the load ended. */
  abandoned: number;
};

/** Requests by `signal/client`. */
export type LoadLedger = {
  readonly totals: LoadProgress;
  readonly dropped: number;
  readonly clients: Readonly<
    Record<string, { readonly acknowledged: number; readonly uncertain: number; readonly traceIds: readonly string[] }>
  >;
};
