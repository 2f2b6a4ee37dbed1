import type { DuckDBValue } from "@duckdb/node-api";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import { numberedRows, ROW_NUMBER, type SegmentRows, segmentRows } from "../segments/segment-rows.ts";
import { type LineCondition, prefiltersOf } from "./line-matcher.ts";
import type { LogSegmentIndex } from "./log-segment-index.ts";
import { batchColumns } from "./segment-log-batch.ts";

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
  /** Such conditions, too, that take long for a row: those come last. */
  readonly hints: readonly string[];
  readonly values: readonly DuckDBValue[];
  readonly newestFirst: boolean;
  /** Undefined: all rows. */
  readonly limit: number | undefined;
};

/** Rows for `logBatchOfChunk`, in the order asked for. Text of users is in `values` only. */
export function sqlOfLogQuery(query: SegmentLogQuery): { readonly sql: string; readonly values: DuckDBValue[] } {
  const { condition, values } = rowCondition(query);
  const rows = [
    `SELECT * FROM ${segmentRows(query.segment)} WHERE ${condition}`,
    `ORDER BY time ${query.newestFirst ? "DESC" : "ASC"}`,
    query.limit === undefined ? "" : `LIMIT ${query.limit}`,
  ].join(" ");
  // Texts are packed when the rows are in order, those alone that are fetched: a projection keeps the order (DuckDB).
  return { sql: `SELECT ${batchColumns(query.index).join(", ")} FROM (${rows})`, values };
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
    for (const text of prefiltersOf(line)) conditions.push(`contains(body, $${values.push(text.toWellFormed())})`);
    const { kind, negated, text } = line;
    values.push(text.toWellFormed());
    const call = `${kind === "contains" ? "contains" : "regexp_matches"}(body, $${values.length})`;
    conditions.push(negated ? `NOT ${call}` : call);
  }
  return { condition: [...conditions, ...query.hints, "true"].join(" AND "), values };
}

/** The time of the last row of the first `limit` rows; NULL when there is none. */
export function sqlOfLastTimeQuery(query: Omit<SegmentLogQuery, "lines" | "conditions" | "hints" | "values">): string {
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

/** Rows for `logBatchOfChunk`, in no order, each with its number in the file as the last column. */
export function sqlOfNumberedRows(query: Pick<SegmentLogQuery, "segment" | "index" | "streams" | "range">): string {
  const columns = [...batchColumns(query.index), ROW_NUMBER];
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
