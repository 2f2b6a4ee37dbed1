import { LimitError, NotFoundError } from "@sightline/model/errors.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import type { TraceStore } from "@sightline/model/trace-store.ts";
import type { QueryCall } from "../http/query-api.ts";

/** The batches of a trace that holds at least one span. Throws `NotFoundError`, and `LimitError` when it is too large. */
export async function findTrace(
  store: Pick<TraceStore, "trace">,
  traceId: string,
  maxSpans: number,
  { tenant, signal }: QueryCall,
): Promise<readonly SpanBatch[]> {
  const batches = await store.trace(tenant, traceId, signal);
  const spans = batches.reduce((count, batch) => count + batch.length, 0);
  if (spans === 0) throw new NotFoundError("trace not found");
  if (spans > maxSpans) {
    throw new LimitError(`the trace has ${spans} spans; query.traces.max_spans is ${maxSpans}`);
  }
  return batches;
}
