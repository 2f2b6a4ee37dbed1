import type { SpanBatch } from "@sightline/model/span-batch.ts";
import type { TailDecision } from "./tail-decision.ts";

/** What a record of the log means for the trace store: spans to store now, spans that wait, or what became of them. */
export type TraceWork =
  | { readonly kind: "store"; readonly batch: SpanBatch }
  | { readonly kind: "hold"; readonly batch: SpanBatch; readonly receivedAtMs: number }
  | { readonly kind: "decide"; readonly decision: TailDecision };

/** Spans that are new with it. */
export function spansOf(work: TraceWork): number {
  return work.kind === "decide" ? 0 : work.batch.length;
}
