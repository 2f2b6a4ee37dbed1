import type { DuckDBDataChunk } from "@duckdb/node-api";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import { AttributeColumnsReader, attributeColumnName, TAIL_COLUMN } from "../segments/attribute-columns.ts";
import { ChunkReader } from "../segments/chunk-reader.ts";
import { hexOfWord, hexOfWords } from "../segments/hex-id.ts";
import { PackedTexts, packedTexts } from "../segments/packed-texts.ts";
import { TAIL_SPAN_ID, TAIL_TRACE_ID } from "./log-segment-codec.ts";
import type { LogSegmentIndex } from "./log-segment-index.ts";

/** The other texts of a row are packed. */
const PLAIN_COLUMNS = [
  "stream",
  "time",
  "observed_delta",
  "severity",
  "trace_high",
  "trace_low",
  "span",
  "body",
  TAIL_COLUMN,
] as const;
const columnOf = (name: (typeof PLAIN_COLUMNS)[number]) => PLAIN_COLUMNS.indexOf(name);

/** What is to be selected of rows for {@link logBatchOfChunk}; there may be more behind it. */
export function batchColumns(index: LogSegmentIndex): readonly string[] {
  const attributes = index.columns.map((_, number) => attributeColumnName(number));
  return [...PLAIN_COLUMNS, ...packedTexts(["severity_text", ...attributes])];
}

/**
 * Rows as a batch. When it is `deferred`, what the packed texts and the ids are is found out row by row, by
 * {@link LogBatch.load}.
 */
export function logBatchOfChunk(
  chunk: DuckDBDataChunk,
  index: LogSegmentIndex,
  streams: readonly LogStream[],
  deferred: boolean,
): LogBatch {
  const reader = new ChunkReader(chunk);
  const rows = new DeferredRows(reader, index);
  const timesNs = reader.bigInts(columnOf("time"));
  const batch = {
    length: reader.length,
    streams,
    streamRefs: reader.unsignedIntegers(columnOf("stream")),
    timesNs,
    observedNs: observedTimes(reader, timesNs),
    severities: reader.unsignedBytes(columnOf("severity")),
    severityTexts: rows.severityTexts,
    bodies: textsOf(reader, columnOf("body")),
    traceIds: rows.traceIds,
    spanIds: rows.spanIds,
    attributes: rows.attributes,
  };
  if (deferred) return { ...batch, load: (row) => rows.load(row) };
  for (let row = 0; row < batch.length; row++) rows.load(row);
  return batch;
}

/** What of rows is not read before it is asked for. */
class DeferredRows {
  readonly severityTexts: string[];
  readonly traceIds: string[];
  readonly spanIds: string[];
  readonly attributes: LogBatch["attributes"];
  readonly #isLoaded: Uint8Array;
  readonly #packed: PackedTexts;
  /** Where the packed texts go. */
  readonly #targets: readonly ((string | undefined)[] | undefined)[];
  readonly #traceHigh: BigUint64Array;
  readonly #traceLow: BigUint64Array;
  readonly #spans: BigUint64Array;
  /** Those that are in no proper form, by row. */
  readonly #strangeIds = new Map<number, { trace?: string; span?: string }>();

  constructor(reader: ChunkReader, index: LogSegmentIndex) {
    const { length } = reader;
    this.severityTexts = new Array<string>(length).fill("");
    this.traceIds = new Array<string>(length).fill("");
    this.spanIds = new Array<string>(length).fill("");
    this.#isLoaded = new Uint8Array(length);
    this.#traceHigh = reader.unsignedBigInts(columnOf("trace_high"));
    this.#traceLow = reader.unsignedBigInts(columnOf("trace_low"));
    this.#spans = reader.unsignedBigInts(columnOf("span"));
    this.#packed = new PackedTexts(reader, PLAIN_COLUMNS.length, 1 + index.columns.length);
    const attributes = new AttributeColumnsReader();
    const columns = index.columns.map((key, number) => {
      return this.#packed.isEmpty(1 + number) ? undefined : attributes.emptyColumn(key, length);
    });
    this.#targets = [this.severityTexts, ...columns];
    this.#readTails(reader, attributes);
    this.attributes = attributes.columns();
  }

  /** Only with these it is known which attributes there are. */
  #readTails(reader: ChunkReader, attributes: AttributeColumnsReader): void {
    const tails = reader.texts(columnOf(TAIL_COLUMN));
    if (tails.validity?.isEmpty) return;
    for (let row = 0; row < reader.length; row++) {
      if (tails.validity?.has(row) === false) continue;
      attributes.addTail(row, tails.text(row), (name, value) => {
        const ids = this.#strangeIds.get(row) ?? {};
        if (name === TAIL_TRACE_ID) ids.trace = value;
        if (name === TAIL_SPAN_ID) ids.span = value;
        this.#strangeIds.set(row, ids);
      });
    }
  }

  load(row: number): void {
    if (this.#isLoaded[row] === 1) return;
    this.#isLoaded[row] = 1;
    this.#packed.read(row, this.#targets);
    const strange = this.#strangeIds.get(row);
    this.traceIds[row] = strange?.trace ?? hexOfWords(this.#traceHigh[row] as bigint, this.#traceLow[row] as bigint);
    this.spanIds[row] = strange?.span ?? hexOfWord(this.#spans[row] as bigint);
  }
}

function textsOf(reader: ChunkReader, column: number): string[] {
  const texts = reader.texts(column);
  const all = new Array<string>(reader.length);
  for (let row = 0; row < all.length; row++) all[row] = texts.text(row);
  return all;
}

function observedTimes(reader: ChunkReader, timesNs: BigInt64Array): BigInt64Array {
  const column = columnOf("observed_delta");
  const times = reader.bigInts(column);
  const validity = reader.validity(column);
  for (let row = 0; row < times.length; row++) {
    times[row] = validity?.has(row) === false ? 0n : (times[row] as bigint) + (timesNs[row] as bigint);
  }
  return times;
}
