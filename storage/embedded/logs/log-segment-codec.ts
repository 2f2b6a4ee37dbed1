import { BIGINT, UBIGINT, UINTEGER, UTINYINT, VARCHAR } from "@duckdb/node-api";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import {
  AttributeColumns,
  attributeId,
  type CountedKey,
  TAIL_COLUMN,
  type TailKey,
  tailKeys,
} from "../segments/attribute-columns.ts";
import { Breather } from "../segments/breather.ts";
import { isHexId, wordOfHex } from "../segments/hex-id.ts";
import { LetterGrams } from "../segments/letter-grams.ts";
import { attributesInTermsOf, mergedKeys, renumbered } from "../segments/merge-columns.ts";
import { packUtf8 } from "../segments/pack-utf8.ts";
import { partColumn } from "../segments/part-column.ts";
import { approximateAttributeBytes, approximateTextBytes } from "../segments/pick-rows.ts";
import type {
  MergeInput,
  MergePlan,
  RowPart,
  SegmentCodec,
  SegmentColumn,
  SegmentPlan,
  SegmentQuery,
} from "../segments/segment-codec.ts";
import type { RowGroup } from "../segments/segment-retention.ts";
import { pickLogRows } from "./log-batch-rows.ts";
import { type IndexedStream, indexOfLines, type LogSegmentIndex, linesOfIndex } from "./log-segment-index.ts";
import { StreamDictionary } from "./stream-dictionary.ts";

/** By stream, because most queries are about some of them and skip the row groups of the others. */
const ORDER = "stream, time";
/** The columns every segment has; `observed_delta` is the observed time, if any, minus the event time. */
export const LOG_COLUMNS = [
  "stream",
  "time",
  "observed_delta",
  "severity",
  "severity_text",
  "body",
  "trace_high",
  "trace_low",
  "span",
  TAIL_COLUMN,
] as const;
/** Ids that are no proper hex ids are kept in the tail under these names, with an empty type. */
export const TAIL_TRACE_ID = "trace_id";
export const TAIL_SPAN_ID = "span_id";

export class LogSegmentCodec implements SegmentCodec<LogBatch, LogSegmentIndex> {
  readonly signal = "logs";
  readonly groupColumn = "stream";
  readonly searchedColumn = "body";
  readonly #maxColumns: number;

  /** `maxColumns`: attributes with a column of their own in one segment. */
  constructor(maxColumns: number) {
    this.#maxColumns = maxColumns;
  }

  timesOf(batch: LogBatch): BigInt64Array {
    return batch.timesNs;
  }

  pick(batch: LogBatch, rows: Uint32Array): LogBatch {
    return pickLogRows(batch, rows);
  }

  approximateBytes(batch: LogBatch): number {
    let bytes = batch.length * 100 + approximateTextBytes(batch.bodyBytes ?? batch.bodies);
    bytes += approximateAttributeBytes(batch.attributes);
    return bytes;
  }

  refusal(): undefined {
    return undefined;
  }

