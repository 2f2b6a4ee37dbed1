import type { LogBatch } from "@sightline/model/log-batch.ts";
import { pickAttributes, pickItems, pickTimes } from "../segments/pick-rows.ts";

/** A batch of these rows, in this order. Streams are shared with the original. */
export function pickLogRows(batch: LogBatch, rows: Uint32Array): LogBatch {
  if (batch.load) for (const row of rows) batch.load(row);
  return {
    length: rows.length,
    streams: batch.streams,
    streamRefs: Uint32Array.from(rows, (row) => batch.streamRefs[row] as number),
    timesNs: pickTimes(batch.timesNs, rows),
    observedNs: pickTimes(batch.observedNs, rows),
    severities: Uint8Array.from(rows, (row) => batch.severities[row] as number),
    severityTexts: pickItems(batch.severityTexts, rows),
    bodies: pickItems(batch.bodies, rows),
    traceIds: pickItems(batch.traceIds, rows),
    spanIds: pickItems(batch.spanIds, rows),
    attributes: pickAttributes(batch.attributes, rows),
  };
}
