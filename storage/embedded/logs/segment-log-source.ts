import type { DuckDBDataChunk, DuckDBValue } from "@duckdb/node-api";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type { TimeRangeNs } from "@sightline/model/ports.ts";
import { AttributeColumnsReader, attributeColumnName } from "../segments/attribute-columns.ts";
import { hexOfWord, hexOfWords } from "../segments/hex-id.ts";
import { numberedRows, ROW_NUMBER, type SegmentRows, segmentRows } from "../segments/segment-rows.ts";
import { type LineCondition, prefilterOf } from "./line-matcher.ts";
import { LOG_COLUMNS, TAIL_SPAN_ID, TAIL_TRACE_ID } from "./log-segment-codec.ts";
import type { LogSegmentIndex } from "./log-segment-index.ts";

/** What a query wants of a segment. */
export type SegmentLogQuery = {
  readonly segment: SegmentRows;
  readonly index: LogSegmentIndex;
  /** Places in the index's list, ascending. */
  readonly streams: readonly number[];
  readonly range: TimeRangeNs;
  readonly lines: readonly LineCondition[];
  /** Conditions of SQL; they may refer to `values`. */
  readonly conditions: readonly string[];
  readonly values: readonly DuckDBValue[];
  readonly newestFirst: boolean;
  /** Undefined: all rows. */
  readonly limit: number | undefined;
};

/** Text of users is in `values` only. */
export function sqlOfLogQuery(query: SegmentLogQuery): { readonly sql: string; readonly values: DuckDBValue[] } {
  const columns = [...LOG_COLUMNS, ...query.index.columns.map((_, number) => attributeColumnName(number))];
  const { condition, values } = rowCondition(query);
  const sql = [
    `SELECT ${columns.join(", ")} FROM ${segmentRows(query.segment)} WHERE ${condition}`,
    `ORDER BY time ${query.newestFirst ? "DESC" : "ASC"}`,
    query.limit === undefined ? "" : `LIMIT ${query.limit}`,
  ].join(" ");
  return { sql, values };
}

/** Holds for the rows that a query is about, as far as DuckDB can tell. */
export function rowCondition(query: Omit<SegmentLogQuery, "newestFirst" | "limit">): {
  readonly condition: string;
  readonly values: DuckDBValue[];
} {
  const values = [...query.values];
  // Those that are quick and leave out most come first: DuckDB applies them in this order to begin with.
  const conditions = [...streamConditions(query), ...timeConditions(query.range), ...query.conditions];
  for (const line of query.lines) {
    const prefilter = prefilterOf(line);
    if (prefilter !== undefined) conditions.push(`contains(body, $${values.push(prefilter.toWellFormed())})`);
    const { kind, negated, text } = line;
    values.push(text.toWellFormed());
    const call = `${kind === "contains" ? "contains" : "regexp_matches"}(body, $${values.length})`;
    conditions.push(negated ? `NOT ${call}` : call);
  }
  return { condition: [...conditions, "true"].join(" AND "), values };
}

/** The time of the last row of the first `limit` rows; NULL when there is none. */
export function sqlOfLastTimeQuery(query: Omit<SegmentLogQuery, "lines" | "conditions" | "values">): string {
  const conditions = [...streamConditions(query), ...timeConditions(query.range), "true"];
  const [direction, last] = query.newestFirst ? ["DESC", "min"] : ["ASC", "max"];
  const times = `SELECT time FROM ${segmentRows(query.segment)} WHERE ${conditions.join(" AND ")}`;
  return `SELECT ${last}(time) FROM (${times} ORDER BY time ${direction} LIMIT ${query.limit ?? 0})`;
}

/** Which of `streams` have a row in the range. */
export function sqlOfStreamQuery(query: Pick<SegmentLogQuery, "segment" | "index" | "streams" | "range">): string {
  const conditions = [...streamConditions(query), ...timeConditions(query.range), "true"];
  return `SELECT DISTINCT stream FROM ${segmentRows(query.segment)} WHERE ${conditions.join(" AND ")}`;
}

/** Rows as {@link logBatchOfChunk} reads them, in no order, each with its number in the file as the last column. */
export function sqlOfNumberedRows(query: Pick<SegmentLogQuery, "segment" | "index" | "streams" | "range">): string {
  const columns = [...LOG_COLUMNS, ...query.index.columns.map((_, number) => attributeColumnName(number)), ROW_NUMBER];
  const conditions = [...streamConditions(query), ...timeConditions(query.range), "true"];
  return `SELECT ${columns.join(", ")} FROM ${numberedRows(query.segment)} WHERE ${conditions.join(" AND ")}`;
}

function streamConditions({ index, streams }: Pick<SegmentLogQuery, "index" | "streams">): string[] {
  if (streams.length === index.streams.length) return [];
  return [isOneOf(streams)];
}

/** Numbers of streams come ascending, one at least. */
export function isOneOf(streams: readonly number[]): string {
  // The bounds let DuckDB skip row groups; the list is needed only when there are others in between.
  const [first = 0, last = 0] = [streams[0], streams.at(-1)];
  const bounds = `stream BETWEEN ${first} AND ${last}`;
  return last - first + 1 === streams.length ? bounds : `${bounds} AND stream IN (${streams.join(", ")})`;
}

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

function timeConditions({ startNs, endNs }: TimeRangeNs): string[] {
  const conditions: string[] = [];
  if (startNs > MIN_INT64) conditions.push(`time >= ${startNs > MAX_INT64 ? MAX_INT64 : startNs}`);
  if (endNs <= MAX_INT64) conditions.push(`time < ${endNs < MIN_INT64 ? MIN_INT64 : endNs}`);
  return conditions;
}

/** Rows as {@link sqlOfLogQuery} selects them. */
export function logBatchOfChunk(
  chunk: DuckDBDataChunk,
  index: LogSegmentIndex,
  streams: readonly LogStream[],
): LogBatch {
  const length = chunk.rowCount;
  const values = (name: (typeof LOG_COLUMNS)[number]) => chunk.getColumnValues(LOG_COLUMNS.indexOf(name));
  const timesNs = BigInt64Array.from(values("time") as bigint[]);
  const observedNs = BigInt64Array.from(values("observed_delta") as (bigint | null)[], (delta, i) =>
    delta === null ? 0n : delta + (timesNs[i] as bigint),
  );
  const high = values("trace_high") as bigint[];
  const low = values("trace_low") as bigint[];
  const traceIds = high.map((word, i) => hexOfWords(word, low[i] as bigint));
  const spanIds = (values("span") as bigint[]).map(hexOfWord);
  const attributes = new AttributeColumnsReader();
  for (const [number, key] of index.columns.entries()) {
    attributes.addColumn(key, chunk.getColumnValues(LOG_COLUMNS.length + number));
  }
  for (const [row, text] of values("tail").entries()) {
    if (text === null) continue;
    attributes.addTail(row, text as string, (name, value) => {
      if (name === TAIL_TRACE_ID) traceIds[row] = value;
      if (name === TAIL_SPAN_ID) spanIds[row] = value;
    });
  }
  return {
    length,
    streams,
    streamRefs: Uint32Array.from(values("stream") as number[]),
    timesNs,
    observedNs,
    severities: Uint8Array.from(values("severity") as number[]),
    severityTexts: values("severity_text") as string[],
    bodies: values("body") as string[],
    traceIds,
    spanIds,
    attributes: attributes.columns(),
  };
}
