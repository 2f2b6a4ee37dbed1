import type { SpanBatch } from "@sightline/model/span-batch.ts";
import { pickAttributes, pickItems, pickTimes } from "../segments/pick-rows.ts";

/** A batch of these rows, in this order. Sources are shared with the original. */
export function pickSpanRows(batch: SpanBatch, rows: Uint32Array): SpanBatch {
  return {
    length: rows.length,
    sources: batch.sources,
    sourceRefs: Uint32Array.from(rows, (row) => batch.sourceRefs[row] as number),
    traceIds: pickItems(batch.traceIds, rows),
    spanIds: pickItems(batch.spanIds, rows),
    parentSpanIds: pickItems(batch.parentSpanIds, rows),
    traceStates: pickItems(batch.traceStates, rows),
    flags: Uint32Array.from(rows, (row) => batch.flags[row] as number),
    names: pickItems(batch.names, rows),
    kinds: Uint8Array.from(rows, (row) => batch.kinds[row] as number),
    startsNs: pickTimes(batch.startsNs, rows),
    durationsNs: pickTimes(batch.durationsNs, rows),
    statusCodes: Uint8Array.from(rows, (row) => batch.statusCodes[row] as number),
    statusMessages: pickItems(batch.statusMessages, rows),
    attributes: pickAttributes(batch.attributes, rows),
    events: pickItems(batch.events, rows),
    links: pickItems(batch.links, rows),
    ...(batch.dropped && { dropped: pickItems(batch.dropped, rows) }),
  };
}
