import { attributeColumnName } from "../segments/attribute-columns.ts";
import { bearingOf, isPlainLabel, type RecordLabel, type StreamLabelValue, streamLabelValue } from "./label-sources.ts";
import { TAIL_SPAN_ID, TAIL_TRACE_ID } from "./log-segment-codec.ts";
import type { LogSegmentIndex } from "./log-segment-index.ts";

/** Text, "" for nothing. */
const RECORD: Readonly<Record<RecordLabel, string | undefined>> = {
  trace_id: "CASE WHEN trace_high = 0 AND trace_low = 0 THEN '' ELSE printf('%016x%016x', trace_high, trace_low) END",
  span_id: "CASE WHEN span = 0 THEN '' ELSE printf('%016x', span) END",
  severity_text: "severity_text",
  severity_number: "CASE WHEN severity = 0 THEN '' ELSE severity::VARCHAR END",
  // Times that overflow would be others here.
  observed_timestamp: undefined,
};

/** Where in the rows of a segment the values of a label are. */
export class SegmentLabel {
  readonly name: string;
  /** Expressions of SQL, each a text; "" or NULL when the row does not have it there. */
  readonly texts: readonly string[];
  /** Columns of nested attributes that may have it, too. */
  readonly nested: readonly string[];
  readonly mayBeInTail: boolean;
  /** Nothing is known of it. */
  readonly isOpaque: boolean;
  readonly #index: LogSegmentIndex;

  constructor(name: string, index: LogSegmentIndex) {
    this.name = name;
    this.#index = index;
    const texts: string[] = [];
    const nested: string[] = [];
    for (const [number, key] of index.columns.entries()) {
      const bearing = bearingOf(key, name);
      if (bearing === "is") texts.push(attributeColumnName(number));
      if (bearing === "may") nested.push(attributeColumnName(number));
    }
    const isRecordLabel = Object.hasOwn(RECORD, name);
    const field = RECORD[name as RecordLabel];
    if (field !== undefined) texts.push(field);
    this.texts = texts;
    this.nested = nested;
    this.isOpaque = !isPlainLabel(name) || (isRecordLabel && field === undefined);
    this.mayBeInTail = index.tail?.some((key) => isInTail(key, name)) ?? true;
  }

  /** What a row has of its own is one of `texts`, for certain. */
  get isSure(): boolean {
    return !this.isOpaque && this.texts.length <= 1 && this.nested.length === 0 && !this.mayBeInTail;
  }

  /** Rows may have a value beside that of their stream. */
  get mayBeOfRows(): boolean {
    return this.isOpaque || this.texts.length + this.nested.length > 0 || this.mayBeInTail;
  }

  ofStream(number: number): StreamLabelValue {
    const indexed = this.#index.streams[number];
    return indexed ? streamLabelValue(indexed.stream, this.name) : { kind: "metadata", value: "" };
  }
}

function isInTail({ name, type }: { readonly name: string; readonly type: string }, label: string): boolean {
  if (type === "") return name === label && (name === TAIL_TRACE_ID || name === TAIL_SPAN_ID);
  return bearingOf({ name, type: type as "string" }, label) !== "no";
}
