import type { DuckDBDataChunk } from "@duckdb/node-api";
import type { SpanBatch, SpanDropped, SpanEvent, SpanLink } from "@sightline/model/span-batch.ts";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import { AttributeColumnsReader, attributeColumnName } from "../segments/attribute-columns.ts";
import { hexOfWord, hexOfWords } from "../segments/hex-id.ts";
import { numberedRows, ROW_NUMBER, type SegmentRows, segmentRows } from "../segments/segment-rows.ts";
import { eventsFromText, linksFromText } from "./span-json.ts";
import { SPAN_COLUMNS, TAIL_DROPPED, TAIL_PARENT_ID } from "./span-segment-codec.ts";
import type { SpanSegmentIndex } from "./span-segment-index.ts";

/** All spans of one trace in a segment. */
export function sqlOfTrace(segment: SegmentRows, index: SpanSegmentIndex, high: bigint, low: bigint): string {
  const columns = [...SPAN_COLUMNS, ...index.columns.map((_, number) => attributeColumnName(number))];
  // Numbers, not parameters: only with constants does DuckDB compare the bounds of row groups.
  const condition = `trace_high = ${high}::UBIGINT AND trace_low = ${low}::UBIGINT`;
  return `SELECT ${columns.join(", ")} FROM ${segmentRows(segment)} WHERE ${condition}`;
}

/** Spans that start in a range. */
export function sqlOfRange(segment: SegmentRows, index: SpanSegmentIndex, { startNs, endNs }: TimeRangeNs): string {
  const columns = [...SPAN_COLUMNS, ...index.columns.map((_, number) => attributeColumnName(number))];
  const bound = (ns: bigint) => (ns > MAX_INT64 ? MAX_INT64 : ns < MIN_INT64 ? MIN_INT64 : ns);
  const condition = `start >= ${bound(startNs)} AND start < ${bound(endNs)}`;
  return `SELECT ${columns.join(", ")} FROM ${segmentRows(segment)} WHERE ${condition}`;
}

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

/** All spans, each with its number in the file as the last column. */
export function sqlOfNumberedSpans(segment: SegmentRows, index: SpanSegmentIndex): string {
  const columns = [...SPAN_COLUMNS, ...index.columns.map((_, number) => attributeColumnName(number)), ROW_NUMBER];
  return `SELECT ${columns.join(", ")} FROM ${numberedRows(segment)}`;
}

/** Rows with the columns that {@link sqlOfTrace} selects. */
export function spanBatchOfChunk(chunk: DuckDBDataChunk, index: SpanSegmentIndex): SpanBatch {
  const values = (name: (typeof SPAN_COLUMNS)[number]) => chunk.getColumnValues(SPAN_COLUMNS.indexOf(name));
  const low = values("trace_low") as bigint[];
  const parentSpanIds = (values("parent") as bigint[]).map(hexOfWord);
  const attributes = new AttributeColumnsReader();
  for (const [number, key] of index.columns.entries()) {
    attributes.addColumn(key, chunk.getColumnValues(SPAN_COLUMNS.length + number));
  }
  const dropped = new Map<number, SpanDropped>();
  for (const [row, text] of values("tail").entries()) {
    if (text === null) continue;
    attributes.addTail(row, text as string, (name, value) => {
      if (name === TAIL_PARENT_ID) parentSpanIds[row] = value;
      if (name === TAIL_DROPPED) dropped.set(row, droppedFromText(value));
    });
  }
  return {
    length: chunk.rowCount,
    sources: index.sources,
    sourceRefs: Uint32Array.from(values("source") as number[]),
    traceIds: (values("trace_high") as bigint[]).map((high, i) => hexOfWords(high, low[i] as bigint)),
    spanIds: (values("span") as bigint[]).map(hexOfWord),
    parentSpanIds,
    traceStates: values("trace_state") as string[],
    flags: Uint32Array.from(values("flags") as number[]),
    names: values("name") as string[],
    kinds: Uint8Array.from(values("kind") as number[]),
    startsNs: BigInt64Array.from(values("start") as bigint[]),
    durationsNs: BigInt64Array.from(values("duration") as bigint[]),
    statusCodes: Uint8Array.from(values("status") as number[]),
    statusMessages: values("status_message") as string[],
    attributes: attributes.columns(),
    events: (values("events") as (string | null)[]).map((text): SpanEvent[] | undefined => {
      return text === null ? undefined : eventsFromText(text);
    }),
    links: (values("links") as (string | null)[]).map((text): SpanLink[] | undefined => {
      return text === null ? undefined : linksFromText(text);
    }),
    ...(dropped.size > 0 && { dropped: Array.from({ length: chunk.rowCount }, (_, row) => dropped.get(row)) }),
  };
}

function droppedFromText(text: string): SpanDropped {
  const [attributes = 0, events = 0, links = 0] = text.split(",").map(Number);
  return { attributes, events, links };
}
