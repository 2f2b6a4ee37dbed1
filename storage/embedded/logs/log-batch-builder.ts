import type { AttributeColumn, AttributeType } from "@sightline/model/attributes.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import { attributeId } from "../segments/attribute-columns.ts";
import { streamKey } from "./log-segment-index.ts";

type Part = { readonly batch: LogBatch; readonly from: number; readonly to: number };

/** Finds one object for all equal streams of a query. */
export class StreamInterner {
  readonly #byObject = new Map<LogStream, LogStream>();
  readonly #byKey = new Map<string, LogStream>();

  intern(stream: LogStream): LogStream {
    let canonical = this.#byObject.get(stream);
    if (canonical) return canonical;
    const key = streamKey(stream);
    canonical = this.#byKey.get(key) ?? stream;
    this.#byKey.set(key, canonical);
    this.#byObject.set(stream, canonical);
    return canonical;
  }
}

/** Puts rows of several batches together as one. */
export class LogBatchBuilder {
  readonly #interner: StreamInterner;
  #parts: Part[] = [];
  #length = 0;

  constructor(interner: StreamInterner) {
    this.#interner = interner;
  }

  get length(): number {
    return this.#length;
  }

  /** Rows `from` (included) to `to` (excluded). */
  add(batch: LogBatch, from: number, to: number): void {
    if (batch.load) for (let row = from; row < to; row++) batch.load(row);
    this.#parts.push({ batch, from, to });
    this.#length += to - from;
  }

  /** The rows added since the last call. */
  take(): LogBatch {
    const parts = this.#parts;
    const length = this.#length;
    this.#parts = [];
    this.#length = 0;
    const timesNs = new BigInt64Array(length);
    const observedNs = new BigInt64Array(length);
    const severities = new Uint8Array(length);
    let at = 0;
    for (const { batch, from, to } of parts) {
      timesNs.set(batch.timesNs.subarray(from, to), at);
      observedNs.set(batch.observedNs.subarray(from, to), at);
      severities.set(batch.severities.subarray(from, to), at);
      at += to - from;
    }
    return {
      length,
      ...this.#streamsOf(parts, length),
      timesNs,
      observedNs,
      severities,
      severityTexts: parts.flatMap(({ batch, from, to }) => batch.severityTexts.slice(from, to)),
      bodies: parts.flatMap(({ batch, from, to }) => batch.bodies.slice(from, to)),
      traceIds: parts.flatMap(({ batch, from, to }) => batch.traceIds.slice(from, to)),
      spanIds: parts.flatMap(({ batch, from, to }) => batch.spanIds.slice(from, to)),
      attributes: attributesOf(parts, length),
    };
  }

  #streamsOf(parts: readonly Part[], length: number): Pick<LogBatch, "streams" | "streamRefs"> {
    const numbers = new Map<LogStream, number>();
    const streamRefs = new Uint32Array(length);
    let at = 0;
    for (const { batch, from, to } of parts) {
      for (let row = from; row < to; row++) {
        const stream = this.#interner.intern(batch.streams[batch.streamRefs[row] as number] as LogStream);
        const number = numbers.get(stream) ?? numbers.size;
        numbers.set(stream, number);
        streamRefs[at++] = number;
      }
    }
    return { streams: [...numbers.keys()], streamRefs };
  }
}

function attributesOf(parts: readonly Part[], length: number): AttributeColumn[] {
  type Column = { readonly name: string; readonly type: AttributeType; readonly values: (string | undefined)[] };
  const columns = new Map<string, Column>();
  let at = 0;
  for (const { batch, from, to } of parts) {
    for (const { name, type, values } of batch.attributes) {
      const id = attributeId({ name, type });
      let column = columns.get(id);
      for (let row = from; row < to; row++) {
        const value = values[row];
        if (value === undefined) continue;
        column ??= { name, type, values: new Array<string | undefined>(length).fill(undefined) };
        column.values[at + row - from] = value;
      }
      if (column) columns.set(id, column);
    }
    at += to - from;
  }
  return [...columns.values()];
}