  async plan(parts: readonly RowPart<LogBatch>[]): Promise<SegmentPlan> {
    const malformed: TailKey[] = [];
    const attributes = await AttributeColumns.plan(parts, this.#maxColumns, malformedIds(malformed));
    const dictionary = await collectStreams(parts);
    const { streams, numberOf } = dictionary.finish();
    const numbers = parts.map(({ batch }) => Uint32Array.from(batch.streams, numberOf));
    const columns = [
      partColumn(parts, "stream", UINTEGER, ({ streamRefs }, row, part) => numbers[part]?.[streamRefs[row] as number]),
      partColumn(parts, "time", BIGINT, ({ timesNs }, row) => timesNs[row]),
      partColumn(parts, "observed_delta", BIGINT, ({ observedNs, timesNs }, row) =>
        observedNs[row] === 0n ? null : BigInt.asIntN(64, (observedNs[row] as bigint) - (timesNs[row] as bigint)),
      ),
      partColumn(parts, "severity", UTINYINT, ({ severities }, row) => severities[row]),
      partColumn(parts, "severity_text", VARCHAR, ({ severityTexts }, row) => severityTexts[row]),
      { ...partColumn(parts, "body", VARCHAR, ({ bodies }, row) => bodies[row]), pack: packBodies(parts) },
      partColumn(parts, "trace_high", UBIGINT, ({ traceIds }, row) => traceWord(traceIds[row] as string, 0)),
      partColumn(parts, "trace_low", UBIGINT, ({ traceIds }, row) => traceWord(traceIds[row] as string, 1)),
      partColumn(parts, "span", UBIGINT, ({ spanIds }, row) => spanWord(spanIds[row] as string)),
      ...attributes.segmentColumns(),
    ];
    let found: LetterGrams | undefined;
    // Which ids are malformed, and what is in the bodies, is known when the rows have been read.
    const index = () =>
      linesOfIndex({ columns: attributes.keys, tail: tailOf(attributes, malformed), grams: found, streams });
    const take = (grams: LetterGrams) => {
      found = grams;
    };
    return { columns, orderBy: ORDER, index: { [Symbol.iterator]: index }, grams: { column: "body", take } };
  }

  async merge(inputs: readonly MergeInput<LogSegmentIndex>[], query: SegmentQuery): Promise<MergePlan> {
    const columns = mergedKeys(
      inputs.map(({ index }) => index.columns),
      this.#maxColumns,
    );
    const dictionary = new StreamDictionary();
    for (const { stream, rows, minNs, maxNs } of (
      await Promise.all(inputs.map((input) => streamsOf(input, query)))
    ).flat()) {
      const entry = dictionary.entryOf(stream);
      entry.rows += rows;
      if (minNs < entry.minNs) entry.minNs = minNs;
      if (maxNs > entry.maxNs) entry.maxNs = maxNs;
    }
    const { streams, numberOf } = dictionary.finish();
    const selects = inputs.map(({ rows, index }) => {
      // Streams of which no row is left have no number; nor does any row ask for it.
      const numbers = index.streams.map(({ stream }) => Math.max(0, numberOf(stream)));
      const fields = [
        renumbered("stream", numbers),
        ...LOG_COLUMNS.slice(1, -1),
        ...attributesInTermsOf(index.columns, columns),
      ];
      return `SELECT ${fields.join(", ")} FROM ${rows}`;
    });
    const tail = tailKeys(
      mergedTail(
        inputs.map(({ index }) => index),
        columns,
      ),
    );
    const grams = mergedGrams(inputs.map(({ index }) => index));
    const index = linesOfIndex({ columns, tail, grams, streams });
    return { select: selects.join(" UNION ALL "), orderBy: ORDER, index };
  }

  groups({ streams }: LogSegmentIndex): readonly RowGroup[] {
    return streams.map(({ stream, maxNs }) => ({ labels: stream.labels, maxNs }));
  }

  parseIndex(lines: readonly unknown[]): LogSegmentIndex {
    return indexOfLines(lines);
  }
}

/** As the index says or, where rows were deleted, as the rows do. */
async function streamsOf(
  { rows, index, isThinned }: MergeInput<LogSegmentIndex>,
  query: SegmentQuery,
): Promise<readonly IndexedStream[]> {
  if (!isThinned) return index.streams;
  const left: IndexedStream[] = [];
  const sql = `SELECT stream, count(*)::DOUBLE, min(time), max(time) FROM ${rows} GROUP BY stream`;
  for await (const chunk of query(sql)) {
    const [numbers, counts, mins, maxs] = chunk.getColumns() as [number[], number[], bigint[], bigint[]];
    for (const [i, number] of numbers.entries()) {
      const { stream } = index.streams[number] as IndexedStream;
      left.push({ stream, rows: counts[i] as number, minNs: mins[i] as bigint, maxNs: maxs[i] as bigint });
    }
  }
  return left;
}

async function collectStreams(parts: readonly RowPart<LogBatch>[]): Promise<StreamDictionary> {
  const breather = new Breather({ isBackground: true });
  const dictionary = new StreamDictionary();
  for (const { batch, rows } of parts) {
    const entries = batch.streams.map((stream) => dictionary.entryOf(stream));
    for (const row of rows) {
      const entry = entries[batch.streamRefs[row] as number] as (typeof entries)[number];
      const time = batch.timesNs[row] as bigint;
      entry.rows++;
      if (time < entry.minNs) entry.minNs = time;
      if (time > entry.maxNs) entry.maxNs = time;
    }
    if (breather.due) await breather.pause();
  }
  return dictionary;
}

function packBodies(parts: readonly RowPart<LogBatch>[]): SegmentColumn["pack"] {
  return (pieces) =>
    packUtf8(pieces, (number) => {
      const { batch, rows } = parts[number] as RowPart<LogBatch>;
      return batch.bodyBytes && { texts: batch.bodyBytes, rows };
    });
}

function traceWord(id: string, word: 0 | 1): bigint {
  return id !== "" && isHexId(id, 2) ? wordOfHex(id, word) : 0n;
}

function spanWord(id: string): bigint {
  return id !== "" && isHexId(id, 1) ? wordOfHex(id, 0) : 0n;
}

/** Adds such ids to a row's tail, and to `found` which kinds there are. */
function malformedIds(found: TailKey[]) {
  const note = (name: string, tail: string[], id: string) => {
    tail.push(name, "", id);
    if (!found.some((key) => key.name === name)) found.push({ name, type: "" });
  };
  return (batch: LogBatch, row: number, tail: string[]): void => {
    const traceId = batch.traceIds[row] as string;
    const spanId = batch.spanIds[row] as string;
    if (traceId !== "" && !isHexId(traceId, 2)) note(TAIL_TRACE_ID, tail, traceId);
    if (spanId !== "" && !isHexId(spanId, 1)) note(TAIL_SPAN_ID, tail, spanId);
  };
}

function tailOf({ rest }: AttributeColumns<LogBatch>, malformed: readonly TailKey[]): readonly TailKey[] | undefined {
  return tailKeys([...rest, ...malformed]);
}

/** With the attributes whose columns are gone. */
function mergedTail(inputs: readonly LogSegmentIndex[], columns: readonly CountedKey[]): TailKey[] | undefined {
  const kept = new Set(columns.map(attributeId));
  const merged: TailKey[] = [];
  for (const { columns: own, tail } of inputs) {
    if (!tail) return undefined;
    for (const key of tail) merged.push(key);
    for (const key of own) if (!kept.has(attributeId(key))) merged.push(key);
  }
  return merged;
}

function mergedGrams(inputs: readonly LogSegmentIndex[]): LetterGrams | undefined {
  const merged = new LetterGrams();
  for (const { grams } of inputs) {
    if (!grams) return undefined;
    merged.merge(grams);
  }
  return merged;
}
