import type { Store } from "./ports.ts";
import type { DeletesRows } from "./row-deletion.ts";
import type { SpanBatch } from "./span-batch.ts";
import type { TenantId } from "./tenant.ts";
import type { TimeRangeNs } from "./time-range.ts";

export interface TraceStore extends Store<SpanBatch>, DeletesRows {
  /** All spans of a trace (32 hex digits), each once, in no order; empty when there is none. */
  trace(tenant: TenantId, traceId: string, signal: AbortSignal): Promise<readonly SpanBatch[]>;
  /** Spans that start in the range, in no order; one that was sent twice may come twice. */
  spans(tenant: TenantId, range: TimeRangeNs, signal: AbortSignal): AsyncIterable<SpanBatch>;
  /** Sorted values of `service.name`, "" left out. */
  services(tenant: TenantId, signal: AbortSignal): Promise<readonly string[]>;
  /** Distinct span names and kinds of a service, sorted by name. */
  operations(tenant: TenantId, service: string, signal: AbortSignal): Promise<readonly Operation[]>;
}
export type Operation = { readonly name: string; readonly kind: number };
