import type { Queryable } from "@sightline/model/ports.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { Registry } from "prom-client";
import type { PromLimits } from "./config.ts";
import type { QueryResult } from "./result.ts";

export type PromEngineOptions = {
  readonly queryable: Queryable;
  readonly limits: PromLimits;
  readonly nowMs?: () => number;
  readonly registry?: Registry;
  /** Experimental functions and syntax; on unless false. */
  readonly experimental?: boolean;
};

type QueryOptions = {
  readonly tenant: TenantId;
  /** Instead of `query.lookback_ms`. */
  readonly lookbackMs?: number;
  /** At most `query.timeout_ms`, which it is when absent. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
};
/** `limit` cuts the samples or series of the result (0: no limit) and says so in a warning. */
export type InstantQuery = QueryOptions & { readonly timeMs: number; readonly limit?: number };
export type RangeQuery = QueryOptions & {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  readonly limit?: number;
};

/**
 * Evaluates PromQL as Prometheus 3.14 does. Throws `ParseError` (message as Prometheus words it, `1:6: parse error: …`),
 * `LimitError` naming the setting, `TimeoutError`, `CancelledError` once the signal aborts, and `EvaluationError`
 * for what only shows while evaluating (Prometheus' status 422).
 */
export class PromEngine {
  readonly #options: PromEngineOptions;

  constructor(options: PromEngineOptions) {
    this.#options = options;
  }

  instant(text: string, query: InstantQuery): Promise<QueryResult> {
    return Promise.reject(new Error(`not there yet: ${text} ${query.timeMs} ${this.#options.limits.max_samples}`));
  }

  range(text: string, query: RangeQuery): Promise<QueryResult> {
    return Promise.reject(new Error(`not there yet: ${text} ${query.startMs} ${this.#options.limits.max_samples}`));
  }
}
