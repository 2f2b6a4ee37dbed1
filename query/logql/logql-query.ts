import type { TenantId } from "@sightline/model/tenant.ts";

/** What every LogQL query says. */
export type LogOptions = {
  readonly tenant: TenantId;
  /** Most log lines of the answer; at most `query.logs.max_limit`. */
  readonly limit: number;
  readonly newestFirst: boolean;
  readonly signal: AbortSignal;
};
export type LogqlRangeQuery = LogOptions & {
  /** Included; `endNs` is not for lines, and is for samples. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  /** Between samples; positive. */
  readonly stepNs: bigint;
  /** Log lines closer to the one before than this are left out; 0 gives all. */
  readonly intervalNs: bigint;
};
export type LogqlInstantQuery = LogOptions & { readonly timeNs: bigint };
