import type { SpanBatch } from "@sightline/model/span-batch.ts";
import { withoutSpanRows } from "../processors/keep-rows.ts";
import { RowSet } from "../processors/row-set.ts";
import type { Stage } from "../processors/stage.ts";

/** Traces that are counted; those longest not heard of are forgotten. */
const MAX_TRACES = 100_000;

/** Refuses the spans of a trace beyond so many, as far as the trace is remembered. */
export function spansPerTrace(maxSpans: number): Stage<SpanBatch> | undefined {
  if (maxSpans === 0) return undefined;
  // Two generations, each half as large: a trace that is heard of moves to the younger one.
  let young = new Map<string, number>();
  let old = new Map<string, number>();
  return {
    name: "spans_per_trace",
    decide(batch) {
      const dropped = new RowSet(batch.length);
      for (let row = 0; row < batch.length; row++) {
        const traceId = batch.traceIds[row] as string;
        const count = young.get(traceId) ?? old.get(traceId) ?? 0;
        if (count >= maxSpans) dropped.add(row);
        young.set(traceId, Math.min(maxSpans, count + 1));
        if (young.size > MAX_TRACES / 2) [young, old] = [new Map(), young];
      }
      return dropped.size === 0 ? undefined : dropped.bytes;
    },
    apply(batch, decision, pass) {
      if (!decision) return batch;
      const dropped = RowSet.from(decision);
      const message = `more spans of a trace than limits.traces.max_spans_per_trace (${maxSpans}) allows: sample, or raise it`;
      pass.reject("trace_limit", dropped.size, message);
      return withoutSpanRows(batch, dropped);
    },
  };
}
