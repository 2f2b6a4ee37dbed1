import type { TenantId } from "@sightline/model/tenant.ts";

/** A query as it came. */
export type QueryStart = {
  readonly tenant: TenantId;
  /** The pattern of the path, such as `/api/v1/query_range`: it says the language, too. */
  readonly route: string;
  readonly method: string;
  readonly clientIp: string;
  /** Cut at {@link MAX_TEXT_LENGTH}. */
  readonly text: string;
  /** Other parameters of the request that say what was asked for: `start`, `end`, `step`, `time`. */
  readonly parameters: Readonly<Record<string, string>>;
};

/** What a query used up. Its handler fills it in; what it does not know stays 0. */
export type QueryUsage = {
  /** Samples read, once per step that looked at them. */
  samples: number;
  /** The most samples held at a time. */
  peakSamples: number;
  /** Steps of the answer that came from the results cache. */
  cachedSteps: number;
};

export type QueryEnd = {
  readonly start: QueryStart;
  readonly startedAtMs: number;
  /** Milliseconds that it waited for its turn. */
  readonly queuedMs: number;
  /** Milliseconds from its turn to its result. */
  readonly runMs: number;
  readonly usage: Readonly<QueryUsage>;
  /** The name of the error, undefined when it succeeded. */
  readonly error: string | undefined;
};

export const MAX_TEXT_LENGTH = 2_000;
