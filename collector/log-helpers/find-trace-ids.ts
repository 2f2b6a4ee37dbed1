import { withIds } from "@sightline/model/lazy-log-batch.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { Utf8Texts } from "@sightline/model/utf8-texts.ts";
import type { Stage } from "../processors/stage.ts";

/** Of longer bodies only the beginning is searched. */
const MAX_SEARCHED = 8_192;
/** `trace_id=…`, `"traceId": "…"`, `trace.id: …`. Every repetition is bounded: it runs on JavaScript's own engine. */
const TRACE_ID = /trace[._-]?id["']?\s{0,4}[:=]\s{0,4}["']?([0-9a-f]{32})(?![0-9a-f])/i;
const SPAN_ID = /span[._-]?id["']?\s{0,4}[:=]\s{0,4}["']?([0-9a-f]{16})(?![0-9a-f])/i;
/** W3C Trace Context, version 00. */
const TRACE_PARENT = /traceparent["']?\s{0,4}[:=]\s{0,4}["']?00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?![0-9a-f])/i;
const NO_ID = /^0+$/;
const HINTS = ["race", "RACE"];

/** Trace and span ids from the bodies of records that have no trace id. The body stays as it is. */
export function findTraceIds(): Stage<LogBatch> {
  return { name: "find_trace_ids", apply: (batch) => withTraceIds(batch) };
}

function withTraceIds(batch: LogBatch): LogBatch {
  const bodies = batch.bodyBytes;
  const rows = bodies ? rowsWithHints(bodies) : batch.bodies.keys();
  let traceIds: string[] | undefined;
  let spanIds: string[] | undefined;
  for (const row of rows) {
    if (batch.traceIds[row] !== "") continue;
    const found = idsIn(bodies?.at(row) ?? (batch.bodies[row] as string));
    if (!found) continue;
    traceIds ??= [...batch.traceIds];
    traceIds[row] = found.traceId;
    if (found.spanId === "" || batch.spanIds[row] !== "") continue;
    spanIds ??= [...batch.spanIds];
    spanIds[row] = found.spanId;
  }
  return traceIds ? withIds(batch, traceIds, spanIds ?? batch.spanIds) : batch;
}

/** The few whose bodies may have an id: all of them are searched as one text. */
function rowsWithHints(bodies: Utf8Texts): Iterable<number> {
  const rows = new Set<number>();
  for (const hint of HINTS) {
    let row = 0;
    for (let at = bodies.bytes.indexOf(hint); at >= 0; at = bodies.bytes.indexOf(hint, bodies.end(row))) {
      while (bodies.end(row) <= at) row++;
      rows.add(row);
    }
  }
  return rows;
}

function idsIn(body: string): { readonly traceId: string; readonly spanId: string } | undefined {
  // What most bodies lack is looked for in the cheapest way.
  if (!HINTS.some((hint) => body.includes(hint))) return undefined;
  const text = body.length > MAX_SEARCHED ? body.slice(0, MAX_SEARCHED) : body;
  const parent = TRACE_PARENT.exec(text);
  const traceId = (parent?.[1] ?? TRACE_ID.exec(text)?.[1])?.toLowerCase();
  if (traceId === undefined || NO_ID.test(traceId)) return undefined;
  const spanId = (parent?.[2] ?? SPAN_ID.exec(text)?.[1] ?? "").toLowerCase();
  return { traceId, spanId: NO_ID.test(spanId) ? "" : spanId };
}
