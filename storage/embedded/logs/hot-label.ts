import type { AttributeColumn } from "@sightline/model/attributes.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import { lokiLabelName } from "@sightline/model/loki-label-name.ts";
import {
  bearingOf,
  isMap,
  isPlainLabel,
  type RecordLabel,
  type StreamLabelValue,
  streamLabelValue,
} from "./label-sources.ts";

const RECORD: Readonly<Record<RecordLabel, (batch: LogBatch, row: number) => string>> = {
  trace_id: ({ traceIds }, row) => traceIds[row] ?? "",
  span_id: ({ spanIds }, row) => spanIds[row] ?? "",
  severity_text: ({ severityTexts }, row) => severityTexts[row] ?? "",
  severity_number: ({ severities }, row) => numberText(severities[row] ?? 0),
  observed_timestamp: ({ observedNs }, row) => numberText(observedNs[row] ?? 0n),
};

function numberText(value: number | bigint): string {
  return Number(value) === 0 ? "" : String(value);
}

/** A label of the records of one batch. */
export class HotLabel {
  readonly #batch: LogBatch;
  readonly #ofStream: readonly StreamLabelValue[];
  readonly #columns: readonly { readonly column: AttributeColumn; readonly isNamed: boolean }[];
  readonly #field: ((batch: LogBatch, row: number) => string) | undefined;
  readonly #isPlain: boolean;

  constructor(name: string, batch: LogBatch, ofStream: (stream: LogStream) => StreamLabelValue) {
    this.#batch = batch;
    this.#isPlain = isPlainLabel(name);
    this.#ofStream = batch.streams.map(ofStream);
    this.#columns = batch.attributes
      .filter((column) => bearingOf(column, name) !== "no")
      .map((column) => ({ column, isNamed: lokiLabelName(column.name) === name }));
    this.#field = RECORD[name as RecordLabel];
  }

  /** Its value, "" when the record lacks it; undefined when that can't be said here. */
  read(row: number): string | undefined {
    if (!this.#isPlain) return undefined;
    const ofStream = this.#ofStream[this.#batch.streamRefs[row] as number] as StreamLabelValue;
    if (ofStream.kind === "label") return ofStream.value;
    let found = this.#field?.(this.#batch, row) ?? "";
    for (const { column, isNamed } of this.#columns) {
      const value = column.values[row];
      if (value === undefined || value === "") continue;
      if (isMap(column.type, value)) return undefined;
      if (!isNamed) continue;
      // Which of two attributes of one name counts is nobody's promise.
      if (found !== "") return undefined;
      found = value;
    }
    if (found !== "") return found;
    return ofStream.kind === "unknown" ? undefined : ofStream.value;
  }
}

/** Remembers what streams say of one label. */
export function streamLabelReader(name: string): (stream: LogStream) => StreamLabelValue {
  const known = new WeakMap<LogStream, StreamLabelValue>();
  return (stream) => {
    let value = known.get(stream);
    if (!value) {
      value = streamLabelValue(stream, name);
      known.set(stream, value);
    }
    return value;
  };
}
